"""The floor of applying events: claim, fetch and write in batches, and nothing in between.

`GET /apply` works off what waits in `raw_waiting`, a table with the columns and indexes of
`provider_events`, but without row-level security. For each batch of 50 it does three things:

1. claims the oldest rows with one statement, `for update skip locked`, under a lease;
2. fetches each object that the batch names once, eight at a time, over the finished program's HTTP
   client (httpx), from the same provider with the same key and the same address, and throws the
   answer away;
3. writes one row for each object into `raw_objects` and stamps the batch, in one statement.

Nothing is decoded, no answer is looked at, no provider's client, limit, breaker or retry stands
before the connection, no vault is opened, no neighbours are looked for, a copy that is older is not
told from a newer one, an object has no parts, and nothing is logged or counted.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterable
from uuid import UUID

import httpx
import msgspec
from litestar.types import Receive, Scope, Send

from benchmarks.floors.serving import Answer, Pool, answer, open_pool, serve_floor
from benchmarks.stand_in.account import path_of

_BATCH = 50
_AT_ONCE = 8


class Given(msgspec.Struct, frozen=True):
    """The one tenant of the floor, and its provider."""

    tenant_id: UUID
    key: str
    url: str


@contextlib.asynccontextmanager
async def open_applying() -> AsyncIterator[Answer]:
    """The program with its pools of connections open."""
    given = msgspec.json.decode(os.environ["FLOOR_GIVEN"], type=Given)
    headers = {"Authorization": f"Bearer {given.key}"}
    async with (
        open_pool() as pool,
        httpx.AsyncClient(base_url=given.url, headers=headers) as client,
    ):
        yield _Applying(pool, client, given.tenant_id).answer


class _Applying:
    def __init__(self, pool: Pool, client: httpx.AsyncClient, tenant_id: UUID) -> None:
        self._pool = pool
        self._client = client
        self._tenant_id = tenant_id
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def answer(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        while await self._apply_batch() == _BATCH:
            pass
        await answer(send, b"applied")

    async def _apply_batch(self) -> int:
        rows = await self._pool.fetch(
            """
            with waiting as (
              select id
              from raw_waiting
              where tenant_id = $1
              and handled_at is null
              and (claimed_until is null or claimed_until < now())
              order by received_at
              limit $2
              for update skip locked
            )
            update raw_waiting as event
            set claimed_until = now() + interval '15 seconds'
            from waiting
            where event.tenant_id = $1
            and event.id = waiting.id
            returning event.id, event.object_id
            """,
            self._tenant_id,
            _BATCH,
        )
        if rows:
            objects = {row["object_id"] for row in rows}
            await self._fetch(objects)
            await self._write([row["id"] for row in rows], sorted(objects))
        return len(rows)

    async def _fetch(self, objects: Iterable[str]) -> None:
        async with asyncio.TaskGroup() as group:
            for object_id in objects:
                group.create_task(self._take(object_id))

    async def _take(self, object_id: str) -> None:
        async with self._gate:
            (await self._client.get(path_of(object_id))).raise_for_status()

    async def _write(self, events: list[str], objects: list[str]) -> None:
        await self._pool.execute(
            """
            with written as (
              insert into raw_objects (tenant_id, id, written_at)
              select $1, given.id, now()
              from unnest($3::text[]) as given (id)
              on conflict (tenant_id, id) do update
              set written_at = excluded.written_at
            )
            update raw_waiting
            set
              handled_at = now(),
              claimed_until = null
            where tenant_id = $1
            and id = any($2::text[])
            """,
            self._tenant_id,
            events,
            objects,
        )


if __name__ == "__main__":
    serve_floor(open_applying)
