"""Rows as jobs: each is under one lease at a time, oldest first, and nobody waits for a lock."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from guichet.db import Database
from guichet.webhooks.claiming import BATCH, Failure, claim, put_off, stamp_handled
from guichet.webhooks.storing import EventStore, StoredEvent

_AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def tenant() -> UUID:
    return uuid4()


async def _store(db: Database, tenant: UUID, count: int, start: int = 0) -> None:
    store = EventStore(db, lambda _: None)
    for number in range(start, start + count):
        identifier = f"evt_{number:05}"
        await store.store(StoredEvent(tenant, identifier, "a.b", None, _AT, b"{}"))


async def _claimed(db: Database, tenant: UUID) -> list[str]:
    return sorted(event.id for event in (await claim(db, tenant)).events)


async def test_a_claimed_row_is_nobody_else_s_until_its_lease_is_over(
    db: Database, tenant: UUID
) -> None:
    await _store(db, tenant, 3)
    assert len(await _claimed(db, tenant)) == 3
    assert await _claimed(db, tenant) == []
    async with db.unit(tenant) as unit:
        await unit.execute(
            "update provider_events set claimed_until = now() where tenant_id = $1", tenant
        )
    batch = await claim(db, tenant)
    assert [event.tries for event in batch.events] == [2, 2, 2]


async def test_workers_at_the_same_time_claim_different_rows(db: Database, tenant: UUID) -> None:
    await _store(db, tenant, 3 * BATCH)
    batches = await asyncio.gather(*(_claimed(db, tenant) for _ in range(4)))
    claimed = [identifier for batch in batches for identifier in batch]
    assert len(claimed) == len(set(claimed)) == 3 * BATCH


async def test_the_oldest_are_claimed_first(db: Database, tenant: UUID) -> None:
    await _store(db, tenant, BATCH, start=100)
    await _store(db, tenant, BATCH)
    assert (await _claimed(db, tenant))[0] == "evt_00100"


async def test_each_batch_has_a_number_drawn_after_its_rows_were_claimed(
    db: Database, tenant: UUID
) -> None:
    await _store(db, tenant, 1)
    first = await claim(db, tenant)
    await _store(db, tenant, 1, start=1)
    assert (await claim(db, tenant)).copy_no > first.copy_no


async def test_what_was_put_off_is_not_claimed_before_its_time(db: Database, tenant: UUID) -> None:
    await _store(db, tenant, 2)
    await claim(db, tenant)
    async with db.unit(tenant) as unit:
        await put_off(
            unit,
            {
                "evt_00000": Failure("later", timedelta(hours=1)),
                "evt_00001": Failure("now", timedelta(seconds=-1)),
            },
        )
    assert await _claimed(db, tenant) == ["evt_00001"]


async def test_what_was_handled_stays_so(db: Database, tenant: UUID) -> None:
    await _store(db, tenant, 1)
    await claim(db, tenant)
    async with db.unit(tenant) as unit:
        await stamp_handled(unit, ["evt_00000"])
        await put_off(unit, {"evt_00000": Failure("late", timedelta(0))})
    assert await _claimed(db, tenant) == []
    async with db.unit(tenant) as unit:
        row = await unit.fetchrow(
            "select handled_at, failure from provider_events where tenant_id = $1", tenant
        )
    assert row is not None
    assert row["handled_at"] is not None
    assert row["failure"] is None


async def test_one_tenant_s_claim_takes_nothing_of_another_s(db: Database, tenant: UUID) -> None:
    await _store(db, tenant, 2)
    assert await _claimed(db, uuid4()) == []
