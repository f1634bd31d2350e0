"""The directory: every tenant of the deployment in memory, kept fresh by PostgreSQL.

A request costs a dictionary look-up. Changes are knocked for by NOTIFY and looked for each second
besides, on a connection of the directory's own. While the database is away the directory answers
with what it has, and everything is read anew once it is back.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import TypeAlias
from uuid import UUID

import asyncpg
import structlog

from guichet.db import Database
from guichet.settings import Settings
from guichet.tenancy.addresses import Addresses
from guichet.tenancy.changes import Changes
from guichet.tenancy.entries import Entries, TenantEntry
from guichet.tenancy.published import PublishedCache
from tenants.configuration import Published

_log = structlog.get_logger()

OnChange = Callable[[UUID], None]
# Quoted, because asyncpg's classes take type arguments from its stubs only.
Listener: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_HEARTBEAT_SECONDS = 1.0
_RECONNECT_SECONDS = 0.25
# A server that swallows packets is given up after this long.
_ANSWER_SECONDS = 2.0
# A decoded configuration takes some 10 kB.
_PUBLISHED_KEPT = 2000


class Directory:
    """Finds tenants and makes their URLs. Enter it as a context to have it filled and fresh."""

    def __init__(
        self, settings: Settings, db: Database, published_kept: int = _PUBLISHED_KEPT
    ) -> None:
        self._database_url = settings.database_url
        self._entries = Entries()
        self._published = PublishedCache(db, published_kept)
        self._callbacks: list[OnChange] = []
        self._knock = asyncio.Event()
        self._addresses = Addresses(settings)
        self._suffix = self._addresses.suffix
        #: Whether changes reach this process at the moment.
        self.connected = False

    def find(self, host: str) -> TenantEntry | None:
        """The tenant of a canonical host: its slug's host, or a custom domain it has verified."""
        if host.endswith(self._suffix):
            return self._entries.by_slug.get(host[: -len(self._suffix)])
        return self._entries.by_custom_host.get(host)

    def by_slug(self, slug: str) -> TenantEntry | None:
        return self._entries.by_slug.get(slug)

    def by_id(self, tenant_id: UUID) -> TenantEntry | None:
        return self._entries.by_id.get(tenant_id)

    def __iter__(self) -> Iterator[TenantEntry]:
        return iter(tuple(self._entries.by_id.values()))

    def __len__(self) -> int:
        return len(self._entries)

    async def published(self, entry: TenantEntry) -> Published:
        """The configuration that the entry's version names, read once and then kept."""
        return await self._published.load(entry)

    def url(self, entry: TenantEntry, path: str = "/") -> str:
        """The address of a tenant's page, on its first custom domain or else its slug's host.

        The empty path makes the portal's origin.
        """
        return self._addresses.portal(entry.slug, entry.custom_hosts, path)

    def host(self, entry: TenantEntry) -> str:
        """The one host that the tenant's own addresses are made with."""
        return self._addresses.host(entry.slug, entry.custom_hosts)

    def console_url(self, path: str = "/") -> str:
        return self._addresses.console(path)

    def preview_url(self, path: str = "/") -> str:
        return self._addresses.preview(path)

    def api_url(self, path: str = "/") -> str:
        return self._addresses.api(path)

    def base_url(self, path: str = "/") -> str:
        return self._addresses.base(path)

    def on_change(self, callback: OnChange) -> None:
        """Have `callback` called with a tenant's id after it, a host or a secret changed."""
        self._callbacks.append(callback)

    async def __aenter__(self) -> "Directory":
        """Read all tenants. Raises what asyncpg raises when the database is away at the start."""
        listener, changes = await self._open()
        self._first_listener = listener
        self._task = asyncio.create_task(self._run(listener, changes))
        return self

    async def __aexit__(self, *_: object) -> None:
        # Until it ends: a cancellation may meet an answer of the database and be lost in it.
        while not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=_ANSWER_SECONDS)
        # The task ends its connections itself, unless it ended before it began.
        self._first_listener.terminate()

    async def _run(self, listener: Listener, changes: Changes) -> None:
        while True:
            try:
                await self._follow(listener, changes)
            # Whatever it is, a directory that no longer follows would be stale for ever.
            except Exception as error:
                _log.warning("directory_lost", reason=repr(error))
            finally:
                self.connected = False
                listener.terminate()
            listener, changes = await self._reopen()
            _log.info("directory_back", tenants=len(self))

    async def _reopen(self) -> tuple[Listener, Changes]:
        while True:
            await asyncio.sleep(_RECONNECT_SECONDS)
            # The reason is logged already, and a database comes back in many ways.
            with contextlib.suppress(Exception):
                return await self._open()

    async def _follow(self, connection: Listener, changes: Changes) -> None:
        """Read what changed at each knock and each heartbeat, until the connection is lost."""
        while True:
            # Not asyncio.wait_for: on 3.11 it swallows a cancellation that meets the knock.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_HEARTBEAT_SECONDS):
                    await self._knock.wait()
            self._knock.clear()
            async for page in changes.read(connection):
                for row in page:
                    self._take_in(self._entries.entry(row))

    async def _open(self) -> tuple[Listener, Changes]:
        """A connection that listens, and all tenants read since it does."""
        listener = await asyncpg.connect(
            self._database_url,
            timeout=_ANSWER_SECONDS,
            command_timeout=_ANSWER_SECONDS,
            # Nothing but the directory is ever read here, so the role is the connection's own.
            server_settings={"application_name": "guichet directory", "role": "guichet_system"},
        )
        try:
            listener.add_termination_listener(self._wake)
            await listener.add_listener("guichet_tenants", self._wake)
            return listener, await self._read_all(listener)
        except BaseException:
            listener.terminate()
            raise

    def _wake(self, *_: object) -> None:
        self._knock.set()

    async def _read_all(self, connection: Listener) -> Changes:
        """Read every tenant, so that nothing is kept that the database no longer says.

        A database that was restored from a backup may even have taken numbers back.
        """
        changes, fresh, former = Changes(), Entries(), self._entries
        changed = []
        async for page in changes.read(connection):
            for entry in map(fresh.entry, page):
                fresh.put(entry)
                if former.by_id.get(entry.id) != entry:
                    changed.append(entry.id)
        self._entries, self.connected = fresh, True
        if len(former):
            changed += former.by_id.keys() - fresh.by_id.keys()
        for tenant_id in changed:
            self._tell(tenant_id)
        return changes

    def _take_in(self, entry: TenantEntry) -> None:
        if self._entries.by_id.get(entry.id) != entry:
            self._entries.put(entry)
            self._tell(entry.id)

    def _tell(self, tenant_id: UUID) -> None:
        for callback in self._callbacks:
            try:
                callback(tenant_id)
            except Exception:
                _log.exception("directory_callback_failed", tenant_id=str(tenant_id))
