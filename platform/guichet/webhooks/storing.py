"""Many events stored with one commit: whoever arrives while one is written waits for the next.

A commit waits for the disk, and one for a hundred events waits as long as one for a single event.
An event that arrives alone is written at once, so nobody waits for company.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from guichet.db import Database
from guichet.errors import Unavailable

#: The largest group: it is one message to PostgreSQL, and one function call.
_MAX_EVENTS = 500
_MAX_BYTES = 8 * 1024 * 1024
#: What may wait for a slow database, before senders are told to come again.
_MAX_WAITING_BYTES = 64 * 1024 * 1024


class NotStored(Unavailable):
    """This cannot be taken in right now. Please send it again in a moment."""

    code = "not_stored"


class StoredEvent(NamedTuple):
    """A row of provider_events as it arrives."""

    tenant_id: UUID
    id: str
    type: str
    object_id: str | None
    created_at: datetime
    body: bytes


class EventStore:
    """Writes events in groups. `stored` is called with each group's tenants after its commit."""

    def __init__(self, db: Database, stored: Callable[[set[UUID]], None]) -> None:
        self._db = db
        self._stored = stored
        self._waiting: list[tuple[StoredEvent, asyncio.Future[None]]] = []
        self._waiting_bytes = 0
        self._writer: asyncio.Task[None] | None = None

    async def store(self, event: StoredEvent) -> None:
        """Return once the event is durable, be it new or known; raises `NotStored`."""
        if self._waiting_bytes > _MAX_WAITING_BYTES:
            raise NotStored
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((event, done))
        self._waiting_bytes += len(event.body)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        await done

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                await self._write(self._take())
        finally:
            self._writer = None
            for _, done in self._waiting:
                _fail(done)
            self._waiting.clear()
            self._waiting_bytes = 0

    def _take(self) -> list[tuple[StoredEvent, asyncio.Future[None]]]:
        count = size = 0
        for event, _ in self._waiting[:_MAX_EVENTS]:
            size += len(event.body)
            if count and size > _MAX_BYTES:
                break
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_bytes -= sum(len(event.body) for event, _ in group)
        return group

    async def _write(self, group: list[tuple[StoredEvent, asyncio.Future[None]]]) -> None:
        columns = list(zip(*(event for event, _ in group), strict=True))
        try:
            await self._db.read(
                "select store_provider_events($1, $2, $3, $4, $5, $6)",
                *map(list, columns),
            )
        except BaseException as error:
            for _, done in group:
                _fail(done)
            # Whatever the database says, the senders keep the events and come again.
            if not isinstance(error, Exception):
                raise
            return
        for _, done in group:
            if not done.done():
                done.set_result(None)
        self._stored(set(columns[0]))


def _fail(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_exception(NotStored())
