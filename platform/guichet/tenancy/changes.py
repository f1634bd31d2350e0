"""What changed in the directory of tenants: nothing missed, nothing read twice for long.

Each change takes the next number of a sequence, but changes become visible in the order of their
commits. So the reader remembers a floor below which every number is settled, and reads all above
it; the floor rises once no transaction runs any more that could have drawn a lower number.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple

import asyncpg

from guichet.db import Connection

# A page of the first reading; a hundred thousand tenants at once would be felt in memory.
_PAGE = 5000


class _Mark(NamedTuple):
    """A number that was seen, and the transaction from which on all draw higher numbers."""

    change_no: int
    next_transaction: int


class Changes:
    """Reads tenants that changed since the last reading."""

    def __init__(self) -> None:
        self._floor = 0
        self._mark: _Mark | None = None

    async def read(self, connection: Connection) -> AsyncIterator[list[asyncpg.Record]]:
        """Pages of tenants whose change is not settled yet; `connection` is `guichet_system`'s.

        The first reading answers all tenants, and a quiet one none.
        """
        page = await _read_page(connection, self._floor)
        oldest_transaction = page[0]["oldest_transaction"] if page else 0
        while page:
            yield page
            last = page[-1]
            page = await _read_page(connection, last["change_no"]) if len(page) == _PAGE else []
            if not page:
                self._settle(oldest_transaction, last)

    def _settle(self, oldest_transaction: int, last: asyncpg.Record) -> None:
        if self._mark and oldest_transaction >= self._mark.next_transaction:
            self._floor = self._mark.change_no
            self._mark = None
        if self._mark is None and last["change_no"] > self._floor:
            self._mark = _Mark(last["change_no"], last["next_transaction"])


async def _read_page(connection: Connection, above: int) -> list[asyncpg.Record]:
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
          ) as custom_hosts,
          pg_snapshot_xmin(pg_current_snapshot())::text::bigint as oldest_transaction,
          pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next_transaction
        from tenants as tenant
        where tenant.change_no > $1
        order by tenant.change_no
        limit $2
        """,
        above,
        _PAGE,
    )
