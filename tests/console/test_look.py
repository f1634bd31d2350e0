"""The console as people see it: every part and every page, light and dark, wide and on a phone."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.console.conftest import AsStaff
from tests.console.furnished import SLUG, Furnished, furnish
from tests.console.gallery import MISTAKES, show_gallery
from tests.console.test_roles import routes
from tests.console.town import Town
from tests.console.windows import LOOKS, Look, examine, open_chromium, open_window

pytestmark = pytest.mark.browser

_BEFORE_SOMEBODY_IS_IN = ("/sign-in", "/sign-in/link/nothing", "/invitations/nothing")
#: The pages of a workspace, by the routes that show them, each with what it is asked for; the
#: names in braces are those of `_names`.
_PAGES: dict[str, tuple[str, ...]] = {
    "/merchants/{merchant:str}": ("",),
    "/merchants/{merchant:str}/branding": ("",),
    "/merchants/{merchant:str}/general": ("",),
    "/merchants/{merchant:str}/texts": ("?saved=1",),
    "/merchants/{merchant:str}/customers": ("", "?q=nobody"),
    "/merchants/{merchant:str}/customers/{customer_id:str}": ("",),
    "/merchants/{merchant:str}/customers/{customer_id:str}/portal": ("",),
    "/merchants/{merchant:str}/retries": ("",),
    "/merchants/{merchant:str}/mails": ("",),
    "/merchants/{merchant:str}/cancelling": ("",),
    "/merchants/{merchant:str}/changes": ("",),
    "/merchants/{merchant:str}/plans": ("", "?q=nothing"),
    "/merchants/{merchant:str}/features": ("",),
    "/merchants/{merchant:str}/publish": ("",),
    "/merchants/{merchant:str}/history": ("",),
    "/merchants/{merchant:str}/history/{version:int}": ("",),
    "/merchants/{merchant:str}/configuration": ("",),
    "/merchants/{merchant:str}/connections": ("",),
    "/merchants/{merchant:str}/sign-in-providers": ("?add=google",),
    "/merchants/{merchant:str}/domains": ("",),
    "/merchants/{merchant:str}/members": ("",),
    "/merchants/{merchant:str}/audit": ("", "?since=x"),
    "/agencies/{agency:str}": ("", "?q=nobody"),
    "/agencies/{agency:str}/merchants/{slug:str}": ("",),
    "/agencies/{agency:str}/new": ("",),
    "/agencies/{agency:str}/members": ("",),
    "/agencies/{agency:str}/audit": ("",),
}
#: Shown to who is not in yet, files, redirects, and pages that other tests lead to.
_OTHERS = {
    "/",
    "/assets/{folder:str}/{name:str}",
    "/language/{language:str}",
    "/sign-in",
    "/sign-in/oidc",
    "/sign-in/oidc/callback",
    "/sign-in/link/{token:str}",
    "/invitations/{token:str}",
    "/configuration.schema.json",
    "/agencies/{agency:str}/audit.csv",
    "/merchants/{merchant:str}/audit.csv",
    "/merchants/{merchant:str}/configuration.json",
    "/merchants/{merchant:str}/customers/{customer_id:str}/payments/{invoice_id:str}/retry",
    "/merchants/{merchant:str}/customers/{customer_id:str}/payments/{invoice_id:str}/stop",
    "/merchants/{merchant:str}/overview/{chart:str}",
    "/merchants/{merchant:str}/pictures/{picture_id:str}",
    "/merchants/{merchant:str}/sign-in-providers/{provider:str}/callback",
    "/merchants/{merchant:str}/sign-in-providers/{provider:str}/try",
}
#: A page's field, and what it does not take.
_MISTAKES = {
    "branding": ("branding.radius", "round"),
    "general": ("support_email", "nobody"),
    "retries": ("retries.tries", "many"),
    "mails": ("mails.renewal_days", "many"),
    "plans": ("plans[0].quantity_max", "many"),
}
#: Pages of a workspace that say so when there is nothing yet.
_MAY_BE_EMPTY = (
    "/merchants/lumen",
    "/merchants/lumen/customers",
    "/merchants/lumen/plans",
    "/merchants/lumen/changes",
    "/merchants/lumen/publish",
    "/merchants/lumen/history",
    "/merchants/lumen/connections",
    "/merchants/lumen/sign-in-providers",
    "/merchants/lumen/members",
    "/merchants/lumen/audit",
    "/agencies/atelier",
)
_OPEN_ALL = "document.querySelectorAll('main details').forEach(it => it.open = true)"


def test_each_page_has_a_line_of_its_own() -> None:
    asked = {it.removeprefix("GET ") for it in routes() if it.startswith("GET ")}
    assert asked == set(_PAGES) | _OTHERS
    assert not set(_PAGES) & _OTHERS


def _names(furnished: Furnished) -> dict[str, str]:
    return {
        "{merchant:str}": SLUG,
        "{agency:str}": f"agency-{SLUG}",
        "{slug:str}": SLUG,
        "{customer_id:str}": furnished.customer,
        "{version:int}": "2",
    }


def _addresses(names: dict[str, str]) -> list[str]:
    """Of every page of which all names are known."""
    addresses = []
    for route, queries in _PAGES.items():
        parts = [names.get(part, part) for part in route.split("/")]
        if not any(part.startswith("{") for part in parts):
            addresses += ["/".join(parts) + query for query in queries]
    return addresses


async def _examine_all(page: Page, look: Look, addresses: list[str]) -> list[str]:
    findings = []
    for address in addresses:
        answer = await page.goto(address)
        assert answer is not None
        assert answer.status == httpx.codes.OK, address
        await page.evaluate(_OPEN_ALL)
        findings += await examine(page, look)
    return findings


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_chromium() as browser:
        yield browser


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look.locale}-{look.width}")
def look(request: pytest.FixtureRequest) -> Look:
    """One way to see the pages."""
    seen: Look = request.param
    return seen


@pytest.fixture
async def furnished(town: Town) -> Furnished:
    return await furnish(town)


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
    phone = Look("en", 390)
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
    browser: Browser, town: Town, furnished: Furnished, look: Look
) -> None:
    async with town.browser() as client, open_window(browser, client, look) as (page, _):
        findings = []
        for path in (*_BEFORE_SOMEBODY_IS_IN, furnished.invitation, "/no-such-page"):
            await page.goto(path)
            findings += await examine(page, look)
        await page.goto("/sign-in")
        await page.locator("[name='email']").fill("somebody@example.com")
        await page.locator("form button").click()
        await page.locator(".door-mark").wait_for()
        findings += await examine(page, look)
    assert findings == []


async def test_full_pages_of_a_workspace_are_open_to_everybody(
    browser: Browser, town: Town, furnished: Furnished, look: Look
) -> None:
    async with (
        town.browser(await town.session(furnished.owner)) as client,
        open_window(browser, client, look) as (page, _),
    ):
        findings = await _examine_all(page, look, _addresses(_names(furnished)))
        for path, (field, wrong) in _MISTAKES.items():
            await page.goto(f"/merchants/{SLUG}/{path}")
            await page.evaluate(_OPEN_ALL)
            await page.locator(f"[name='{field}']").fill(wrong)
            await page.locator(f"form:has([name='{field}']) .save-bar button").click()
            await expect(page.locator("#mistakes")).to_be_focused()
            findings += await examine(page, look)
    assert findings == []


async def test_empty_pages_of_a_workspace_are_open_to_everybody(
    browser: Browser, as_staff: AsStaff
) -> None:
    look = LOOKS[0]
    async with open_window(browser, await as_staff("agency_owner"), look) as (page, _):
        findings = await _examine_all(page, look, list(_MAY_BE_EMPTY))
    assert findings == []


async def test_what_a_role_may_not_see_is_said_on_a_page_like_the_others(
    browser: Browser, as_staff: AsStaff, look: Look
) -> None:
    async with open_window(browser, await as_staff("analyst"), look) as (page, _):
        answer = await page.goto("/merchants/lumen/branding")
        assert answer is not None
        assert answer.status == httpx.codes.FORBIDDEN
        assert await examine(page, look) == []


async def test_the_drafts_preview_is_open_to_everybody(
    browser: Browser, town: Town, furnished: Furnished, look: Look
) -> None:
    async with town.browser() as client, open_window(browser, client, look) as (page, _):
        findings = []
        for shown in ("home", "change", "sign_in"):
            asked = f"page={shown}&state=past_due&locale={look.locale}&scheme=auto"
            await page.goto(f"{furnished.preview}?{asked}")
            findings += await examine(page, look)
        mails = f"{furnished.preview.removesuffix('show')}mail"
        for path in ("?form=text&", "?", "/body?"):
            await page.goto(f"{mails}{path}locale={look.locale}")
            findings += await examine(page, look)
    # A mail is no page: what it stands in has the landmarks.
    assert [it for it in findings if not re.search("/mail/body.*(landmark-one|region)", it)] == []


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
    look = Look("en", 390)
    async with open_window(browser, client, look, java_script_enabled=False) as (page, _):
        await page.goto("/merchants/lumen/cancelling")
        link = page.get_by_role("link", name="Branding", exact=True)
        assert await link.count() == 0
        await page.locator(".rail-menu summary").click()
        await link.wait_for()
        assert await page.get_by_role("button", name="Sign out").is_visible()
