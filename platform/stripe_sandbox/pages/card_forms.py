"""A form for a card: its fields, what was typed wrongly, and the card that was typed."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from typing import NamedTuple

from stripe_sandbox.pages.languages import Language
from stripe_sandbox.payments.cards import Card, Decline
from stripe_sandbox.payments.payment_methods import new_payment_method
from stripe_sandbox.payments.published_cards import CARDS_BY_NUMBER
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit

CARD_STYLE = """
:root { --wrong: #b3261e } @media (prefers-color-scheme: dark) { :root { --wrong: #ffb4ab } }
main.narrow { max-width: 30rem }
form.stack { display: block; margin: 1.5rem 0 } form.stack label { display: block;
  font-weight: 600; margin-bottom: .25rem }
.field { margin: 0 0 1rem } form.stack .field input { width: 100%; padding: .6rem .7rem;
  border-color: var(--soft) } ::placeholder { color: var(--soft); opacity: 1 }
form.stack ~ p { margin-top: 1rem }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1rem }
form.stack .field input[aria-invalid] { border-color: var(--wrong) } .wrong { color: var(--wrong);
  font-size: .9rem; margin: .25rem 0 0 }
.alert { border: 1px solid var(--wrong); border-radius: .5rem; padding: .75rem 1rem;
  color: var(--wrong); margin: 1rem 0 }
.note { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: 1rem 0 }
form.stack button { display: block; width: 100%; padding: .7rem 1rem; font-weight: 600;
  text-align: center; margin: .75rem 0 0 }
form.stack button.second { background: transparent; color: var(--ink);
  border: 1px solid var(--soft) }
fieldset { border: 0; padding: 0; margin: 0 0 1rem; min-width: 0 }
legend { font-weight: 600; padding: 0; margin-bottom: .5rem }
form.stack label.choice { display: flex; gap: .6rem; align-items: center; font-weight: 400;
  padding: .6rem .7rem; border: 1px solid var(--soft); border-radius: .5rem; font-size: 1rem;
  margin-bottom: .5rem }
.choice input { width: auto; flex: none; accent-color: var(--accent) }
form.stack:has(input.saved:checked) .new-card { display: none }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.amount-due { font-size: 1.75rem; font-weight: 700; margin: .25rem 0 }
.badge { display: inline-block; margin-bottom: .5rem; border: 1px solid var(--line);
  border-radius: 1rem; padding: .05rem .6rem; font-size: .8rem; color: var(--soft) }
"""
FIELDS = ("number", "expiry", "cvc", "name")
_LABELS = {
    "number": ("Card number", "cc-number", "numeric", "1234 1234 1234 1234"),
    "expiry": ("Expiration date", "cc-exp", "numeric", "MM / YY"),
    "cvc": ("Security code", "cc-csc", "numeric", "CVC"),
    "name": ("Cardholder name", "cc-name", "text", "Full name on card"),
}
_PLACES = {
    "expired_card": "expiry",
    "incorrect_cvc": "cvc",
}
_NOT_AUTHENTICATED = (
    "We are unable to authenticate your payment method. Please choose a different payment method "
    "and try again."
)
_LIVE = (
    "Your card was declined. Your request was in test mode, but used a non test card. For a list "
    "of valid test cards, visit: https://stripe.com/docs/testing."
)


class TypedCard(NamedTuple):
    """What a form describes; the name is the cardholder's."""

    card: Card
    expiry: tuple[int, int]
    name: str


def read_card(fields: Mapping[str, str], now: int) -> tuple[TypedCard | None, dict[str, str]]:
    """The card, or else a sentence of Stripe's for every field that is wrong."""
    wrong: dict[str, str] = {}
    number = re.sub(r"[\s-]", "", fields.get("number", ""))
    card = CARDS_BY_NUMBER.get(number)
    if not number:
        wrong["number"] = "Your card number is incomplete."
    elif not _adds_up(number):
        wrong["number"] = "Your card number is invalid."
    elif card is None:
        wrong["number"] = _LIVE
    expiry = _read_expiry(fields.get("expiry", ""), now, wrong)
    digits = 4 if card and card.brand == "amex" else 3
    if not re.fullmatch(rf"\d{{{digits}}}", fields.get("cvc", "").strip(), re.ASCII):
        wrong["cvc"] = "Your card's security code is incomplete."
    name = fields.get("name", "").strip()
    if not name:
        wrong["name"] = "Please fill out this field."
    if wrong or card is None or expiry is None:
        return None, wrong
    return TypedCard(card, expiry, name), {}


def _adds_up(number: str) -> bool:
    """The checksum of card numbers (ISO/IEC 7812-1, annex B)."""
    if not re.fullmatch(r"\d{12,19}", number, re.ASCII):
        return False
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _read_expiry(typed: str, now: int, wrong: dict[str, str]) -> tuple[int, int] | None:
    found = re.fullmatch(r"\s*(\d{1,2})\s*/?\s*(\d{4}|\d{2})\s*", typed, re.ASCII)
    if found is None or not 1 <= int(found[1]) <= 12:
        wrong["expiry"] = "Your card's expiration date is incomplete."
        return None
    month, year = int(found[1]), int(found[2]) + (2000 if len(found[2]) == 2 else 0)
    today = datetime.fromtimestamp(now, UTC)
    if (year, month) < (today.year, today.month):
        part = "year" if year < today.year else "date"
        wrong["expiry"] = f"Your card's expiration {part} is in the past."
    return month, year


def method_from(unit: Unit, typed: TypedCard, customer: str | None) -> Document:
    """The payment method for a typed card; it is not the customer's yet."""
    world = unit.find("customer", customer)
    method = new_payment_method(unit, typed.card, expiry=typed.expiry, world=world)
    method["billing_details"]["name"] = typed.name
    return unit.add(method)


def card_name(card: Document) -> str:
    """A card as people know it: `Visa •••• 4242`."""
    return f"{card['display_brand'].replace('_', ' ').title()} •••• {card['last4']}"


def reason_of(error: Document | None) -> str:
    """Why a customer is back at a form, from an intent's last error."""
    if error is None:
        return ""
    failed = error["code"] in (
        "payment_intent_authentication_failure",
        "setup_intent_authentication_failure",
    )
    return _NOT_AUTHENTICATED if failed else str(error["message"])


def alert_html(language: Language, told: str) -> str:
    """A sentence that is read out at once; nothing for none."""
    return f"<p class=alert role=alert>{escape(language.say(told))}</p>" if told else ""


def place_of(refused: Decline) -> str:
    """The field that a refusal is about."""
    return _PLACES.get(refused.code, "number")


def card_fields_html(language: Language, typed: Mapping[str, str], wrong: Mapping[str, str]) -> str:
    """All fields; the first that is wrong has the focus."""
    first = next((name for name in FIELDS if name in wrong), None)
    fields = {name: _field(language, name, typed, wrong, focus=name == first) for name in FIELDS}
    return (
        f"{fields['number']}<div class=pair>{fields['expiry']}{fields['cvc']}</div>{fields['name']}"
    )


def _field(
    language: Language,
    name: str,
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
    *,
    focus: bool,
) -> str:
    label, autocomplete, keys, hint = _LABELS[name]
    error = language.say(wrong[name]) if name in wrong else ""
    marks = f' aria-invalid=true aria-describedby="{name}-wrong"' if error else ""
    told = f'<p class=wrong id="{name}-wrong">{escape(error)}</p>' if error else ""
    return (
        f'<div class=field><label for="{name}">{escape(language.say(label))}</label>'
        f'<input id="{name}" name="{name}" value="{escape(typed.get(name, ""))}" '
        f'autocomplete="{autocomplete}" inputmode="{keys}" '
        f'placeholder="{escape(language.say(hint))}" '
        f"maxlength=100{marks}{' autofocus' if focus else ''}>{told}</div>"
    )
