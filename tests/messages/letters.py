"""Every kind of mail in each of its situations, written by the code that sends them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from guichet.demo import merchants
from guichet.messages.facts import MailFacts, read_facts
from guichet.messages.kinds import KINDS, Kind
from guichet.messages.looks import MailBrand, make_look
from guichet.messages.wording import Letter, Links, write_letter
from guichet.theming.pages import Pages
from tenants.configuration import Configuration

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
LINKS = Links(
    action="https://lumen.guichet.example/fix/" + 64 * "f",
    preferences="https://lumen.guichet.example/preferences",
    unsubscribe="https://lumen.guichet.example/unsubscribe/" + 64 * "u",
)


def _later(days: int) -> str:
    return (NOW + timedelta(days=days)).isoformat()


_PAYMENT: dict[str, Any] = {
    "invoice_id": "in_1",
    "invoice_number": "LUM-2026-1201",
    "amount": {"amount": 2900, "currency": "usd"},
    "plan": "Team",
    "last4": "4242",
    "brand": "visa",
    "subscription_id": "sub_1",
}
#: By kind and situation.
_FULL: dict[str, tuple[Kind, dict[str, Any]]] = {
    "payment_failed": (
        "payment_failed",
        _PAYMENT | {"reason": "insufficient_funds", "next_attempt_at": _later(3)},
    ),
    "payment_failed-last": ("payment_failed", _PAYMENT | {"reason": "insufficient_funds"}),
    "action_needed-authenticate": (
        "action_needed",
        _PAYMENT | {"asks_for": "authenticate", "ends_at": _later(9)},
    ),
    "action_needed-new_card": ("action_needed", _PAYMENT | {"asks_for": "new_card"}),
    "card_expiring": ("card_expiring", _PAYMENT | {"exp_month": 12, "exp_year": 2026}),
    "recovered": ("recovered", _PAYMENT),
    "given_up-ended": (
        "given_up",
        _PAYMENT | {"subscription_ended": True, "can_be_paid": False},
    ),
    "given_up-open": ("given_up", _PAYMENT | {"ends_at": _later(7)}),
    "renewal_coming": ("renewal_coming", _PAYMENT | {"renews_at": _later(7)}),
    "trial_ending": ("trial_ending", _PAYMENT | {"ends_at": _later(3)}),
    "receipt": ("receipt", _PAYMENT | {"at": _later(0)}),
    "plan_changed-now": (
        "plan_changed",
        _PAYMENT | {"plan": "Scale", "previous_plan": "Team", "at": _later(0)},
    ),
    "plan_changed-planned": (
        "plan_changed",
        _PAYMENT | {"plan": "Scale", "previous_plan": "Team", "at": _later(21)},
    ),
    "cancelled-planned": ("cancelled", _PAYMENT | {"ends_at": _later(21)}),
    "cancelled-over": ("cancelled", _PAYMENT | {"ends_at": _later(0)}),
}
#: What every kind has to read well with.
_BARE: dict[str, tuple[Kind, dict[str, Any]]] = {f"{kind}-bare": (kind, {}) for kind in KINDS}
SITUATIONS = _FULL | _BARE


def demo_brand(pages: Pages, theme: str = "plain", **changes: Any) -> MailBrand:
    """The brand of the demo's merchant with that theme."""
    merchant = next(it for it in merchants.ALL if it.branding.theme == theme)
    usual = MailBrand(
        name=merchant.name,
        theme=theme,
        look=make_look(pages, merchant.branding),
        logo="",
        logo_dark="",
        support_email=merchant.support_email,
        links=merchant.branding.links,
        configuration=Configuration(),
    )
    return msgspec.structs.replace(usual, **changes)


def facts_of(given: dict[str, Any]) -> MailFacts:
    return read_facts(msgspec.json.encode(given).decode())


def letter(
    pages: Pages, situation: str, locale: str = "en", brand: MailBrand | None = None, **changes: Any
) -> Letter:
    """A mail of that situation with some of its facts changed."""
    kind, facts = SITUATIONS[situation]
    links = LINKS if not KINDS[kind].required else msgspec.structs.replace(LINKS, unsubscribe="")
    return write_letter(
        pages, brand or demo_brand(pages), locale, kind, facts_of(facts | changes), NOW, links
    )
