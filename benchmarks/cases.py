"""Open cases of failed payments in bulk, of which nothing but the case itself is there."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import asyncpg

_CASES = Path(__file__).with_name("cases.sql")
_INDEXES = """
select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as made_by
from pg_index
where indrelid = 'dunning_cases'::regclass
and not indisunique
"""


async def write_cases(
    connection: "asyncpg.Connection[asyncpg.Record]", wanted: Sequence[tuple[UUID, int, int]]
) -> None:
    """For each tenant so many cases, and so many of them due.

    The indexes are made last, which is faster.
    """
    indexes = await connection.fetch(_INDEXES)
    for index in indexes:
        await connection.execute(f"drop index {index['name']}")
    await connection.execute(
        "create temporary table wanted (tenant_id uuid, cases integer, due integer)"
    )
    await connection.copy_records_to_table("wanted", records=wanted)
    await connection.execute(_CASES.read_text())
    for index in indexes:
        await connection.execute(index["made_by"])
