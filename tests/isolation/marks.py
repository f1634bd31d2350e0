"""What betrays a twin: its mark, and every identifier, number and name in its rows."""

import re
from typing import Any

from tests.isolation.twins import Twin

# Identifiers of the provider's, and ours.
_IDENTIFIER = re.compile(
    r"[a-z]+(?:_[a-z]+)?_[A-Za-z0-9]{8,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)


async def marks_of(twin: Twin, other: Twin) -> set[str]:
    """All that betrays a twin: its mark, and each identifier in its rows that is its alone."""
    ours, theirs = await identifiers(twin), await identifiers(other)
    return {twin.mark, twin.mark.title(), twin.shop.key, twin.shop.webhook_secret, *(ours - theirs)}


async def identifiers(twin: Twin) -> set[str]:
    """The ids, numbers and names of a twin, from every text of its rows in every table."""
    rows = [row for rows in (await rows_of(twin)).values() for row in rows]
    found = {match[0] for row in rows for match in _IDENTIFIER.finditer(row)}
    async with twin.shop.deployment.db.unit(twin.tenant_id) as unit:
        numbers = await unit.fetch(
            "select number from invoices where tenant_id = $1 and number is not null",
            twin.tenant_id,
        )
    return found | {row["number"] for row in numbers}


async def rows_of(twin: Twin) -> dict[str, list[str]]:
    """Every row that the application reads inside this twin, as text, by table."""
    async with twin.shop.deployment.db.unit(twin.tenant_id) as unit:
        return await readable_rows(unit.connection)


async def readable_rows(connection: Any) -> dict[str, list[str]]:
    """Every row of every table and view that this connection may read, as text."""
    tables = await connection.fetch(
        """
        select relation.relname as name
        from pg_class as relation
        where relation.relnamespace = 'public'::regnamespace
        and relation.relkind in ('r', 'p', 'v')
        and has_table_privilege(relation.oid, 'select')
        order by relation.relname
        """
    )
    return {
        row["name"]: [
            it["text"]
            for it in await connection.fetch(f'select it::text as text from "{row["name"]}" as it')
        ]
        for row in tables
    }
