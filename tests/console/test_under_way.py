"""Publishing and editing while others are at work: nothing is lost, and nothing is half new."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from guichet.app import create_app
from guichet.settings import Settings
from guichet.theming.pages import Pages
from tenants.branding import Branding, Colours
from tenants.configuration import Configuration, publish
from tenants.drafts import Draft, load_draft, replace_draft
from tests.console.conftest import AsStaff
from tests.console.town import LUMEN, Town, post

CANCELLING = "/merchants/lumen/cancelling"
FEATURES = "/merchants/lumen/features"
VERSIONS = 50


def numbered(number: int) -> Configuration:
    """A version whose number shows in the page and in its stylesheet."""
    light = Colours(accent=f"#{number:02x}3366")
    return Configuration(
        branding=Branding(light=light, headline={"en": f"Headline {number}."}),
        support_email=f"v{number}@lumen.example",
    )


@pytest.fixture
async def processes(town: Town, settings: Settings) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Browsers at two processes of one deployment."""
    other = create_app(settings)
    async with other.lifespan():
        edges = (town.edge, other)
        transports = [httpx.ASGITransport(app=it) for it in edges]  # type: ignore[arg-type]
        browsers = [httpx.AsyncClient(transport=it, base_url=LUMEN) for it in transports]
        yield browsers
        for browser in browsers:
            await browser.aclose()


async def look(page: httpx.AsyncClient, sheets: httpx.AsyncClient, pages: Pages) -> int:
    """Open a page at one process and its stylesheet at another; answers the version of both."""
    shown = (await page.get("/sign-in")).text
    number = int(re.findall(r"mailto:v(\d+)@", shown)[0])
    path = next(it for it in re.findall(r'href="([^"]+)"', shown) if "brand.css" in it)
    sheet = await sheets.get(path.replace("&amp;", "&"))
    assert sheet.status_code == 200
    expected = pages.branding_stylesheet(numbered(number).branding, "plain")
    assert sheet.content == expected.body
    assert set(re.findall(r"Headline (\d+)\.", shown)) <= {str(number)}
    return number


async def test_no_page_is_of_two_versions_while_fifty_are_published(
    town: Town, processes: list[httpx.AsyncClient]
) -> None:
    pages, tenant = town.deployment.pages, town.lumen.id
    seen: set[int] = set()

    async def publish_all() -> None:
        for number in range(1, VERSIONS):
            async with town.deployment.db.unit(tenant) as unit:
                await publish(unit.connection, tenant, numbered(number), "a test")
            await asyncio.sleep(0)

    async def crawl(here: httpx.AsyncClient, there: httpx.AsyncClient) -> None:
        while not publishing.done():
            seen.add(await look(here, there, pages))
            # Nothing of these pages waits, so that nobody else would have a turn.
            await asyncio.sleep(0.001)

    async with town.deployment.db.unit(tenant) as unit:
        await publish(unit.connection, tenant, numbered(0), "a test")
    for browser in processes:
        while "mailto:v0@" not in (await browser.get("/sign-in")).text:
            await asyncio.sleep(0.01)
    publishing = asyncio.create_task(publish_all())
    one, two = processes
    await asyncio.gather(publishing, crawl(one, two), crawl(two, one), crawl(one, one))
    assert len(seen) > 1
    while await look(one, two, pages) != VERSIONS - 1:
        await asyncio.sleep(0.01)


async def draft_of(town: Town) -> Draft:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        return await load_draft(unit.connection, unit.tenant_id)


def form_of(page: httpx.Response) -> dict[str, str]:
    """The settings form of a page as a browser without scripts would send it."""
    form = page.text.split('<form class="settings"')[1].split("</form>")[0]
    fields = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name = re.search(r' name="([^"]*)"', tag)
        value = re.search(r' value="([^"]*)"', tag)
        is_box = re.search(r'type="(checkbox|radio)"', tag)
        if name and (not is_box or " checked" in tag):
            fields[name[1]] = value[1] if value else "on"
    for name, choices in re.findall(
        r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL
    ):
        chosen = re.search(r'value="([^"]*)" selected', choices)
        fields[name] = chosen[1] if chosen else ""
    fields.pop("csrf")
    return fields


async def test_two_people_in_one_section_do_not_overwrite_each_other(
    town: Town, as_staff: AsStaff
) -> None:
    first, second = await as_staff("admin"), await as_staff("agency_member")
    theirs, mine = form_of(await first.get(CANCELLING)), form_of(await second.get(CANCELLING))
    theirs.pop("cancel.enabled")
    assert (await post(first, CANCELLING, theirs)).status_code == 303
    kept = (await draft_of(town)).configuration
    mine["cancel.reasons"] = "required"
    refused = await post(second, CANCELLING, mine)
    assert refused.status_code == 409
    assert "admin@example.com" in refused.text
    assert form_of(refused)["cancel.reasons"] == "required"
    assert (await draft_of(town)).configuration == kept
    # What is sent once more has seen the other's work.
    assert (await post(second, CANCELLING, form_of(refused))).status_code == 303
    assert (await draft_of(town)).configuration.cancel.enabled


async def test_two_people_in_two_sections_are_both_saved(town: Town, as_staff: AsStaff) -> None:
    first, second = await as_staff("admin"), await as_staff("agency_member")
    theirs, mine = form_of(await first.get(CANCELLING)), form_of(await second.get(FEATURES))
    theirs.pop("cancel.enabled")
    mine.pop("features.invoices")
    answers = await asyncio.gather(post(first, CANCELLING, theirs), post(second, FEATURES, mine))
    assert [it.status_code for it in answers] == [303, 303]
    configuration = (await draft_of(town)).configuration
    assert not configuration.cancel.enabled
    assert not configuration.features.invoices


async def test_of_two_who_publish_at_once_one_does_and_the_other_is_shown_it(
    town: Town, as_staff: AsStaff
) -> None:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        draft = await replace_draft(unit.connection, unit.tenant_id, numbered(7), "a test")
    browsers = [await as_staff("admin"), await as_staff("agency_owner")]
    path = "/merchants/lumen/publish"
    answers = await asyncio.gather(*(post(it, path, {"seen": draft.state}) for it in browsers))
    places = sorted(it.headers["location"] for it in answers)
    assert places == [path, f"{path}?published=1"]
    assert msgspec.structs.asdict((await draft_of(town)).published)["version"] == 1
