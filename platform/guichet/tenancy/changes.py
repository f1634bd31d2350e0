"""What changed in the directory of tenants: nothing missed, nothing read twice.

Each change takes the next number of a sequence, but changes become visible in the order of their
commits. So a reading looks above the highest number seen, and at what was changed by those
transactions that were running at the reading before.
"""

from collections.abc import AsyncIterator

import asyncpg

from guichet.db import Connection

# The event loop serves requests between two pages, each of which takes it some 10 ms.
_PAGE = 1000


class Changes:
    """Reads tenants that changed since the last reading."""

    def __init__(self) -> None:
        self._highest = 0
        self._running: list[str] = []

    async def read(self, connection: Connection) -> AsyncIterator[list[asyncpg.Record]]:
        """Pages of tenants; all of them at the first reading. To be read to the end.

        `connection` acts as `guichet_system`. A tenant may come twice, last as it is now.
        """
        # One snapshot for all pages, or a tenant could change its place between two of them.
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            running = await _running_transactions(connection)
            if self._running:
                yield await _read_changed_in(connection, self._running)
            page = await _read_above(connection, self._highest)
            while page:
                yield page
                self._highest = page[-1]["change_no"]
                page = await _read_above(connection, self._highest) if len(page) == _PAGE else []
            self._running = running


async def _running_transactions(connection: Connection) -> list[str]:
    """Those that have an id, so may have drawn a number, and whose changes are not seen yet."""
    rows = await connection.fetch(
        "select id::text as id from pg_snapshot_xip(pg_current_snapshot()) as id"
    )
    return [row["id"] for row in rows]


async def _read_changed_in(connection: Connection, transactions: list[str]) -> list[asyncpg.Record]:
    return await connection.fetch(
        """
        select
          tenant.id,
          tenant.agency_id,
          tenant.slug,
          tenant.name,
          tenant.status,
          tenant.change_no,
          tenant.published_version,
          array(
            select host.host
            from hosts as host
            where host.tenant_id = tenant.id
            and host.verified_at is not null
            order by host.verified_at, host.host
          ) as custom_hosts
        from tenants as tenant
        where tenant.changed_in = any($1::text[]::xid8[])
        """,
        transactions,
    )


async def _read_above(connection: Connection, change_no: int) -> list[asyncpg.Record]:
    return await connection.fetch(
        """
        select
          tenant.id,
          tenant.agency_id,
          tenant.slug,
          tenant.name,
          tenant.status,
          tenant.change_no,
          tenant.published_version,
          array(
            select host.host
            from hosts as host
            where host.tenant_id = tenant.id
            and host.verified_at is not null
            order by host.verified_at, host.host
          ) as custom_hosts
        from tenants as tenant
        where tenant.change_no > $1
        order by tenant.change_no
        limit $2
        """,
        change_no,
        _PAGE,
    )
