"""Events of many tenants in one group: each is written in its own tenant's scope."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from guichet.db import Database
from guichet.webhooks.storing import EventStore, NotStored, StoredEvent

_AT = datetime(2026, 3, 1, tzinfo=UTC)


def _event(tenant: UUID, number: int, body: bytes = b"{}") -> StoredEvent:
    return StoredEvent(tenant, f"evt_{number:05}", "product.updated", None, _AT, body)


async def _count(db: Database, tenant: UUID) -> int:
    async with db.unit(tenant) as unit:
        count = await unit.fetchval(
            "select count(*) from provider_events where tenant_id = $1", tenant
        )
    return int(count)


async def test_whoever_arrives_during_a_write_shares_the_next_one(db: Database) -> None:
    groups: list[set[UUID]] = []
    store = EventStore(db, groups.append)
    tenants = [uuid4() for _ in range(5)]
    events = [_event(tenant, number) for number in range(40) for tenant in tenants]
    first = asyncio.create_task(store.store(events[0]))
    # The writer has the first event by now and waits for the database.
    for _ in range(3):
        await asyncio.sleep(0)
    await asyncio.gather(first, *(store.store(event) for event in events[1:]))
    assert [await _count(db, tenant) for tenant in tenants] == [40] * 5
    assert len(groups) == 2
    assert groups[1] == set(tenants)


async def test_a_group_is_bounded_in_bytes(db: Database) -> None:
    groups: list[set[UUID]] = []
    store = EventStore(db, groups.append)
    tenant = uuid4()
    large = b"x" * (3 * 1024 * 1024)
    await asyncio.gather(*(store.store(_event(tenant, number, large)) for number in range(7)))
    assert await _count(db, tenant) == 7
    assert len(groups) > 2


async def test_the_scope_ends_with_the_group(db: Database) -> None:
    tenant = uuid4()
    await EventStore(db, lambda _: None).store(_event(tenant, 1))
    async with db.pool.acquire() as connection:
        assert await connection.fetch("select id from provider_events") == []


async def test_the_function_itself_cannot_write_around_row_level_security(
    db: Database,
) -> None:
    one, two = uuid4(), uuid4()
    await db.read(
        "select store_provider_events($1, $2, $3, $4, $5, $6)",
        [one, two],
        ["evt_1", "evt_1"],
        ["a", "b"],
        [None, None],
        [_AT, _AT],
        [b"{}", b"{}"],
    )
    for tenant, kind in ((one, "a"), (two, "b")):
        async with db.unit(tenant) as unit:
            rows = await unit.fetch("select tenant_id, type from provider_events")
        assert [(row["tenant_id"], row["type"]) for row in rows] == [(tenant, kind)]


async def test_two_processes_with_the_same_events_do_not_deadlock(db: Database) -> None:
    tenants = [uuid4() for _ in range(3)]
    events = [_event(tenant, number) for tenant in tenants for number in range(100)]
    stores = [EventStore(db, lambda _: None) for _ in range(3)]
    orders = [events, events[::-1], sorted(events, key=lambda event: event.id)]
    await asyncio.gather(
        *(
            store.store(event)
            for store, order in zip(stores, orders, strict=True)
            for event in order
        )
    )
    assert [await _count(db, tenant) for tenant in tenants] == [100] * 3


async def test_a_sender_that_hangs_up_takes_nobody_with_it(db: Database) -> None:
    store = EventStore(db, lambda _: None)
    tenant = uuid4()
    tasks = [asyncio.create_task(store.store(_event(tenant, number))) for number in range(20)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[5].cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(end, asyncio.CancelledError) for end in ended) == 2
    assert sum(end is None for end in ended) == 18
    assert await _count(db, tenant) == 20


async def test_a_failure_is_told_to_everybody_in_the_group_and_ends_with_it(db: Database) -> None:
    store = EventStore(db, lambda _: None)
    tenant = uuid4()
    await store.store(_event(tenant, 1))
    bad = store.store(_event(tenant, 2)._replace(type="with a \x00"))
    ended = await asyncio.gather(bad, store.store(_event(tenant, 3)), return_exceptions=True)
    assert all(isinstance(end, NotStored) for end in ended)
    await store.store(_event(tenant, 3))
    assert await _count(db, tenant) == 2


async def test_nobody_may_read_another_tenant_s_events(db: Database) -> None:
    await EventStore(db, lambda _: None).store(_event(uuid4(), 1))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.system() as connection:
            await connection.fetch("select body from provider_events")
