"""PostgreSQL: every statement runs inside one tenant, or says aloud that it does not.

`unit()` is one transaction scoped to one tenant, `read()` one statement in one round trip with
the same scope, `agency()` one transaction scoped to one agency, `system()` the few statements that
look across tenants. The scope is always local to a transaction, so a pooled connection never
carries a tenant to its next user.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeAlias, Union
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from guichet.errors import Unavailable

# Quoted, because asyncpg's classes take type arguments from its stubs only; a Union, because a
# quoted text cannot stand beside `|` in a signature that is evaluated.
Connection: TypeAlias = Union[
    "asyncpg.Connection[asyncpg.Record]", "PoolConnectionProxy[asyncpg.Record]"
]
AfterCommit = Callable[[], Awaitable[None]]

#: What asyncpg raises besides `OSError` when its connection is lost, among other things; the last
#: one when that happens between two messages of one statement.
LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
#: Of these, what always means that: a moment may pass before the connection is closed.
_ENDING = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.InternalClientError,
)

#: What waits for a connection that long is told so: a page then has most of its time left.
_ACQUIRE_SECONDS = 5.0
_CONNECT_SECONDS = 5.0
#: The server ends a statement after `_STATEMENT_SECONDS`; one that says nothing for longer than
#: that is not heard any more.
_STATEMENT_SECONDS = 10
_ANSWER_SECONDS = 12.0
_LOCK_SECONDS = 5
_IDLE_SECONDS = 15


class DatabaseAway(Unavailable, ConnectionError):
    # Said in its family's words.
    code = "database_away"


class Unit:
    """One transaction of one tenant; what is left for after the commit is called then."""

    def __init__(self, connection: Connection, tenant_id: UUID) -> None:
        self.connection = connection
        self.tenant_id = tenant_id
        self._after_commit: list[AfterCommit] = []

    def after_commit(self, call: AfterCommit) -> None:
        """Have `call` awaited once the transaction is durable; a rollback forgets it."""
        self._after_commit.append(call)

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        return await self.connection.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        return await self.connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        return await self.connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: object) -> str:
        return await self.connection.execute(sql, *args)

    async def executemany(self, sql: str, args: Sequence[Sequence[object]]) -> None:
        await self.connection.executemany(sql, args)


async def _keep_session(_connection: object) -> None:
    """Stand in for asyncpg's reset query, which costs a round trip at each release.

    asyncpg itself still rolls back what was left open, and nothing of ours is set for a session.
    """


class Database:
    """The application's pool. All SQL of the deployment goes through one of its doors."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self.pool = pool

    @contextlib.asynccontextmanager
    async def unit(self, tenant_id: UUID, *, plans_once: bool = False) -> AsyncIterator[Unit]:
        """One transaction in which row-level security shows this tenant's rows only.

        Commits when the block ends, rolls back when it raises; then awaits what was left for
        after the commit. With `plans_once` each statement keeps the plan that it got for any
        values: for statements by key that run so often that planning is half of their cost.
        """
        async with self._transaction() as connection:
            unit = Unit(connection, tenant_id)
            # A UUID's text holds nothing that could end the literal; SET takes no parameters.
            await connection.execute(f"set local guichet.tenant = '{UUID(str(tenant_id))}'")
            if plans_once:
                await connection.execute("set local plan_cache_mode = force_generic_plan")
            yield unit
        for call in unit._after_commit:
            await call()

    async def read(self, sql: str, *args: object) -> Any:
        """One value in one round trip: `sql` calls a database function that sets the tenant.

        Such a function takes the tenant as its first argument, makes it the transaction's scope
        and answers JSON.
        """
        async with self._connection() as connection:
            return await connection.fetchval(sql, *args)

    @contextlib.asynccontextmanager
    async def agency(self, agency_id: UUID) -> AsyncIterator[Connection]:
        """One transaction as `guichet_agency`, in which row-level security shows one agency's rows.

        That is the directory's rows and figures of its merchants, and nobody's customers.
        """
        async with self._transaction() as connection:
            # A UUID's text holds nothing that could end the literal; SET takes no parameters.
            await connection.execute(f"set local guichet.agency = '{UUID(str(agency_id))}'")
            await connection.execute("set local role guichet_agency")
            yield connection

    @contextlib.asynccontextmanager
    async def system(self) -> AsyncIterator[Connection]:
        """One transaction as `guichet_system`, which sees the directory of all tenants.

        The role may read and write agencies, tenants and hosts, and may see which tenants have
        work waiting; it can read nobody's customers.
        """
        async with self._transaction() as connection:
            await connection.execute("set local role guichet_system")
            yield connection

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        async with self._connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                yield connection
            except TimeoutError:
                # Nobody would answer the rollback either; the end of the connection is one.
                raise
            except BaseException:
                # Why the connection was lost is told, and not that it cannot roll back.
                with contextlib.suppress(*LOST):
                    await transaction.rollback()
                raise
            await transaction.commit()

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """A connection of the pool; raises `DatabaseAway` when there is none, or it is lost.

        After one has fallen silent all of them are replaced.
        """
        try:
            async with asyncio.timeout(_ACQUIRE_SECONDS):
                connection = await self.pool.acquire()
        except (OSError, *LOST) as error:
            raise DatabaseAway(reason=type(error).__name__) from error
        try:
            yield connection
        except (OSError, *LOST) as error:
            if isinstance(error, TimeoutError):
                await self.pool.expire_connections()
            if not _is_closed(connection):
                if not isinstance(error, _ENDING):
                    raise
                connection.terminate()
            raise DatabaseAway(reason=type(error).__name__) from error
        finally:
            await self.pool.release(connection)


def _is_closed(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        # The pool has taken it back already.
        return True


@contextlib.asynccontextmanager
async def connect(url: str, connections: int = 10) -> AsyncIterator[Database]:
    """Open the pool; a statement gets 10 s, a lock 5 s, an idle transaction 15 s.

    Whoever waits longer than 5 s for one of its connections gets a `DatabaseAway`.
    """
    async with asyncpg.create_pool(
        url,
        min_size=1,
        max_size=connections,
        command_timeout=_ANSWER_SECONDS,
        timeout=_CONNECT_SECONDS,
        reset=_keep_session,
        server_settings={
            "application_name": "guichet",
            "lock_timeout": f"{_LOCK_SECONDS}s",
            "statement_timeout": f"{_STATEMENT_SECONDS}s",
            "idle_in_transaction_session_timeout": f"{_IDLE_SECONDS}s",
        },
    ) as pool:
        yield Database(pool)
