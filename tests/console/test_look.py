"""The console as people see it: every part and every page, light and dark, wide and on a phone."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.console.conftest import AsStaff
from tests.console.gallery import MISTAKES, show_gallery
from tests.console.town import Town, Who
from tests.console.windows import LOOKS, Look, examine, open_chromium, open_window

pytestmark = pytest.mark.browser

_BEFORE_SOMEBODY_IS_IN = ("/sign-in", "/sign-in/link/nothing", "/no-such-page")
_PAGES: dict[Who, tuple[str, ...]] = {
    "owner": (
        "/merchants/lumen/cancelling",
        "/merchants/lumen/features",
        "/merchants/lumen/plans",
        "/merchants/lumen/changes",
        "/merchants/lumen/branding",
        "/merchants/lumen/texts",
        "/merchants/lumen/general",
    ),
    "support": ("/merchants/lumen/cancelling",),
}


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_chromium() as browser:
        yield browser


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look.locale}-{look.scheme}-{look.width}")
def look(request: pytest.FixtureRequest) -> Look:
    """One way to see the pages."""
    seen: Look = request.param
    return seen


@pytest.mark.parametrize("mistakes", [{}, MISTAKES], ids=["in order", "with mistakes"])
async def test_every_part_is_open_to_everybody(
    browser: Browser, look: Look, mistakes: dict[str, str]
) -> None:
    async with show_gallery(browser, look, mistakes) as page:
        await page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
        assert await examine(page, look) == []


async def test_a_mistake_leads_to_its_field(browser: Browser) -> None:
    async with show_gallery(browser, LOOKS[0], MISTAKES) as page:
        await page.locator("#mistakes").get_by_role("link", name="This text is too long.").click()
        assert await page.evaluate("document.querySelector(':target').name") == "headline.fr"
        described = await page.locator("[name='days']").get_attribute("aria-describedby")
        told = page.locator(f"[id='{described}']")
        assert await told.inner_text() == "Please enter a number."


async def test_what_is_touched_is_large_enough(browser: Browser) -> None:
    phone = Look("en", "light", 390)
    async with show_gallery(browser, phone, {}, has_touch=True, is_mobile=True) as page:
        await page.locator(".rail-menu summary").click()
        small = await page.evaluate(
            """() => [...document.querySelectorAll(
                 "button, summary.button, a.button, select, .pages a, input[type=text]")]
               .filter(it => it.checkVisibility() && it.getBoundingClientRect().height < 38)
               .map(it => it.outerHTML)"""
        )
    assert small == []


async def test_pages_before_somebody_is_in_are_open_to_everybody(
    browser: Browser, town: Town, look: Look
) -> None:
    async with town.browser() as client, open_window(browser, client, look) as (page, _):
        findings = []
        for path in _BEFORE_SOMEBODY_IS_IN:
            await page.goto(path)
            findings += await examine(page, look)
        await page.goto("/sign-in")
        await page.locator("[name='email']").fill("somebody@example.com")
        await page.locator("form button").click()
        await page.locator(".door-mark").wait_for()
        findings += await examine(page, look)
    assert findings == []


async def test_pages_of_a_workspace_are_open_to_everybody(
    browser: Browser, as_staff: AsStaff, look: Look
) -> None:
    findings = []
    for who, paths in _PAGES.items():
        async with open_window(browser, await as_staff(who), look) as (page, _):
            for path in paths:
                await page.goto(path)
                findings += await examine(page, look)
    assert findings == []


async def test_somebody_with_two_workspaces_chooses(
    browser: Browser, town: Town, look: Look
) -> None:
    await town.hire("agency_owner", "both@example.com")
    staff = await town.hire("owner_of_volta", "both@example.com")
    async with (
        town.browser(await town.session(staff)) as client,
        open_window(browser, client, look) as (page, _),
    ):
        await page.goto("/")
        assert await examine(page, look) == []
        assert await page.locator(".workspaces a").count() == 2


async def test_on_a_phone_the_pages_are_in_a_menu_that_needs_no_script(
    browser: Browser, as_staff: AsStaff
) -> None:
    client = await as_staff("owner")
    look = Look("en", "light", 390)
    async with open_window(browser, client, look, java_script_enabled=False) as (page, _):
        await page.goto("/merchants/lumen/cancelling")
        link = page.get_by_role("link", name="Branding", exact=True)
        assert await link.count() == 0
        await page.locator(".rail-menu summary").click()
        await link.wait_for()
        assert await page.get_by_role("button", name="Sign out").is_visible()
