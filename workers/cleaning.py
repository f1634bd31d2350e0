"""What is kept for a while and then removed: sign-ins, sessions, events' bodies, mails' contents.

Accounts of what was done stay: that an event arrived, that somebody was told of something and when,
and a failed payment's case with its attempts, which belongs to its invoice as long as that is kept.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from guichet.db import Database
from tenants.assets import remove_unused_pictures
from workers.office import Office

#: Rows that one transaction empties.
_ROWS = 1000
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
    """Remove what has expired: see `docs/developer/operations.md`, "What is kept"."""
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
        await unit.execute(
            """
            delete from support_views
            where tenant_id = $1
            and expires_at < now() - interval '90 days'
            """,
            tenant_id,
        )
        await unit.execute(
            """
            delete from mirror_news
            where tenant_id = $1
            and set_aside_at < now() - interval '90 days'
            """,
            tenant_id,
        )
        await unit.execute(
            """
            delete from card_pages
            where tenant_id = $1
            and opened_at < now() - interval '90 days'
            """,
            tenant_id,
        )
    async with db.unit(tenant_id) as unit:
        await remove_unused_pictures(unit.connection, tenant_id)
    while await _drop_bodies(db, tenant_id) == _ROWS:
        pass
    while await _erase_mails(db, tenant_id) == _ROWS:
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
            _ROWS,
        )
    return dropped


async def _erase_mails(db: Database, tenant_id: UUID) -> int:
    """Erase to whom mails of 13 months ago went and what they said, a few in one transaction.

    So long somebody may ask what they were told, of a renewal that comes once a year too. The row
    stays, so that the same thing is not told again. Answers how many.
    """
    async with db.unit(tenant_id) as unit:
        erased: int = await unit.fetchval(
            """
            with old as (
              select id
              from messages
              where tenant_id = $1
              and queued_at < now() - interval '13 months'
              and erased_at is null
              and due_at is null
              order by queued_at
              limit $2
            ),
            erased as (
              update messages as message
              set
                recipient = null,
                facts = '{}',
                erased_at = now()
              from old
              where message.tenant_id = $1
              and message.id = old.id
              returning 1
            )
            select count(1)
            from erased
            """,
            tenant_id,
            _ROWS,
        )
    return erased
