"""What tests of publishing put in, and what they look at afterwards."""

import json
import re

import httpx

from tenants.branding import Branding, Colours
from tenants.configuration import Configuration, load_published, publish
from tenants.drafts import Draft, load_draft, replace_draft
from tests.console.town import Town

PUBLISH = "/merchants/lumen/publish"
VIOLET = Configuration(
    branding=Branding(light=Colours(accent="#5b21b6"), headline={"en": "Hello", "fr": "Bonjour"})
)


async def put_draft(town: Town, configuration: Configuration) -> Draft:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        return await replace_draft(unit.connection, unit.tenant_id, configuration, "mia@x.example")


async def put_published(town: Town, configuration: Configuration, by: str = "a command") -> int:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        return await publish(unit.connection, unit.tenant_id, configuration, by, "Because.")


async def draft_of(town: Town) -> Draft:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        return await load_draft(unit.connection, unit.tenant_id)


async def published_of(town: Town) -> tuple[int, Configuration]:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        found = await load_published(unit.connection, unit.tenant_id)
    return found.version, found.configuration


async def audited(town: Town, action: str) -> list[dict[str, object]]:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        rows = await unit.fetch(
            "select actor, details from audit_log where tenant_id = $1 and action = $2 order by at",
            town.lumen.id,
            action,
        )
    return [{"actor": row["actor"], **json.loads(row["details"])} for row in rows]


def seen_in(page: httpx.Response, action: str) -> str:
    """What the page's form for an action says it was shown with."""
    form = next(part for part in page.text.split("<form") if f'action="{action}"' in part)
    found = re.search(r'name="seen" value="([^"]*)"', form)
    assert found
    return found[1]


def text_of(page: httpx.Response) -> str:
    """The words of a page, one space between them."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())
