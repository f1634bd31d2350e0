"""The floor of an import: the same pages asked for, and the same rows copied into a plain table.

Every list of the account is read page by page over the finished program's HTTP client (httpx), with
the same key and the same addresses; the payment methods of a page's customers ten at a time. Each
page is written by one `copy` into `raw_copies`, which has no index and no row-level security: a row
for each object and one for each of its items, lines and payments, with the id and the bytes of the
provider's own JSON.

No value is looked at but the ids, no provider's client, limit or breaker stands before the
connection, no copy is told from a newer one, nothing is noted that another could go on from, and
what the lists omit is not asked for.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterable
from uuid import UUID

import httpx
import msgspec
import uvloop

from benchmarks.floors.serving import open_pool
from benchmarks.outcome import tell
from benchmarks.stand_in.account import list_path_of

_PAGE = 100
_AT_ONCE = 10
_LISTS = ("products", "prices", "customers", "subscriptions", "invoices", "charges")


class Given(msgspec.Struct, frozen=True):
    """The tenant of the floor, and its provider."""

    tenant_id: UUID
    key: str
    url: str


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool


class _Object(msgspec.Struct):
    id: str
    items: _Page | None = None
    lines: _Page | None = None
    payments: _Page | None = None


_Row = tuple[UUID, str, str, bytes]
_page = msgspec.json.Decoder(_Page)
_object = msgspec.json.Decoder(_Object)


class _Reader:
    def __init__(self, client: httpx.AsyncClient, tenant_id: UUID) -> None:
        self._client = client
        self._tenant_id = tenant_id
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def read(self, name: str) -> AsyncIterator[list[_Row]]:
        """The rows of a list, page by page."""
        after, more = "", True
        while more:
            page = await self._get(f"{list_path_of(name)}&limit={_PAGE}{after}")
            rows = list(self._rows(name, page.data))
            last = _object.decode(page.data[-1]).id
            if name == "customers":
                rows += await self._methods([_object.decode(each).id for each in page.data])
            yield rows
            after, more = f"&starting_after={last}", page.has_more

    async def _methods(self, customers: list[str]) -> list[_Row]:
        pages = await asyncio.gather(*(self._methods_of(each) for each in customers))
        return [row for page in pages for row in self._rows("payment_methods", page.data)]

    async def _methods_of(self, customer: str) -> _Page:
        async with self._gate:
            path = list_path_of("payment_methods")
            return await self._get(f"{path}&customer={customer}&limit={_PAGE}")

    async def _get(self, path: str) -> _Page:
        return _page.decode((await self._client.get(path)).content)

    def _rows(self, name: str, objects: Iterable[msgspec.Raw]) -> Iterable[_Row]:
        for each in objects:
            found = _object.decode(each)
            yield self._tenant_id, name, found.id, bytes(each)
            for part in (found.items, found.lines, found.payments):
                if part:
                    yield from self._rows(name, part.data)


async def _import() -> None:
    given = msgspec.json.decode(os.environ["FLOOR_GIVEN"], type=Given)
    headers = {"Authorization": f"Bearer {given.key}"}
    async with (
        open_pool() as pool,
        httpx.AsyncClient(base_url=given.url, headers=headers) as client,
    ):
        started, count = time.perf_counter(), 0
        reader = _Reader(client, given.tenant_id)
        for name in _LISTS:
            async for rows in reader.read(name):
                await pool.copy_records_to_table("raw_copies", records=rows)
                count += len(rows)
        tell(count, time.perf_counter() - started)


if __name__ == "__main__":
    uvloop.run(_import())
