"""When each tenant's books were checked, and what was found: the rows of the last check."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from guichet.billing.books.differences import Difference
from guichet.db import Connection, Database, Unit


class BookCheck(msgspec.Struct, frozen=True):
    """The last check of one tenant that came to its end."""

    finished_at: datetime | None
    objects: int
    #: Those that remain after repairing.
    differences: int
    repaired: int
    #: Suspects beyond what one check looks at.
    unexamined: int
    #: Why a later check came to no end, as an error code.
    failure: str | None


class TenantBooks(msgspec.Struct, frozen=True):
    """How one tenant's books stand, for those who look at many; None before the first check."""

    slug: str
    finished_at: datetime | None
    differences: int | None
    failure: str | None


async def take_turn(db: Database, tenant_id: UUID, lease: timedelta, *, only_due: bool) -> bool:
    """Begin a check and put the next one off; answers False when another one is not yet due."""
    async with db.unit(tenant_id) as unit:
        taken = await unit.fetchval(
            """
            insert into book_checks as held (tenant_id, due_at)
            values ($1, now() + $2::interval)
            on conflict (tenant_id) do update
            set
              due_at = excluded.due_at,
              started_at = now()
            where held.tenant_id = $1
            and (held.due_at <= now() or not $3)
            returning true
            """,
            tenant_id,
            lease,
            only_due,
        )
    return bool(taken)


async def methods_after(db: Database, tenant_id: UUID) -> str:
    """The customer with whom the last check stopped looking at payment methods."""
    async with db.unit(tenant_id) as unit:
        after = await unit.fetchval(
            """
            select methods_after
            from book_checks
            where tenant_id = $1
            """,
            tenant_id,
        )
    return after or ""


async def note_failure(db: Database, tenant_id: UUID, code: str, again_in: timedelta) -> None:
    async with db.unit(tenant_id) as unit:
        await unit.execute(
            """
            update book_checks
            set
              failure = $2,
              due_at = now() + $3::interval
            where tenant_id = $1
            """,
            tenant_id,
            code,
            again_in,
        )


async def note_result(
    db: Database,
    tenant_id: UUID,
    objects: int,
    found: Sequence[Difference],
    unexamined: int,
    methods_until: str,
    again_in: timedelta,
) -> None:
    """Write a check's result in place of the former one; what was found before keeps its time."""
    repaired = sum(it.remedy == "fetched_anew" for it in found)
    async with db.unit(tenant_id) as unit:
        await unit.execute(
            """
            update book_checks
            set
              finished_at = now(),
              objects = $2,
              differences = $3,
              repaired = $4,
              unexamined = $5,
              methods_after = $6,
              failure = null,
              due_at = now() + $7::interval
            where tenant_id = $1
            """,
            tenant_id,
            objects,
            len(found) - repaired + unexamined,
            repaired,
            unexamined,
            methods_until,
            again_in,
        )
        await _replace(unit, found)


async def _replace(unit: Unit, found: Sequence[Difference]) -> None:
    keys = ([it.rule for it in found], [it.kind for it in found], [it.id for it in found])
    await unit.execute(
        """
        delete from book_differences as held
        where held.tenant_id = $1
        and not exists (
          select
          from unnest($2::text[], $3::text[], $4::text[]) as found (rule, kind, id)
          where found.rule = held.rule
          and found.kind = held.kind
          and found.id = held.id
        )
        """,
        unit.tenant_id,
        *keys,
    )
    await unit.execute(
        """
        insert into book_differences (tenant_id, rule, kind, id, held, provider, remedy)
        select $1, found.rule, found.kind, found.id, found.held::jsonb, found.provider::jsonb,
          found.remedy
        from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
          as found (rule, kind, id, held, provider, remedy)
        on conflict (tenant_id, rule, kind, id) do update
        set
          held = excluded.held,
          provider = excluded.provider,
          remedy = excluded.remedy
        """,
        unit.tenant_id,
        *keys,
        [_json(it.held) for it in found],
        [_json(it.provider) for it in found],
        [it.remedy for it in found],
    )


def _json(value: object) -> str | None:
    # PostgreSQL's jsonb has no NUL; in a report it may be missing.
    return None if value is None else msgspec.json.encode(value).decode().replace("\\u0000", "")


async def read_check(unit: Unit) -> BookCheck | None:
    """The unit's tenant's last check; None before the first."""
    row = await unit.fetchrow(
        """
        select finished_at, objects, differences, repaired, unexamined, failure
        from book_checks
        where tenant_id = $1
        """,
        unit.tenant_id,
    )
    return BookCheck(**row) if row else None


async def list_differences(unit: Unit) -> list[Difference]:
    """What the last check found, as it reported it."""
    rows = await unit.fetch(
        """
        select rule, kind, id, held::text as held, provider::text as provider, remedy
        from book_differences
        where tenant_id = $1
        order by rule, kind, id
        """,
        unit.tenant_id,
    )
    return [
        Difference(
            rule=row["rule"],
            kind=row["kind"],
            id=row["id"],
            held=msgspec.json.decode(row["held"]) if row["held"] else None,
            provider=msgspec.json.decode(row["provider"]) if row["provider"] else None,
            remedy=row["remedy"],
        )
        for row in rows
    ]


async def count_different(connection: Connection) -> int:
    """How many active tenants' books differ; `connection` acts as `guichet_system`."""
    count: int = await connection.fetchval(
        """
        select count(1)
        from book_checks as held
        join tenants as tenant
          on tenant.id = held.tenant_id
        where held.differences > 0
        and tenant.status = 'active'
        """
    )
    return count


async def list_books(
    connection: Connection, agency: str | None = None, after: str = "", limit: int = 100
) -> list[TenantBooks]:
    """How the books of active tenants stand, a page by slug, of one agency or of all.

    `connection` acts as `guichet_system`.
    """
    rows = await connection.fetch(
        """
        select tenant.slug, held.finished_at, held.differences, held.failure
        from tenants as tenant
        join agencies as agency
          on agency.id = tenant.agency_id
        left join book_checks as held
          on held.tenant_id = tenant.id
        where tenant.status = 'active'
        and tenant.slug > $1
        and ($2::text is null or agency.slug = $2)
        order by tenant.slug
        limit $3
        """,
        after,
        agency,
        limit,
    )
    return [TenantBooks(**row) for row in rows]
