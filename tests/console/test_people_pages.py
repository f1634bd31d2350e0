"""What the page of people says and asks, as people see it: axe, wide and on a phone."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.console.conftest import AsStaff
from tests.console.town import Town, post
from tests.console.windows import LOOKS, Look, examine, open_chromium, open_window

pytestmark = pytest.mark.browser

_OPEN_ALL = "document.querySelectorAll('.confirm').forEach(it => it.open = true)"
_LONG = "somebody.with.a.very.long.address@a-company-with-a-rather-long-name.example"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_chromium() as browser:
        yield browser


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look.locale}-{look.width}")
def look(request: pytest.FixtureRequest) -> Look:
    """One way to see the pages."""
    seen: Look = request.param
    return seen


async def test_what_is_said_of_an_invitation_is_open_to_everybody(
    browser: Browser, as_staff: AsStaff, look: Look
) -> None:
    owner = await as_staff("owner")
    await post(owner, "/merchants/lumen/members", {"email": _LONG, "role": "owner"})
    async with open_window(browser, owner, look) as (page, _):
        await page.goto("/merchants/lumen/members?done=invited")
        await page.evaluate(_OPEN_ALL)
        findings = await examine(page, look)
        await page.locator("#email").fill("owner@example.com")
        await page.locator("#invite button").click()
        await page.locator("#mistake-email").wait_for()
        findings += await examine(page, look)
    assert findings == []


async def test_somebody_is_removed_after_being_asked_without_a_script(
    browser: Browser, town: Town, as_staff: AsStaff
) -> None:
    await town.hire("support")
    client = await as_staff("owner")
    async with open_window(browser, client, LOOKS[0], java_script_enabled=False) as (page, _):
        await page.goto("/merchants/lumen/members")
        row = page.locator("tr", has_text="support@example.com")
        await row.locator("summary").click()
        await row.locator(".confirm-box button").click()
        await page.wait_for_url("**/members?done=removed")
        assert await page.locator("tr", has_text="support@example.com").count() == 0
