"""An agency sees all of its merchants and nobody else's."""

import re
from html import unescape

import httpx
import pytest

from guichet.metrics.figures import count_figures
from tenants.tenant import add_tenant
from tests.console.agency_pages import rows_of
from tests.console.town import Town, post

_NEXT = re.compile(r'href="([^"]+)" rel="next"')

_PREVIOUS = re.compile(r'href="([^"]+)" rel="prev"')

_MERCHANT = re.compile(r'<th scope="row"><a href="/merchants/([a-z0-9-]+)"')


async def test_the_list_shows_every_merchant_of_the_agency_and_no_other(
    town: Town, owner: httpx.AsyncClient
) -> None:
    page = await owner.get("/agencies/atelier")
    assert page.status_code == 200
    assert "Lumen" in page.text
    assert "Volta" not in page.text
    assert "Being counted" in page.text
    await count_figures(town.deployment.db, town.lumen.id)
    assert "No key" in (await owner.get("/agencies/atelier")).text


async def test_another_agency_does_not_exist(town: Town, owner: httpx.AsyncClient) -> None:
    assert (await owner.get("/agencies/forge")).status_code == 404
    assert (await owner.get("/agencies/forge/new")).status_code == 404
    assert (await owner.get("/agencies/atelier/merchants/volta")).status_code == 404
    assert (await owner.get("/merchants/volta")).status_code == 404
    answer = await post(owner, "/agencies/forge/merchants/volta/suspend", {"reason": "x"})
    assert answer.status_code == 404
    # Nor is its merchant there through one's own agency.
    answer = await post(owner, "/agencies/atelier/merchants/volta/suspend", {"reason": "x"})
    assert answer.status_code == 404
    rows = await rows_of(town, "select status from tenants where id = $1", town.volta.id)
    assert [row["status"] for row in rows] == ["active"]


async def test_a_list_of_many_is_shown_twenty_at_a_time(
    town: Town, owner: httpx.AsyncClient
) -> None:
    async with town.deployment.db.system() as connection:
        for number in range(60):
            # Two of each name: the slug decides who comes first.
            name = f"{'Shop' if number % 2 else 'shop'} {number // 2:02}/x"
            await add_tenant(connection, town.atelier, f"shop-{number:02}", name)
    for sort in ("name", "slug"):
        seen: list[str] = []
        url = f"/agencies/atelier?sort={sort}"
        for _ in range(4):
            page = await owner.get(url)
            shown = _MERCHANT.findall(page.text)
            assert len(shown) <= 20
            seen += shown
            following = _NEXT.search(page.text)
            if following is None:
                break
            url = "/agencies/atelier" + following[1].replace("&amp;", "&")
        assert seen == ["lumen", *(f"shop-{number:02}" for number in range(60))]


async def test_the_list_leads_back_page_by_page(town: Town, owner: httpx.AsyncClient) -> None:
    async with town.deployment.db.system() as connection:
        for number in range(110):
            await add_tenant(connection, town.atelier, f"shop-{number:03}", f"Shop {number:03}")
    place, here = "/agencies/atelier", "/agencies/atelier?q=shop"
    pages = []
    for _ in range(3):
        pages.append((await owner.get(here)).text)
        following = _NEXT.search(pages[-1])
        here = place + unescape(following[1]) if following else ""
    assert 'rel="prev"' not in pages[0]
    for former in (pages[1], pages[0]):
        back = _PREVIOUS.search(pages.pop())
        assert back is not None
        shown = (await owner.get(place + unescape(back[1]))).text
        assert _MERCHANT.findall(shown) == _MERCHANT.findall(former)


@pytest.mark.parametrize("search", ["LUM", "umen", "lumen"])
async def test_a_search_finds_parts_of_names_and_addresses(
    owner: httpx.AsyncClient, search: str
) -> None:
    page = await owner.get("/agencies/atelier", params={"q": search})
    assert "/merchants/lumen" in page.text


@pytest.mark.parametrize(
    "asked",
    [
        {"q": "%"},
        {"q": "_umen"},
        {"q": "' or true --"},
        {"show": "suspended"},
        {"show": "attention"},
        {"after": "lumen/lumen"},
    ],
)
async def test_what_fits_nobody_shows_nobody(
    owner: httpx.AsyncClient, asked: dict[str, str]
) -> None:
    page = await owner.get("/agencies/atelier", params=asked)
    assert page.status_code == 200
    assert 'href="/merchants/lumen"' not in page.text
    assert "No merchant fits" in page.text
