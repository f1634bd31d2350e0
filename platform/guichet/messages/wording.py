"""From a message's facts to what a customer reads: a subject, a text and the same as HTML."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

import msgspec

from guichet.billing.dunning.decisions.reasons import customer_text
from guichet.messages.facts import MailFacts, one_line
from guichet.messages.kinds import Kind
from guichet.messages.looks import MailBrand
from guichet.theming.locale import gettext
from guichet.theming.pages import Pages
from tenants.features import Features

#: As the networks write their names.
_BRANDS = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "American Express",
    "discover": "Discover",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
    "cartes_bancaires": "Cartes Bancaires",
}


class Words(msgspec.Struct, frozen=True):
    """What a template of words has set, without what is empty."""

    subject: str
    title: str
    preheader: str
    paragraphs: tuple[str, ...]
    #: Label and value.
    rows: tuple[tuple[str, str], ...]
    action: str
    closing: str


class Letter(msgspec.Struct, frozen=True):
    """A mail without its headers."""

    subject: str
    text: str
    html: str
    #: What a list of mails shows after the subject.
    preheader: str = ""


class Links(msgspec.Struct, frozen=True):
    """Where a mail leads: what its button opens, and the ways to fewer mails."""

    action: str
    preferences: str
    #: Empty where the kind is sent to everybody.
    unsubscribe: str


def write_letter(
    pages: Pages,
    brand: MailBrand,
    locale: str,
    kind: Kind,
    facts: MailFacts,
    happened_at: datetime,
    links: Links,
) -> Letter:
    """Write a mail in its merchant's brand and its customer's language."""
    words = _words(pages, brand.theme, locale, kind, facts, happened_at)
    context = {
        "brand": brand,
        "words": words,
        "link": links.action,
        "preferences": links.preferences,
        "unsubscribe": links.unsubscribe,
    }
    return Letter(
        words.subject,
        pages.render(brand.theme, "mails/layout.txt", locale, **context).decode(),
        pages.render(brand.theme, "mails/layout.html", locale, **context).decode(),
        words.preheader,
    )


def _words(
    pages: Pages, theme: str, locale: str, kind: Kind, facts: MailFacts, happened_at: datetime
) -> Words:
    translate = gettext(locale)
    template = pages.template(theme, f"mails/{kind}.words", locale)
    said = template.make_module(
        {
            "facts": facts,
            "happened_at": happened_at,
            "reason": translate(customer_text(facts.reason)) if facts.reason else "",
            "card": _card(facts, translate),
            "expiry": _expiry(facts),
        }
    )
    set_ = msgspec.convert(vars(said), _Said)
    return Words(
        subject=one_line(set_.subject),
        title=set_.title,
        preheader=set_.preheader,
        paragraphs=tuple(text for text in set_.paragraphs if text),
        rows=tuple((label, value) for label, value in set_.rows if value),
        action=set_.action,
        closing=set_.closing,
    )


class _Said(msgspec.Struct):
    """The variables that every template of words sets."""

    subject: str
    title: str
    preheader: str
    paragraphs: list[str]
    rows: list[tuple[str, str | None]]
    action: str
    closing: str


def _card(facts: MailFacts, translate: Callable[[str], str]) -> str:
    """The payment method as people know it: `Visa •••• 4242`."""
    if not facts.last4:
        return ""
    brand = _BRANDS.get(facts.brand or "", "") or translate("Card")
    return f"{brand} •••• {facts.last4}"


def _expiry(facts: MailFacts) -> str:
    """As it stands on the card: `08/2027`."""
    if not facts.exp_month or not facts.exp_year:
        return ""
    return f"{facts.exp_month:02}/{facts.exp_year}"


def portal_path(kind: Kind, facts: MailFacts, features: Features) -> str:
    """The page of the portal that a mail without a link of its own leads to."""
    match kind:
        case "card_expiring" if features.payment_methods:
            return "/payment-methods"
        case "receipt" | "recovered" if features.invoices:
            return "/invoices"
    if facts.subscription_id:
        return f"/subscriptions/{quote(facts.subscription_id, safe='')}"
    return "/"
