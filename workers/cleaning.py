"""What is kept for a while and then removed: unfinished sign-ins, old sessions, events' bodies."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from guichet.db import Database
from workers.office import Office

#: Bodies that one transaction drops.
_BODIES = 1000
#: Multiples of the golden ratio, without what is before the point, never crowd.
_GOLDEN = (5**0.5 - 1) / 2


async def clean(office: Office) -> None:
    """Remove what has expired, tenant by tenant: each is a short transaction in its own scope.

    The time for it may not do for all, so each day begins with others.
    """
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            select id
            from tenants
            order by id
            """
        )
    today = datetime.now(UTC).toordinal()
    for tenant_id in beginning_elsewhere([row["id"] for row in rows], today):
        await clean_tenant(office.deployment.db, tenant_id)


def beginning_elsewhere(tenants: Sequence[UUID], day: int) -> list[UUID]:
    """All of them, in their order, beginning on each day in the widest gap between former starts.

    After so many days as it takes to clean all, each tenant has been near the beginning.
    """
    start = int(day * _GOLDEN % 1 * len(tenants))
    return [*tenants[start:], *tenants[:start]]


async def clean_tenant(db: Database, tenant_id: UUID) -> None:
    """Remove expired sign-in attempts, sessions that ended three months ago, and old bodies."""
    async with db.unit(tenant_id) as unit:
        await unit.execute(
            """
            delete from sign_in_attempts
            where tenant_id = $1
            and expires_at < now()
            """,
            tenant_id,
        )
        await unit.execute(
            """
            delete from sessions
            where tenant_id = $1
            and expires_at < now() - interval '90 days'
            """,
            tenant_id,
        )
    while await _drop_bodies(db, tenant_id) == _BODIES:
        pass


async def _drop_bodies(db: Database, tenant_id: UUID) -> int:
    """Drop bodies of events handled a month ago, a few in one transaction; answers how many.

    The row stays as the proof of what arrived.
    """
    async with db.unit(tenant_id) as unit:
        dropped: int = await unit.fetchval(
            """
            with old as (
              select id
              from provider_events
              where tenant_id = $1
              and handled_at < now() - interval '30 days'
              and body is not null
              limit $2
            ),
            dropped as (
              update provider_events as event
              set body = null
              from old
              where event.tenant_id = $1
              and event.id = old.id
              returning 1
            )
            select count(1)
            from dropped
            """,
            tenant_id,
            _BODIES,
        )
    return dropped
