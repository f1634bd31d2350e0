"""Events that wait for a worker, and what the worker uses while it applies them."""

import asyncio
import contextlib
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

import asyncpg
import msgspec

from benchmarks.machine import SUPERUSER, Cost, Server, query
from benchmarks.seed import Seeded
from guichet.outbox import open_outbox
from guichet.webhooks.intake import HANDLE_EVENTS

# Quoted, because asyncpg's classes take type arguments from its stubs only.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_LIMIT_SECONDS = 90
_POLL_SECONDS = 0.01
_SLOW_POLL_SECONDS = 0.25
#: Of a processor, what a worker uses that looks for work and has none.
_IDLE_SHARE = 0.15
_COLUMNS = ("tenant_id", "id", "type", "object_id", "created_at", "body")
_numbers = itertools.count()
_ANY_WAITS = "select exists (select from provider_events where handled_at is null)"
_HOW_MANY_WAIT = "select count(*) as waiting from provider_events where handled_at is null"
_RUN = secrets.token_hex(4)
#: Of each kind of object in turn; the number of a customer, or twice that of its first invoice.
_KINDS = (
    ("in", 2, "invoice", "invoice.paid"),
    ("ch", 2, "charge", "charge.succeeded"),
    ("sub", 1, "subscription", "customer.subscription.updated"),
    ("cus", 1, "customer", "customer.updated"),
    ("pm", 1, "payment_method", "payment_method.attached"),
)


class NotApplied(Exception):
    """Events were put off, or not applied in time."""


class Applied(msgspec.Struct, frozen=True):
    """What a number of events took."""

    count: int
    seconds: float
    cost: Cost

    @property
    def per_second(self) -> float:
        return self.count / self.seconds

    @property
    def program_us(self) -> float:
        """Processor time of the program for one event, in microseconds."""
        return 1e6 * self.cost.program / self.count

    @property
    def postgres_us(self) -> float:
        """Processor time of its PostgreSQL backends for one event, in microseconds."""
        return 1e6 * self.cost.postgres / self.count

    @property
    def us(self) -> float:
        return self.program_us + self.postgres_us


class Place(msgspec.Struct, frozen=True):
    """A worker, the queue that it listens to, and tenants with so many customers each."""

    worker: Server
    queue: str
    tenants: list[Seeded]
    customers: int


class Event(NamedTuple):
    """A row that waits."""

    id: str
    type: str
    object_id: str
    body: bytes


def events(customers: int, count: int, repeats: int) -> Iterator[Event]:
    """Events about the belongings of customers drawn evenly, each object `repeats` times in turn.

    A body is as long as those of `benchmarks.events`: 2 kB.
    """
    objects = -(-count // repeats)
    step = max(1, customers // objects)
    made = 0
    for number in range(objects):
        prefix, each, kind, of_type = _KINDS[number % len(_KINDS)]
        object_id = f"{prefix}_{(number * step % customers) * each}"
        for _ in range(min(repeats, count - made)):
            made += 1
            yield _event(of_type, kind, object_id)


def untouching() -> Event:
    """An event about nothing that the mirror holds."""
    return _event("plan.created", "plan", "plan_0")


def _event(of_type: str, kind: str, object_id: str) -> Event:
    number = f"evt_{_RUN}{next(_numbers):016d}"
    subject = {"id": object_id, "object": kind, "description": "-" * 1700}
    body = {"id": number, "object": "event", "type": of_type, "data": {"object": subject}}
    return Event(number, of_type, object_id, msgspec.json.encode(body))


async def put(
    connection: Connection, table: str, tenants: Iterable[Seeded], rows: Sequence[Event]
) -> None:
    """Have the same events wait for each of the tenants."""
    now = datetime.now(UTC)
    records = [
        (tenant.id, row.id, row.type, row.object_id, now, row.body)
        for tenant in tenants
        for row in rows
    ]
    await connection.copy_records_to_table(table, columns=_COLUMNS, records=records)


def put_waiting(server: Server, table: str, tenants: Iterable[Seeded], rows: list[Event]) -> None:
    """As `put`, on a connection of its own."""

    async def copy() -> None:
        async with connected(server) as connection:
            await put(connection, table, tenants, rows)

    asyncio.run(copy())


def apply_events(place: Place, count: int, repeats: int = 1) -> Applied:
    """Let so many events wait for each tenant, knock, and see what applying them takes."""
    rows = list(events(place.customers, count, repeats))
    put_waiting(place.worker, "provider_events", place.tenants, rows)
    seconds, cost = place.worker.cost_of(lambda: asyncio.run(_knock_and_wait(place)))
    return Applied(len(place.tenants) * len(rows), seconds, cost)


def apply_some(place: Place, each: int, count: int) -> Applied:
    """Let so many events wait for each tenant and take what applying some of them costs.

    The worker is in full swing when it begins to be looked at, and is not let come to an end: what
    is left is thrown away.
    """
    rows = list(events(place.customers, each, 1))
    put_waiting(place.worker, "provider_events", place.tenants, rows)
    asyncio.run(_knock(place))
    left = _apply_until(place, len(place.tenants) * each - count // 4)
    started = time.perf_counter()
    still, cost = place.worker.cost_of(lambda: _apply_until(place, max(0, left - count)))
    seconds = time.perf_counter() - started
    query(place.worker.postgres, place.worker.database, "truncate provider_events")
    _wait_for_rest(place.worker)
    return Applied(left - still, seconds, cost)


def _apply_until(place: Place, most: int) -> int:
    """Wait until no more than so many events wait; how many do."""
    deadline = time.perf_counter() + _LIMIT_SECONDS
    while (left := _waiting(place.worker)) > most:
        if time.perf_counter() > deadline:
            raise NotApplied
        time.sleep(_SLOW_POLL_SECONDS)
    return left


def _waiting(server: Server) -> int:
    rows = query(server.postgres, server.database, _HOW_MANY_WAIT)
    found: int = rows[0]["waiting"]
    return found


def _wait_for_rest(server: Server) -> None:
    """Wait until a worker has let go of what it had in hand."""
    used = _SLOW_POLL_SECONDS
    while used > _IDLE_SHARE * _SLOW_POLL_SECONDS:
        before = server.cost(()).program
        time.sleep(_SLOW_POLL_SECONDS)
        used = server.cost(()).program - before


async def _knock(place: Place) -> None:
    async with open_outbox(place.queue) as outbox:
        for tenant in place.tenants:
            await outbox.knock(HANDLE_EVENTS, str(tenant.id))


async def _knock_and_wait(place: Place) -> float:
    async with connected(place.worker) as connection:
        started = time.perf_counter()
        await _knock(place)
        deadline = started + _LIMIT_SECONDS
        while await connection.fetchval(_ANY_WAITS):
            if time.perf_counter() > deadline:
                raise NotApplied
            await asyncio.sleep(_POLL_SECONDS)
        return time.perf_counter() - started


@contextlib.asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Connection]:
    """A connection of the superuser to a program's database."""
    connection = await asyncpg.connect(server.postgres.url(SUPERUSER, server.database))
    try:
        yield connection
    finally:
        await connection.close()
