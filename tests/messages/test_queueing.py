"""A mail is queued once with what it tells of, or kept as suppressed with the reason."""

import asyncio
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from guichet.db import Database
from guichet.messages.preferences import set_preference
from guichet.messages.queueing import queue_message
from tests.messages.customers import ADA, NOW, add_customer, message, messages, queue


async def test_a_mail_is_queued_with_its_address_and_facts(db: Database, tenant: UUID) -> None:
    await add_customer(db, tenant)
    queued = await message(db, tenant, await queue(db, tenant, plan="Team"))
    assert (queued.state, queued.recipient) == ("queued", "ada@example.com")
    assert (queued.facts, queued.at, queued.tries) == ({"plan": "Team"}, NOW, 0)


async def test_the_same_thing_is_told_once(db: Database, tenant: UUID) -> None:
    await add_customer(db, tenant)
    assert await queue(db, tenant, key="receipt:in_1")
    assert await queue(db, tenant, key="receipt:in_1") is None
    assert len(await messages(db, tenant)) == 1


async def test_a_unit_that_rolls_back_takes_its_mail_with_it(db: Database, tenant: UUID) -> None:
    await add_customer(db, tenant)
    try:
        async with db.unit(tenant) as unit:
            await queue_message(unit, "receipt", ADA, "receipt:in_1", {}, NOW)
            raise KeyError
    except KeyError:
        pass
    assert await messages(db, tenant) == []


async def test_a_customer_without_an_address_is_not_written_to(db: Database, tenant: UUID) -> None:
    await add_customer(db, tenant, "cus_mute", None)
    await add_customer(db, tenant, "cus_empty", "")
    for customer in ("cus_mute", "cus_empty", "cus_unknown"):
        id_ = await queue(db, tenant, key=customer, customer=customer)
        held = await message(db, tenant, id_)
        assert (held.state, held.reason) == ("suppressed", "no_address")


async def test_what_the_merchant_has_switched_off_is_not_sent(db: Database, tenant: UUID) -> None:
    await add_customer(db, tenant)
    held = await message(db, tenant, await queue(db, tenant, is_wanted=False))
    assert (held.state, held.reason) == ("suppressed", "switched_off")


async def test_a_customer_who_does_not_want_a_kind_gets_the_required_ones(
    db: Database, tenant: UUID
) -> None:
    await add_customer(db, tenant)
    async with db.unit(tenant) as unit:
        await set_preference(unit, ADA, "receipt", False, "portal")
    receipt = await message(db, tenant, await queue(db, tenant, "receipt", "receipt:in_1"))
    failed = await message(db, tenant, await queue(db, tenant, "payment_failed", "failed:in_1"))
    assert (receipt.state, receipt.reason) == ("suppressed", "unsubscribed")
    assert failed.state == "queued"


@pytest.mark.parametrize(
    ("zone", "told", "untold"),
    [
        # A daily try that comes a few minutes earlier each day.
        ("UTC", ["11-24T09:00", "11-25T08:50", "11-26T08:40"], ["11-24T23:59", "11-26T23:59"]),
        ("Europe/Paris", ["11-24T22:59", "11-24T23:00"], ["11-25T00:00", "11-25T22:59"]),
        # A day of 23 hours, and one of 25.
        ("Europe/Paris", ["03-28T23:00", "03-29T22:00"], ["03-29T21:59"]),
        ("Europe/Paris", ["10-24T22:00", "10-25T23:00"], ["10-25T21:59", "10-25T22:59"]),
        # Where clocks skip midnight, and where they show it twice.
        ("America/Santiago", ["09-06T03:59", "09-06T04:00", "09-07T03:00"], ["09-07T02:59"]),
        ("America/Havana", ["11-01T03:59", "11-01T04:00", "11-02T05:00"], ["11-01T05:00"]),
    ],
)
async def test_a_failed_payment_is_told_of_once_on_each_of_a_customer_s_days(
    db: Database, tenant: UUID, zone: str, told: list[str], untold: list[str]
) -> None:
    await add_customer(db, tenant)
    for at in sorted([*told, *untold]):
        moment = datetime.fromisoformat(f"2026-{at}Z")
        await queue(db, tenant, "payment_failed", at, at=moment, zone=ZoneInfo(zone))
    held = await messages(db, tenant)
    assert [f"{it.at:%m-%dT%H:%M}" for it in held if it.state == "queued"] == told
    assert {it.reason for it in held if it.state == "suppressed"} == {"one_a_day"}
    assert len(held) == len(told) + len(untold)


async def test_a_failed_payment_of_somebody_else_is_another(db: Database, tenant: UUID) -> None:
    await add_customer(db, tenant)
    await add_customer(db, tenant, "cus_bob", "bob@example.com")
    for customer in (ADA, "cus_bob"):
        held = await queue(db, tenant, "payment_failed", f"f:{customer}", customer=customer)
        assert (await message(db, tenant, held)).state == "queued"


async def test_two_units_at_once_tell_of_one_failed_payment(db: Database, tenant: UUID) -> None:
    await add_customer(db, tenant)
    together = asyncio.Barrier(2)

    async def fail(invoice: str) -> None:
        async with db.unit(tenant) as unit:
            await unit.fetchval("select 1")
            await together.wait()
            await queue_message(unit, "payment_failed", ADA, f"f:{invoice}", {}, NOW)
            # Both would be past their look at the other's row by now.
            await asyncio.sleep(0.2)

    await asyncio.gather(fail("in_1"), fail("in_2"))
    assert sorted(it.state for it in await messages(db, tenant)) == ["queued", "suppressed"]
