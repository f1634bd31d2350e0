"""What was never delivered: the provider's own list of events, read since the last time.

Each event of the list is stored as if it had been delivered; those that are there already stay as
they are. A tenant that was never read, or not for longer than the provider remembers its events,
whose import was cut off, or whose key was replaced since, is imported whole instead.

The list is read by the events' times, and those of a test clock's objects are the clock's. Where a
clock stands in the past, its events lie before what was read last and are not found here; nor is an
event that the list shows more than ten minutes late. `guichet books` finds what they left wrong.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import structlog

from guichet.billing.importing import RATE, Told, import_tenant
from guichet.billing.imports import Import, imported_objects
from guichet.db import Database, Unit
from guichet.payments.answers import ProviderEvent
from guichet.payments.errors import ProviderError
from guichet.payments.port import PaymentProvider

log = structlog.get_logger()

#: The job that reads one tenant's list, or its whole account.
RECONCILE_TENANT = "reconcile_tenant"
#: Read again each time: lists show an event late at times, and clocks differ.
OVERLAP = timedelta(minutes=10)
#: Stripe's list goes back 30 days (https://docs.stripe.com/api/events).
REMEMBERED = timedelta(days=29)
#: Fewer events are never too many. Beyond, they are where they outnumber what the last import read:
#: then it costs less to import everything.
FEW_EVENTS = 10_000
_BATCH = 100


class Reconciled(NamedTuple):
    """What was done: events read from the list, or a whole import."""

    events: int
    imported: Import | None


class _Turn(NamedTuple):
    read_until: datetime
    started_at: datetime


async def reconcile(
    db: Database,
    provider: PaymentProvider,
    tenant_id: UUID,
    *,
    every: timedelta = timedelta(0),
    full: bool = False,
    few_events: int = FEW_EVENTS,
    rate: float = RATE,
    imports: asyncio.Semaphore | None = None,
    told: Told = lambda _: None,
) -> Reconciled | None:
    """Store what the provider's list has and we have not; answers None when it is not yet time.

    It is time when the last reconciliation began `every` ago or earlier; of several callers one
    gets the turn. `full` imports whatever the list would say, and so does a list of more than
    `few_events` that is longer than the last import's. Of an import, `rate` bounds the requests a
    second, and `told` hears how far it is; it holds one of `imports`, and while none is free the
    answer is None too. Raises `ImportAtWork` where one is needed and somebody is at it, or a
    `ProviderError`, which is noted on the row.
    """
    turn = await _take_turn(db, tenant_id, every)
    if turn is None:
        return None
    try:
        done = None if full else await _read_events(db, provider, tenant_id, turn, few_events)
        if done is None:
            if imports and imports.locked():
                return None
            async with imports or contextlib.nullcontext():
                work = await import_tenant(db, provider, tenant_id, rate=rate, told=told)
            done = Reconciled(0, work)
    except ProviderError as error:
        await _note_failure(db, tenant_id, error.code)
        raise
    # An import may have been begun long ago, and what happened since then was not read.
    began_at = done.imported.started_at if done.imported else turn.started_at
    await _note_success(db, tenant_id, began_at)
    return done


async def _read_events(
    db: Database, provider: PaymentProvider, tenant_id: UUID, turn: _Turn, few_events: int
) -> Reconciled | None:
    """Store the events since the last time; None where everything has to be imported instead."""
    imported = await imported_objects(db, tenant_id)
    if imported is None or turn.read_until < turn.started_at - REMEMBERED:
        return None
    count = 0
    async for batch in _batches(provider.list_events(turn.read_until - OVERLAP)):
        await _store(db, tenant_id, batch)
        count += len(batch)
        if count > max(few_events, imported):
            log.info("too_many_events_missed", tenant=str(tenant_id), count=count)
            return None
    return Reconciled(count, None)


async def _batches(events: AsyncIterator[ProviderEvent]) -> AsyncIterator[list[ProviderEvent]]:
    batch: list[ProviderEvent] = []
    async for event in events:
        batch.append(event)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _store(db: Database, tenant_id: UUID, events: list[ProviderEvent]) -> None:
    await db.read(
        "select store_provider_events($1, $2, $3, $4, $5, $6)",
        [tenant_id] * len(events),
        [event.id for event in events],
        [event.type for event in events],
        [event.object_id for event in events],
        [event.created_at for event in events],
        [event.body for event in events],
    )


async def _take_turn(db: Database, tenant_id: UUID, every: timedelta) -> _Turn | None:
    async with db.unit(tenant_id) as unit:
        row = await unit.fetchrow(
            """
            insert into reconciliations as held (tenant_id, read_until, checked_at)
            values ($1, 'epoch', now())
            on conflict (tenant_id) do update
            set checked_at = now()
            where held.tenant_id = $1
            and held.checked_at <= now() - $2::interval
            returning read_until, checked_at
            """,
            tenant_id,
            every,
        )
    return _Turn(row["read_until"], row["checked_at"]) if row else None


async def _note_success(db: Database, tenant_id: UUID, read_until: datetime) -> None:
    async with db.unit(tenant_id) as unit:
        await unit.execute(
            """
            update reconciliations
            set
              read_until = greatest(read_until, $2),
              failure = null
            where tenant_id = $1
            """,
            tenant_id,
            read_until,
        )


async def _note_failure(db: Database, tenant_id: UUID, code: str) -> None:
    async with db.unit(tenant_id) as unit:
        await unit.execute(
            """
            update reconciliations
            set failure = $2
            where tenant_id = $1
            """,
            tenant_id,
            code,
        )


async def hurry_reconciliation(unit: Unit) -> None:
    """Have the unit's tenant be read at the next knock, however long ago it was read last."""
    await unit.execute(
        """
        update reconciliations
        set checked_at = 'epoch'
        where tenant_id = $1
        """,
        unit.tenant_id,
    )
