"""The published configurations that were asked for lately, decoded and in memory."""

import asyncio
from collections import OrderedDict
from uuid import UUID

from guichet.db import Database
from guichet.tenancy.entries import TenantEntry
from tenants.configuration import NOTHING_PUBLISHED, Published, load_version

_Key = tuple[UUID, int]


class PublishedCache:
    """Bounded, by tenant and version; a version never changes, so nothing here goes stale."""

    def __init__(self, db: Database, size: int) -> None:
        self._db = db
        self._size = size
        self._kept: OrderedDict[_Key, Published] = OrderedDict()
        self._loading: dict[_Key, asyncio.Task[Published]] = {}

    async def load(self, entry: TenantEntry) -> Published:
        """The published version of the entry; whoever asks while it is being read waits for it."""
        key = (entry.id, entry.published_version)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        if not entry.published_version:
            return NOTHING_PUBLISHED
        loading = self._loading.get(key)
        if loading is None:
            loading = self._loading[key] = asyncio.create_task(self._read(key))
            loading.add_done_callback(lambda done: self._finish(key, done))
        # Shielded: the one who asked first may go away, the others still want it.
        return await asyncio.shield(loading)

    async def _read(self, key: _Key) -> Published:
        tenant_id, version = key
        async with self._db.unit(tenant_id) as unit:
            return await load_version(unit.connection, tenant_id, version)

    def _finish(self, key: _Key, done: asyncio.Task[Published]) -> None:
        del self._loading[key]
        # Asking for the exception marks it as seen when everybody has gone away.
        if done.cancelled() or done.exception() is not None:
            return
        self._kept[key] = done.result()
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
