"""The console as people see it: every part and every page, light and dark, wide and on a phone."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, Route

from guichet.console.shell import ConsoleShell, navigation
from guichet.theming.pages import Pages
from guichet.theming.themes import themes_directory
from guichet.web.languages import language_links
from tenants.staff import Staff, Workspace
from tests.console.conftest import AsStaff
from tests.console.town import Town, Who
from tests.console.windows import LOOKS, Look, examine, open_chromium, open_window

pytestmark = pytest.mark.browser

_GALLERY = Path(__file__).with_name("gallery.html")
#: As long as names are.
_PLACE = Workspace(
    kind="merchant",
    id=UUID(int=1),
    slug="lumen",
    name="Compagnie générale des abonnements",
    role="owner",
    agency="atelier",
)
_PERSON = Staff(UUID(int=2), "camille@example.com", "Camille Martin-Desmoulins de la Tour", None)
_FIELDS = {
    "name": "Lumen",
    "accent": "#1d5c4f",
    "enabled": "on",
    "when": "end",
    "off[receipt]": "on",
    "headline.en": "Hello",
    "css": ".portal { color: red }",
    "days": "21",
}
_MISTAKES = {
    "name": "This name is taken.",
    "days": "Please enter a number.",
    "off": "One of these has to be sent.",
    "headline.fr": "This text is too long.",
    "logo": "This picture is too large.",
}
_BEFORE_SOMEBODY_IS_IN = ("/sign-in", "/sign-in/link/nothing", "/no-such-page")
_PAGES: dict[Who, tuple[str, ...]] = {
    "owner": ("/merchants/lumen/cancelling",),
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


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages(themes_directory())


def gallery(pages: Pages, locale: str, mistakes: dict[str, str]) -> str:
    """A page with every part that the console has."""
    here = "/merchants/lumen/branding"
    shell = ConsoleShell(
        locale=locale,
        script=pages.script("console.js"),
        csrf="a-token",
        path=here,
        request_id="a-request",
        languages=language_links(locale, here),
        staff=_PERSON,
        place=_PLACE,
        workspaces=(_PLACE,),
        navigation=navigation(_PLACE, here),
        portal_url="http://lumen.localhost/",
        has_draft=True,
    )
    environment = pages.template("console", "layout.html", locale).environment
    template = environment.from_string(_GALLERY.read_text())
    return template.render(shell=shell, fields=_FIELDS, mistakes=mistakes)


@contextlib.asynccontextmanager
async def show_gallery(
    browser: Browser, pages: Pages, look: Look, mistakes: dict[str, str], **options: bool
) -> AsyncIterator[Page]:
    """The gallery in a window of its own."""
    context = await browser.new_context(
        color_scheme=look.scheme,  # type: ignore[arg-type]
        viewport={"width": look.width, "height": 900},
        **options,  # type: ignore[arg-type]
    )
    html = gallery(pages, look.locale, mistakes)

    async def answer(route: Route) -> None:
        asset = pages.asset("/" + route.request.url.split("/", 3)[3])
        body, kind = (asset.body, asset.media_type) if asset else (html, "text/html; charset=utf-8")
        await route.fulfill(body=body, content_type=kind)

    await context.route("**/*", answer)
    page = await context.new_page()
    await page.goto("http://console.localhost/gallery")
    yield page
    await context.close()


@pytest.mark.parametrize("mistakes", [{}, _MISTAKES], ids=["in order", "with mistakes"])
async def test_every_part_is_open_to_everybody(
    browser: Browser, pages: Pages, look: Look, mistakes: dict[str, str]
) -> None:
    async with show_gallery(browser, pages, look, mistakes) as page:
        await page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
        assert await examine(page, look) == []


async def test_a_mistake_leads_to_its_field(browser: Browser, pages: Pages) -> None:
    async with show_gallery(browser, pages, LOOKS[0], _MISTAKES) as page:
        await page.locator("#mistakes").get_by_role("link", name="This text is too long.").click()
        assert await page.evaluate("document.querySelector(':target').name") == "headline.fr"
        described = await page.locator("[name='days']").get_attribute("aria-describedby")
        told = page.locator(f"[id='{described}']")
        assert await told.inner_text() == "Please enter a number."


async def test_what_is_touched_is_large_enough(browser: Browser, pages: Pages) -> None:
    phone = Look("en", "light", 390)
    async with show_gallery(browser, pages, phone, {}, has_touch=True, is_mobile=True) as page:
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
