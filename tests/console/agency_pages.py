"""An agency's merchants as its pages and logs tell of them."""

import re
from typing import Any
from uuid import UUID

import httpx

from tests.console.town import Town

_TOKEN = re.compile(r'name="token" value="([0-9a-f]{32})"')


async def rows_of(town: Town, sql: str, *args: object) -> list[Any]:
    async with town.deployment.db.system() as connection:
        return await connection.fetch(sql, *args)


async def agency_log(town: Town) -> list[tuple[str, str, str]]:
    rows = await rows_of(
        town,
        "select actor, action, object from agency_audit_log where agency_id = $1 order by at",
        town.atelier.id,
    )
    return [tuple(row) for row in rows]


async def tenant_log(town: Town, tenant_id: UUID) -> list[tuple[str, str]]:
    async with town.deployment.db.unit(tenant_id) as unit:
        rows = await unit.fetch(
            "select action, details::text from audit_log where tenant_id = $1 order by at",
            tenant_id,
        )
    return [tuple(row) for row in rows]


async def opening_form(
    owner: httpx.AsyncClient, name: str = "Café Noir", **given: str
) -> dict[str, str]:
    """The second step's form, as it was shown for a name."""
    page = await owner.get("/agencies/atelier/new", params={"name": name})
    assert page.status_code == 200
    found = _TOKEN.search(page.text)
    assert found is not None
    slug = re.search(r'name="slug" type="text" value="([^"]*)"', page.text)
    assert slug is not None
    return {"token": found[1], "name": name, "slug": slug[1], "locale": "fr"} | given


async def merchant_ids(town: Town) -> list[UUID]:
    rows = await rows_of(town, "select id from tenants where agency_id = $1", town.atelier.id)
    return [row["id"] for row in rows]
