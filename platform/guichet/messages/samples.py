"""Mails of a draft, written with sample facts: to look at, and to send to oneself."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from guichet.billing.catalog import Price
from guichet.messages.facts import MailFacts, one_line
from guichet.messages.kinds import KINDS, Kind
from guichet.messages.looks import MailBrand
from guichet.messages.wording import Letter, Links, write_letter
from guichet.money import Money
from guichet.theming.pages import Pages
from tenants.branding import Link
from tenants.configuration import Configuration


class SamplePlan(msgspec.Struct, frozen=True):
    """What the customer who does not exist pays for."""

    plan: str
    previous_plan: str
    amount: Money


def sample_plan(configuration: Configuration, prices: Mapping[str, Price]) -> SamplePlan:
    """The merchant's first plan, changed to from the last one; ours where there are none to show.

    `prices` are the merchant's, by id.
    """
    listed = [prices[it.price_id] for it in configuration.plans if it.price_id in prices]
    if not listed:
        return SamplePlan("Team", "Basic", Money(2900, "eur"))
    first, last = listed[0], listed[-1]
    return SamplePlan(first.product, last.product, first.amount or Money(2900, first.currency))


def sample_facts(kind: Kind, of: SamplePlan, now: datetime) -> MailFacts:
    """The facts of a usual mail of this kind: a card that has too little on it, a change now."""
    usual = MailFacts(
        invoice_id="in_0",
        invoice_number="INV-2026-0042",
        subscription_id="sub_1",
        amount=of.amount,
        plan=one_line(of.plan),
        last4="4242",
        brand="visa",
    )
    return msgspec.structs.replace(usual, **_particulars(kind, of, now))


def _particulars(kind: Kind, of: SamplePlan, now: datetime) -> dict[str, object]:
    """What mails of a kind tell besides."""
    soon, later = now + timedelta(days=3), now + timedelta(days=21)
    told: dict[Kind, dict[str, object]] = {
        "payment_failed": {"reason": "insufficient_funds", "next_attempt_at": soon},
        "action_needed": {"asks_for": "authenticate", "ends_at": later},
        "card_expiring": {"exp_month": now.month, "exp_year": now.year},
        "given_up": {"ends_at": later},
        "renewal_coming": {"renews_at": now + timedelta(days=7)},
        "trial_ending": {"ends_at": soon},
        "receipt": {"at": now},
        "plan_changed": {"previous_plan": one_line(of.previous_plan), "at": now},
        "cancelled": {"ends_at": later},
    }
    return told.get(kind, {})


def without_links(brand: MailBrand) -> MailBrand:
    """The brand for a mail that is looked at, where no link leads anywhere."""
    return msgspec.structs.replace(brand, links=tuple(Link(it.label, "#") for it in brand.links))


def write_sample(
    pages: Pages,
    brand: MailBrand,
    locale: str,
    kind: Kind,
    of: SamplePlan,
    address: str,
) -> Letter:
    """The mail as a customer would get it now; all of its own links lead to `address`."""
    now = datetime.now(UTC)
    features = brand.configuration.features
    links = Links(
        action=address,
        preferences=address if features.preferences else "",
        unsubscribe="" if KINDS[kind].required else address,
    )
    return write_letter(pages, brand, locale, kind, sample_facts(kind, of, now), now, links)
