"""The mirror beside the provider, every object and every field, and what explains a difference."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx
import msgspec

from guichet.billing.fetching import fetch_all
from guichet.billing.mirror import Reference
from guichet.payments.copies import (
    Copy,
    CustomerCopy,
    InvoiceCopy,
    PaymentMethodCopy,
    PriceCopy,
    ProductCopy,
)
from guichet.webhooks.references import reference_of
from tests.mirrors import held, mirrored
from tests.soak.account import Account

_FETCH_SECONDS = 120.0


class Difference(NamedTuple):
    """One object that the mirror holds otherwise than the provider; None where one has none."""

    reference: Reference
    ours: dict[str, Any] | None
    theirs: dict[str, Any] | None


class Compared(NamedTuple):
    """How many objects were looked at on both sides, and what is not the same."""

    objects: int
    differences: list[Difference]
    #: Payment methods that went with a deleted customer, of which no event tells.
    excused: set[Reference]


class Missed(NamedTuple):
    """An event that never arrived: when it happened, and what it was about."""

    at: datetime
    reference: Reference | None


async def compare(account: Account) -> Compared:
    """Everything that either side has; what lists leave out is fetched by its id."""
    theirs: dict[Reference, Copy] = await held(account.port)
    ours = await mirrored(account.db, account.tenant_id)
    unlisted = ours.keys() - theirs.keys()
    fetched = await fetch_all(account.port, unlisted, _FETCH_SECONDS)
    assert not fetched.errors, fetched.errors
    present = {each: copy for each, copy in fetched.copies.items() if copy is not None}
    everything = ours.keys() | theirs.keys()
    theirs |= present
    differences = [
        Difference(each, _plain(ours.get(each)), _plain(theirs.get(each)))
        for each in sorted(everything)
        if not _is_same(ours.get(each), theirs.get(each), theirs)
    ]
    excused = {each for each in everything if _is_excused(ours.get(each), theirs.get(each), theirs)}
    return Compared(len(everything), differences, excused)


def _is_same(ours: Copy | None, theirs: Copy | None, others: dict[Reference, Copy]) -> bool:
    if ours is not None and theirs is None:
        return _is_gone(ours)
    if ours is None and isinstance(theirs, CustomerCopy):
        return theirs.deleted
    return ours == theirs or _is_excused(ours, theirs, others)


def _is_excused(ours: Copy | None, theirs: Copy | None, others: dict[Reference, Copy]) -> bool:
    """Whether its customer was deleted: of the payment methods they had, no event tells."""
    if not isinstance(ours, PaymentMethodCopy) or ours == theirs:
        return False
    owner = others.get(Reference("customer", ours.customer_id or ""))
    return isinstance(owner, CustomerCopy) and owner.deleted


def _is_gone(ours: Copy) -> bool:
    match ours:
        case CustomerCopy():
            return ours.deleted
        case PaymentMethodCopy():
            return ours.customer_id is None
        case PriceCopy() | ProductCopy():
            return not ours.active
        case InvoiceCopy():
            return ours.status == "void"
        case _:
            return False


def _plain(copy: Copy | None) -> dict[str, Any] | None:
    return None if copy is None else msgspec.to_builtins(copy)


def fields(difference: Difference) -> dict[str, tuple[Any, Any]]:
    """What differs: ours and theirs by field."""
    ours, theirs = difference.ours or {}, difference.theirs or {}
    names = ours.keys() | theirs.keys()
    return {
        name: (ours.get(name), theirs.get(name))
        for name in sorted(names)
        if ours.get(name) != theirs.get(name)
    }


#: What a discount shows of its coupon, beside which it is.
_TERMS = ("name", "percent_off", "amount_off", "currency")


def is_of_coupon(difference: Difference) -> bool:
    """Whether only the terms of a coupon differ that a subscription shows.

    Of a coupon that is renamed or deleted an event tells, and none of who has it.
    """
    differing = fields(difference)
    if list(differing) != ["discounts"] or None in (difference.ours, difference.theirs):
        return False
    ours, theirs = (
        [{name: value for name, value in each.items() if name not in _TERMS} for each in side]
        for side in differing["discounts"]
    )
    return ours == theirs


async def everything(account: Account, kind: str) -> list[dict[str, Any]]:
    """All `charges` or `events` that the sandbox has, as its control page tells them."""
    async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
        answer = await client.get(
            f"{account.shop.url}/_control/{kind}",
            headers={"authorization": f"Bearer {account.shop.key}"},
        )
    found: list[dict[str, Any]] = answer.raise_for_status().json()
    return found


async def stored_events(account: Account) -> set[str]:
    async with account.db.unit(account.tenant_id) as unit:
        rows = await unit.fetch(
            "select id from provider_events where tenant_id = $1", account.tenant_id
        )
    return {row["id"] for row in rows}


def missed(events: list[dict[str, Any]], stored: set[str], since: set[str]) -> list[Missed]:
    """What happened after the beginning and was never stored."""
    return [
        Missed(
            datetime.fromtimestamp(event["created"], UTC), reference_of(msgspec.json.encode(event))
        )
        for event in events
        if event["id"] not in stored and event["id"] not in since
    ]
