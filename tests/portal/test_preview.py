"""Previews: the real pages with a draft and sample customers, and what cannot be done with one."""

import re
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from guichet.auth.staff.preview_links import open_preview
from guichet.portal.preview.pages import DRAWN
from guichet.settings import Settings
from guichet.web.previews import PAGES, STATES
from tenants.assets import store_asset
from tenants.branding import Branding, Colours
from tenants.configuration import Configuration
from tenants.drafts import replace_draft
from tests.console.town import Town, open_town

PREVIEW = "http://preview.localhost:8000"
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'


@pytest.fixture
async def town(settings_without_sandbox: Settings) -> AsyncIterator[Town]:
    """No page of a preview asks a provider anything."""
    async with open_town(settings_without_sandbox) as town:
        yield town


async def folder(town: Town, slug: str = "lumen", email: str = "") -> str:
    """`/<slug>/<token>` of one of Lumen's admins."""
    staff = await town.hire("admin", email)
    async with town.deployment.db.unit(town.lumen.id) as unit:
        token = await open_preview(unit, town.deployment.settings.master_keys, staff.id)
    return f"/{slug}/{token}"


async def draft(town: Town, configuration: Configuration) -> None:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await replace_draft(unit.connection, unit.tenant_id, configuration, "a test")


async def look(town: Town, path: str) -> httpx.Response:
    async with town.browser(origin=PREVIEW) as browser:
        browser.cookies.clear()
        return await browser.get(path)


def test_every_page_that_can_be_chosen_can_be_drawn() -> None:
    assert DRAWN.keys() == PAGES.keys()


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("page", PAGES)
async def test_each_page_is_drawn_for_each_customer(town: Town, page: str, locale: str) -> None:
    place = await folder(town)
    for state in STATES:
        shown = await look(town, f"{place}/{page}?state={state}&locale={locale}&scheme=dark")
        has_nothing = state == "none" and page in ("change", "change_review", "cancel")
        assert shown.status_code == (404 if has_nothing else 200), (state, shown.text)
        if not has_nothing:
            assert f'<html lang="{locale}"' in shown.text
            assert 'data-scheme="dark"' in shown.text


async def test_a_preview_shows_what_nobody_has_published(town: Town) -> None:
    place = await folder(town)
    before = await look(town, f"{place}/home")
    await draft(town, Configuration(support_email="help@lumen.example", locale="fr"))
    after = await look(town, f"{place}/home")
    assert "mailto:" not in before.text + after.text
    assert "Contacter" not in before.text
    assert "Contacter" in after.text


async def test_the_stylesheet_and_the_pictures_are_the_drafts(town: Town) -> None:
    place = await folder(town)
    async with town.deployment.db.unit(town.lumen.id) as unit:
        logo = await store_asset(unit.connection, town.lumen.id, _SVG, "image/svg+xml")
    branding = Branding(logo=logo, light=Colours(accent="#7a1fa2"))
    await draft(town, Configuration(branding=branding))
    page = (await look(town, f"{place}/home")).text
    linked = re.findall(r'(?:href|src)="([^"]*/assets/[^"]*)"', page)
    assert any(logo in url for url in linked)
    for url in linked:
        assert url.startswith(place), url
        assert (await look(town, url)).status_code == 200, url
    sheet = next(url for url in linked if "brand.css" in url)
    assert "#7a1fa2" in (await look(town, sheet)).text


async def test_a_visitor_in_the_dark_sees_what_the_merchant_has_fixed(town: Town) -> None:
    place = await folder(town)
    await draft(town, Configuration(branding=Branding(scheme="light")))
    assert 'data-scheme="light"' in (await look(town, f"{place}/home?scheme=dark")).text


async def test_links_lead_to_other_previews_or_nowhere(town: Town) -> None:
    place = await folder(town)
    for page in PAGES:
        shown = await look(town, f"{place}/{page}?state=many&locale=fr")
        for url in re.findall(r'\shref="([^"]*)"', shown.text):
            assert url.startswith((f"{place}/", "#")), (page, url)
            if url.startswith(place):
                assert (await look(town, url.replace("&amp;", "&"))).status_code == 200, url
    home = (await look(town, f"{place}/home?state=many&locale=fr")).text
    assert f'href="{place}/invoices?state=many&amp;scheme=&amp;locale=fr"' in home


async def test_what_a_preview_says_of_itself_keeps_it_in_the_consoles_frame(town: Town) -> None:
    shown = await look(town, f"{await folder(town)}/home")
    policy = shown.headers["content-security-policy"]
    assert "frame-ancestors http://console.localhost:8000" in policy
    assert "form-action 'none'" in policy
    assert "script-src 'none'" in policy
    assert "<script" not in shown.text
    assert "x-frame-options" not in shown.headers
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in shown.headers
    assert '<meta name="robots" content="noindex">' in shown.text


async def test_a_token_opens_one_merchants_draft_and_nothing_once_it_is_over(town: Town) -> None:
    place = await folder(town)
    token = place.rpartition("/")[2]
    made_up = token[:-1] + ("A" if token[-1] != "A" else "B")
    for path in (
        f"/volta/{token}/home",
        f"/lumen/{made_up}/home",
        f"/nobody/{token}/home",
        f"/lumen/{token}x/home",
        f"{place}/nothing",
        "/lumen/home",
        "/",
    ):
        assert (await look(town, path)).status_code == 404, path
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await unit.execute(
            "update preview_links set expires_at = now() where tenant_id = $1", town.lumen.id
        )
    over = await look(town, f"{place}/home")
    assert over.status_code == 404
    assert "This preview is over" in over.text


async def test_who_has_lost_their_role_sees_nothing_any_more(town: Town) -> None:
    place = await folder(town, email="left@example.com")
    assert (await look(town, f"{place}/home")).status_code == 200
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await unit.execute(
            "delete from tenant_members where tenant_id = $1 and email = $2",
            town.lumen.id,
            "left@example.com",
        )
    assert (await look(town, f"{place}/home")).status_code == 404


async def test_nothing_can_be_sent_to_a_preview(town: Town) -> None:
    place = await folder(town)
    async with town.browser(origin=PREVIEW) as browser:
        assert (await browser.post(f"{place}/home", data={"a": "b"})).status_code == 405
        assert (await browser.head(f"{place}/home")).content == b""


async def test_what_is_typed_into_a_draft_stays_text(town: Town) -> None:
    place = await folder(town)
    hostile = '"><script>alert(1)</script>{{ 7*7 }} href="https://evil.example"'
    branding = msgspec.structs.replace(Branding(), headline={"en": hostile})
    await draft(town, Configuration(branding=branding))
    page = (await look(town, f"{place}/home")).text
    assert "<script" not in page
    assert "evil.example" in page
    assert 'href="https://evil.example' not in page
    assert "{{ 7*7 }}" in page
