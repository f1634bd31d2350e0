"""The console without a pointer: what has the focus is seen, and stays where somebody works."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.console.conftest import AsStaff
from tests.console.windows import LOOKS, Look, open_chromium, open_window

pytestmark = pytest.mark.browser

_STEPS = 60
#: The name of what has the focus where something else lies over it, or its outline is none.
_HIDDEN = """() => {
  const it = document.activeElement;
  const box = it.getBoundingClientRect();
  const above = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const isOwn = [it, it.labels?.[0]].some(part => part?.contains(above)) || above?.contains(it);
  const isMarked = getComputedStyle(it).outlineStyle !== "none" || it.matches("iframe, body");
  return isOwn && isMarked ? "" : it.outerHTML.slice(0, 120);
}"""


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_chromium() as browser:
        yield browser


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.locale}-{look.width}")
async def test_what_has_the_focus_is_seen(browser: Browser, as_staff: AsStaff, look: Look) -> None:
    async with open_window(browser, await as_staff("owner"), look) as (page, _):
        await page.goto("/merchants/lumen/branding")
        hidden = []
        for _step in range(_STEPS):
            await page.keyboard.press("Tab")
            hidden.append(await page.evaluate(_HIDDEN))
        assert [it for it in hidden if it] == []


async def test_the_first_link_leads_past_the_rail(browser: Browser, as_staff: AsStaff) -> None:
    async with open_window(browser, await as_staff("owner")) as (page, _):
        await page.goto("/merchants/lumen/customers")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('main') !== null")


async def test_a_menu_is_opened_and_closed(browser: Browser, as_staff: AsStaff) -> None:
    async with open_window(browser, await as_staff("owner")) as (page, _):
        await page.goto("/merchants/lumen/customers")
        menu = page.locator(".switcher")
        await menu.locator("summary").focus()
        await page.keyboard.press("Enter")
        await expect(menu.locator("a").first).to_be_visible()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Escape")
        await expect(menu.locator("a").first).not_to_be_visible()
        await expect(menu.locator("summary")).to_be_focused()


async def test_a_rule_that_is_moved_keeps_the_focus(browser: Browser, as_staff: AsStaff) -> None:
    client = await as_staff("owner")
    async with open_window(browser, client) as (page, _):
        await page.goto("/merchants/lumen/changes")
        for place, direction in enumerate(("upgrade", "downgrade", "quantity_up")):
            await page.get_by_role("button", name="Add a rule").press("Enter")
            first = page.locator(f"[id='changes.rules[{place}].direction']")
            await expect(first).to_be_focused()
            await first.select_option(direction)
        await page.get_by_role("button", name="Move down: Rule 1").press("Enter")
        await expect(page.get_by_role("button", name="Move down: Rule 2")).to_be_focused()
        await page.keyboard.press("Enter")
        # The last row has no button to move down any more.
        await expect(page.get_by_role("button", name="Move up: Rule 3")).to_be_focused()
        await page.get_by_role("button", name="Remove: Rule 3").press("Enter")
        await expect(page.get_by_role("button", name="Remove: Rule 2")).to_be_focused()
