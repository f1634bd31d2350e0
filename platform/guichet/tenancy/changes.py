"""What changed in the directory of tenants: nothing missed, nothing read twice.

Each change takes the next number of a sequence, but changes become visible in the order of their
commits. So a reading looks above the highest number seen, and at what was changed by those
transactions that the reading before could not see: the ones that were running, and the ones that
came after all of which it could see the end.
"""

from collections.abc import AsyncIterator

import asyncpg
import msgspec

from guichet.db import Connection

# The event loop serves requests between two pages, each of which takes it some 10 ms.
_PAGE = 1000


class _Unseen(msgspec.Struct, frozen=True):
    """The transactions whose changes a reading does not see."""

    running: list[str]
    #: This one and all above it; some of them may run already and have drawn a number.
    later: str


class Changes:
    """Reads tenants that changed since the last reading."""

    def __init__(self) -> None:
        self._highest = 0
        self._unseen: _Unseen | None = None

    async def read(self, connection: Connection) -> AsyncIterator[list[asyncpg.Record]]:
        """Pages of tenants; all of them at the first reading. To be read to the end.

        `connection` acts as `guichet_system`. A tenant may come twice, last as it is now.
        """
        # One snapshot for all pages, or a tenant could change its place between two of them.
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            unseen = await _unseen_now(connection)
            if self._unseen and (late := await self._read_late(connection, self._unseen)):
                yield late
            page = await _read_above(connection, self._highest)
            while page:
                yield page
                self._highest = page[-1]["change_no"]
                page = await _read_above(connection, self._highest) if len(page) == _PAGE else []
            self._unseen = unseen

    async def _read_late(self, connection: Connection, unseen: _Unseen) -> list[asyncpg.Record]:
        """What became visible since, although its number is not above the highest."""
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
            or (tenant.changed_in >= $2::text::xid8 and tenant.change_no <= $3)
            """,
            unseen.running,
            unseen.later,
            self._highest,
        )


async def _unseen_now(connection: Connection) -> _Unseen:
    row = await connection.fetchrow(
        """
        select
          array(select pg_snapshot_xip(pg_current_snapshot())::text) as running,
          pg_snapshot_xmax(pg_current_snapshot())::text as later
        """
    )
    assert row
    return _Unseen(row["running"], row["later"])


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
