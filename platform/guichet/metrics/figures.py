"""The figures kept of each merchant: when they are counted anew, by whom, and what they say.

The row is the job. Whoever takes it moves its time on by a lease and then counts without holding
anything; what is stored is what was begun last. News bring the time forward, but not nearer to the
last count than a minute, or twenty times as long as that count took.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from guichet.db import Connection, Database, Unit
from guichet.metrics.counting import (
    Month,
    Today,
    count_past_months,
    count_present_month,
    count_today,
)
from guichet.metrics.health import Health, read_health

#: The job that counts a tenant's figures.
COUNT_FIGURES = "count_figures"

#: What no news tell of, such as a domain that is lost, is seen after that long.
_EVERY = timedelta(hours=1)
#: Past months change when a merchant imports or corrects something.
_HISTORY_EVERY = timedelta(days=1)
#: Whoever has not finished by then was killed.
_LEASE = timedelta(minutes=5)
_SHORTEST_REST = timedelta(minutes=1)
_REST_FOR_EACH_SECOND = 20


class Figures(msgspec.Struct, frozen=True):
    """A merchant's figures as they were at `computed_at`."""

    computed_at: datetime
    today: Today
    health: Health
    #: Thirteen, the oldest first and the present one last; those that are over are counted once a
    #: day, and none of them may be there yet.
    months: tuple[Month, ...]


class _Turn(msgspec.Struct, frozen=True):
    begun_at: datetime
    due_at: datetime
    wants_history: bool


async def read_figures(unit: Unit) -> Figures | None:
    """The unit's tenant's figures, or None before they were counted for the first time."""
    row = await unit.fetchrow(
        """
        select
          computed_at,
          customers,
          active,
          trialing,
          past_due,
          started,
          ended,
          failed,
          recovered,
          mrr::text,
          health::text,
          (past_months || present_month)::text as months
        from tenant_figures
        where tenant_id = $1
        and computed_at is not null
        """,
        unit.tenant_id,
    )
    if row is None:
        return None
    counts = {name: row[name] for name in Today.__struct_fields__ if name != "mrr"}
    return Figures(
        computed_at=row["computed_at"],
        today=Today(**counts, mrr=msgspec.json.decode(row["mrr"])),
        health=msgspec.json.decode(row["health"], type=Health),
        months=msgspec.json.decode(row["months"], type=tuple[Month, ...]),
    )


async def make_figures_due(unit: Unit) -> None:
    """Have the unit's tenant counted soon, because something of it has changed."""
    await unit.execute(
        """
        update tenant_figures
        set due_at = least(due_at, greatest(now(), begun_at + rest))
        where tenant_id = $1
        and due_at > greatest(now(), begun_at + rest)
        """,
        unit.tenant_id,
    )


async def due_tenants(connection: Connection, limit: int) -> list[UUID]:
    """Active tenants whose figures are due, new ones first; `connection` as `guichet_system`."""
    rows = await connection.fetch(
        """
        select tenant.id
        from tenants as tenant
        left join tenant_figures as figures
          on figures.tenant_id = tenant.id
        where tenant.status = 'active'
        and (figures.due_at is null or figures.due_at <= now())
        order by figures.due_at nulls first
        limit $1
        """,
        limit,
    )
    return [row["id"] for row in rows]


async def count_figures(db: Database, tenant_id: UUID) -> bool:
    """Count a tenant's figures if they are due; answers whether it did."""
    async with db.unit(tenant_id) as unit:
        turn = await _take_turn(unit)
    if turn is None:
        return False
    async with db.unit(tenant_id) as unit:
        today, health = await count_today(unit), await read_health(unit)
        month = await count_present_month(unit, turn.begun_at, today.mrr)
    async with db.unit(tenant_id) as unit:
        await _store(unit, turn, today, health, month)
    if turn.wants_history:
        async with db.unit(tenant_id) as unit:
            past = await count_past_months(unit, turn.begun_at)
            await _store_history(unit, turn, past)
    return True


async def _take_turn(unit: Unit) -> _Turn | None:
    """The right to count; None where it is not yet time, or somebody else has just begun."""
    await unit.execute(
        """
        insert into tenant_figures (tenant_id, agency_id)
        select id, agency_id
        from tenants
        where id = $1
        on conflict (tenant_id) do nothing
        """,
        unit.tenant_id,
    )
    row = await unit.fetchrow(
        """
        update tenant_figures
        set
          begun_at = clock_timestamp(),
          due_at = clock_timestamp() + $2::interval
        where tenant_id = $1
        and due_at <= now()
        returning
          begun_at,
          due_at,
          history_due_at <= now()
            or computed_at is null
            or date_trunc('month', computed_at, 'UTC') < date_trunc('month', now(), 'UTC')
            as wants_history
        """,
        unit.tenant_id,
        _LEASE,
    )
    return _Turn(**row) if row else None


async def _store(unit: Unit, turn: _Turn, today: Today, health: Health, month: Month) -> None:
    """Keep what was counted, unless somebody has begun anew meanwhile; news keep their time."""
    await unit.execute(
        """
        update tenant_figures
        set
          computed_at = begun_at,
          rest = greatest($3::interval, $4 * (clock_timestamp() - begun_at)),
          due_at = case when due_at = $5 then begun_at + $6::interval else due_at end,
          customers = $7,
          active = $8,
          trialing = $9,
          past_due = $10,
          started = $11,
          ended = $12,
          failed = $13,
          recovered = $14,
          mrr = $15::jsonb,
          health = $16::jsonb,
          present_month = $17::jsonb
        where tenant_id = $1
        and begun_at = $2
        """,
        unit.tenant_id,
        turn.begun_at,
        _SHORTEST_REST,
        float(_REST_FOR_EACH_SECOND),
        turn.due_at,
        _EVERY,
        *(getattr(today, name) for name in Today.__struct_fields__ if name != "mrr"),
        *(msgspec.json.encode(it).decode() for it in (today.mrr, health, month)),
    )


async def _store_history(unit: Unit, turn: _Turn, months: tuple[Month, ...]) -> None:
    await unit.execute(
        """
        update tenant_figures
        set
          past_months = $3::jsonb,
          history_due_at = begun_at + $4::interval
        where tenant_id = $1
        and begun_at = $2
        """,
        unit.tenant_id,
        turn.begun_at,
        msgspec.json.encode(months).decode(),
        _HISTORY_EVERY,
    )
