"""A database for each test: its addresses, and who hands databases out and takes them back.

To copy the migrated database takes ten times as long as to empty a copy, so a test's database is
emptied and serves the next one, under another name. One that cannot be made as it was is dropped.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import NamedTuple

import asyncpg

from guichet.embedded.postgres import DATABASE, OWNER_ROLE, WEB_ROLE, EmbeddedPostgres

#: Deleted rows leave room behind: a database that is so much larger is not used again.
_WORN_BYTES = 4 * 2**20
#: How long connections that are told to end may take, and how often that is looked at.
_END_SECONDS = 5.0
_POLL_SECONDS = 0.002

# Triggers and foreign keys are not asked, and counters start anew.
_EMPTY = """
do $$
declare
  filled regclass;
begin
  set local session_replication_role = replica;
  for filled in
    select oid
    from pg_class
    where relnamespace = 'public'::regnamespace
    and relkind = 'r'
    and relname <> 'schema_migrations'
  loop
    execute format('delete from %s', filled);
  end loop;
  perform setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
  from pg_sequences
  where last_value is not null;
end $$
"""

# Whoever changes a table, an index, a right, a policy, a trigger, a function, a setting or the
# statistics writes a row of one of these catalogs; a dropped thing is one row less. Tables that
# were analyzed or vacuumed know besides how many rows they had.
_CATALOGS = """
select count(1), max(xmin::text::bigint) from pg_class
union all
select count(1), sum(reltuples)::bigint from pg_class
union all
select count(1), max(xmin::text::bigint) from pg_attribute
union all
select count(1), max(xmin::text::bigint) from pg_attrdef
union all
select count(1), max(xmin::text::bigint) from pg_constraint
union all
select count(1), max(xmin::text::bigint) from pg_db_role_setting
union all
select count(1), max(xmin::text::bigint) from pg_default_acl
union all
select count(1), max(xmin::text::bigint) from pg_extension
union all
select count(1), max(xmin::text::bigint) from pg_index
union all
select count(1), max(xmin::text::bigint) from pg_namespace
union all
select count(1), max(xmin::text::bigint) from pg_policy
union all
select count(1), max(xmin::text::bigint) from pg_proc
union all
select count(1), max(xmin::text::bigint) from pg_rewrite
union all
select count(1), max(xmin::text::bigint) from pg_sequence
union all
select count(1), max(xmin::text::bigint) from pg_statistic
union all
select count(1), max(xmin::text::bigint) from pg_trigger
union all
select count(1), max(xmin::text::bigint) from pg_type
"""


class DatabaseUrls(NamedTuple):
    """One database: as the role that owns it, and as the application's role."""

    owner: str
    web: str


class _Shape(NamedTuple):
    """What a database is besides its rows."""

    catalogs: list[tuple[int, int | None]]
    migrations: int
    size: int


class Databases:
    """Copies of a server's migrated database, each of which one test at a time has for itself."""

    def __init__(self, server: EmbeddedPostgres, superuser: "asyncpg.Connection[asyncpg.Record]"):
        self._server = server
        self._superuser = superuser
        self._empty: list[str] = []
        #: Of a copy that nobody has used.
        self._unused: _Shape | None = None

    @contextlib.asynccontextmanager
    async def lent(self) -> AsyncIterator[DatabaseUrls]:
        """An empty database by a name that nobody had before."""
        name = self._empty.pop() if self._empty else await self._copy()
        yield DatabaseUrls(self._server.url(OWNER_ROLE, name), self._server.url(WEB_ROLE, name))
        await self._take_back(name)

    async def _copy(self) -> str:
        name = _new_name()
        await self._superuser.execute(
            f"create database {name} template {DATABASE} owner {OWNER_ROLE} strategy file_copy"
        )
        if self._unused is None:
            async with self._connected(name) as connection:
                self._unused = await _shape(connection)
        return name

    async def _take_back(self, name: str) -> None:
        renamed = _new_name()
        await self._end_connections(name)
        # Whoever comes back by the old name, as a process that was left behind may, finds nothing.
        await self._superuser.execute(f"alter database {name} rename to {renamed}")
        if await self._is_emptied(renamed):
            self._empty.append(renamed)
        else:
            await self._superuser.execute(f"drop database {renamed} with (force)")

    async def _end_connections(self, name: str) -> None:
        """End the connections that are left; a pool's have been told so and may be on their way."""
        async with asyncio.timeout(_END_SECONDS):
            while await self._superuser.fetchval(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1",
                name,
            ):
                await asyncio.sleep(_POLL_SECONDS)

    async def _is_emptied(self, name: str) -> bool:
        """Delete all rows, unless more than rows was changed or the database is worn."""
        async with self._connected(name) as connection:
            shape, unused = await _shape(connection), self._unused
            assert unused
            is_usable = shape.size - unused.size < _WORN_BYTES
            is_usable &= shape._replace(size=unused.size) == unused
            if is_usable:
                await connection.execute(_EMPTY)
        return is_usable

    @contextlib.asynccontextmanager
    async def _connected(self, name: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        connection = await asyncpg.connect(self._server.url("postgres", name))
        yield connection
        await connection.close()


@contextlib.asynccontextmanager
async def databases_of(server: EmbeddedPostgres) -> AsyncIterator[Databases]:
    """Databases of a server whose database `guichet` is migrated and empty."""
    superuser = await asyncpg.connect(server.url("postgres", "postgres"))
    yield Databases(server, superuser)
    await superuser.close()


async def _shape(connection: "asyncpg.Connection[asyncpg.Record]") -> _Shape:
    catalogs = [(rows, last) for rows, last in await connection.fetch(_CATALOGS)]
    migrations = await connection.fetchval("select count(1) from schema_migrations")
    size = await connection.fetchval("select pg_database_size(current_database())")
    return _Shape(catalogs, migrations, size)


def _new_name() -> str:
    return f"test_{secrets.token_hex(6)}"
