"""Stored events as jobs: claimed in batches under a lease, stamped when done, put off on failure.

A row is waiting while handled_at is null; claimed_until keeps everybody off it, for the time of a
lease or until it is to be tried again. Whoever dies leaves a lease that runs out.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from guichet.billing.mirror import draw_copy_no
from guichet.db import Database, Unit

#: Rows that one batch applies, in one transaction.
BATCH = 50
#: Longer than a batch may take to fetch, so that a slow one is not done twice for nothing.
LEASE = timedelta(seconds=15)


class Claimed(NamedTuple):
    """A row under our lease; `tries` counts this one too."""

    id: str
    tries: int
    body: bytes


class Batch(NamedTuple):
    """Claimed rows, and the number of the copies that are fetched for them from now on."""

    events: list[Claimed]
    copy_no: int


class Failure(NamedTuple):
    """Why an event was not applied, as a code of ours, and when it is tried again."""

    code: str
    delay: timedelta


async def claim(db: Database, tenant_id: UUID) -> Batch:
    """Take a lease on the oldest waiting rows that nobody else has.

    There are none while the tenant's provider turns us away: its events are stored and wait.
    """
    async with db.unit(tenant_id) as unit:
        rows = await unit.fetch(
            """
            with waiting as (
              select id
              from provider_events
              where tenant_id = $1
              and handled_at is null
              and (claimed_until is null or claimed_until < now())
              and not exists (
                select
                from provider_connections as connection
                where connection.tenant_id = $1
                and connection.stopped
              )
              order by received_at
              limit $2
              for update skip locked
            )
            update provider_events as event
            set
              claimed_until = now() + $3::interval,
              tries = least(event.tries + 1, 30000)
            from waiting
            where event.tenant_id = $1
            and event.id = waiting.id
            returning event.id, event.tries, event.body
            """,
            tenant_id,
            BATCH,
            LEASE,
        )
        copy_no = await draw_copy_no(unit) if rows else 0
    return Batch([Claimed(row["id"], row["tries"], row["body"]) for row in rows], copy_no)


async def stamp_handled(unit: Unit, event_ids: Sequence[str]) -> None:
    """Mark events as done; whoever stamped one before us was right too."""
    await unit.execute(
        """
        update provider_events
        set
          handled_at = now(),
          claimed_until = null,
          failure = null
        where tenant_id = $1
        and id = any($2::text[])
        and handled_at is null
        """,
        unit.tenant_id,
        list(event_ids),
    )


async def put_off(unit: Unit, failures: Mapping[str, Failure]) -> None:
    """Have failed events wait; they keep their rows and block nobody else's."""
    await unit.execute(
        """
        update provider_events as event
        set
          claimed_until = now() + failed.delay,
          failure = failed.code
        from unnest($2::text[], $3::text[], $4::interval[]) as failed (id, code, delay)
        where event.tenant_id = $1
        and event.id = failed.id
        and event.handled_at is null
        """,
        unit.tenant_id,
        list(failures),
        [failure.code for failure in failures.values()],
        [failure.delay for failure in failures.values()],
    )
