"""Settings that are saved while they are written: said, kept, never lost and never overwritten."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tenants.cancelling import CancelRules
from tenants.drafts import load_draft
from tests.console.conftest import AsStaff
from tests.console.gallery import show_gallery
from tests.console.town import SESSION, Town, post
from tests.console.windows import LOOKS, Line, open_chromium, open_window

pytestmark = pytest.mark.browser

_PATH = "/merchants/lumen/cancelling"
_SAVED = "Saved in the draft"
#: Longer than the pause before a form is sent again.
_PATIENCE_MS = 20_000


class Desk(NamedTuple):
    """Somebody at the page about cancelling."""

    page: Page
    line: Line
    town: Town
    #: Somebody else, who works on the same settings.
    other: httpx.AsyncClient

    @property
    def box(self) -> Locator:
        return self.page.locator("[name='cancel.enabled']")

    @property
    def button(self) -> Locator:
        return self.page.get_by_role("button", name="Save draft")

    async def says(self, text: str) -> None:
        """Wait until the bar below the form says so."""
        state = self.page.locator(".save-state")
        await expect(state).to_contain_text(text, timeout=_PATIENCE_MS)

    async def rules(self) -> CancelRules:
        """What the draft says."""
        async with self.town.deployment.db.unit(self.town.lumen.id) as unit:
            draft = await load_draft(unit.connection, unit.tenant_id)
        return draft.configuration.cancel

    async def holds_back(self) -> bool:
        """Whether the browser asks before it leaves the page."""
        held: bool = await self.page.evaluate(
            "!window.dispatchEvent(new Event('beforeunload', { cancelable: true }))"
        )
        return held


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_chromium() as browser:
        yield browser


@pytest.fixture
async def desk(browser: Browser, town: Town, as_staff: AsStaff) -> AsyncIterator[Desk]:
    """The page, open."""
    client, other = await as_staff("owner"), await as_staff("admin")
    async with open_window(browser, client) as (page, line):
        await page.goto(_PATH)
        yield Desk(page, line, town, other)


async def test_what_is_changed_is_saved_and_said_to_be_unpublished(desk: Desk) -> None:
    mark = desk.page.locator(".rail-wide [data-unpublished]")
    assert not await mark.is_visible()
    await desk.box.uncheck()
    assert await desk.holds_back()
    await desk.says(_SAVED)
    assert not (await desk.rules()).enabled
    assert await mark.is_visible()
    assert not await desk.holds_back()
    await desk.box.check()
    await desk.says("Not saved yet")
    await desk.says(_SAVED)
    assert (await desk.rules()).enabled


async def test_a_form_without_a_script_is_saved_by_its_button(
    browser: Browser, town: Town, as_staff: AsStaff
) -> None:
    client = await as_staff("owner")
    async with open_window(browser, client, java_script_enabled=False) as (page, line):
        await page.goto(_PATH)
        await page.locator("[name='cancel.enabled']").uncheck()
        await page.get_by_role("button", name="Save draft").click()
        await page.locator(".notice.positive").wait_for()
        assert not (await Desk(page, line, town, client).rules()).enabled


async def _change_elsewhere(desk: Desk) -> None:
    """The other one saves the box unticked, having seen what the page was opened with."""
    seen = await desk.page.locator("[name='seen']").input_value()
    answer = await post(desk.other, _PATH, {"seen": seen}, headers={"x-autosave": "1"})
    assert answer.json()["saved"], answer.text


async def test_what_somebody_else_has_saved_meanwhile_is_not_overwritten(desk: Desk) -> None:
    await _change_elsewhere(desk)
    await desk.box.uncheck()
    await desk.box.check()
    await desk.says("Somebody else has changed this page")
    assert not (await desk.rules()).enabled
    assert await desk.box.is_checked()
    await desk.button.click()
    notice = desk.page.locator(".notice.caution")
    await expect(notice).to_contain_text("admin@example.com")
    assert await desk.box.is_checked()
    assert not (await desk.rules()).enabled
    await desk.button.click()
    await desk.page.locator(".notice.positive").wait_for()
    assert (await desk.rules()).enabled


async def test_a_lost_network_loses_nothing(desk: Desk) -> None:
    desk.line.is_cut = True
    await desk.box.uncheck()
    await desk.says("No connection. Trying again")
    assert await desk.holds_back()
    desk.line.is_cut = False
    await desk.says(_SAVED)
    assert not (await desk.rules()).enabled


async def test_a_mistake_is_told_beside_its_field(desk: Desk) -> None:
    choice = desk.page.locator("[name='cancel.when'][value='now']")
    await choice.evaluate("it => { it.value = 'whenever' }")
    await desk.page.locator("[name='cancel.when'][value='whenever']").check()
    await desk.says("Not saved: please check what is marked")
    field = desk.page.locator("fieldset[id='cancel.when']")
    told = desk.page.locator(f"[id='{await field.get_attribute('aria-describedby')}']")
    assert await told.inner_text()
    await desk.page.locator("[name='cancel.when'][value='choice']").check()
    await desk.says(_SAVED)
    assert (await desk.rules()).when == "choice"
    assert await told.count() == 0
    assert await field.get_attribute("aria-describedby") is None


async def test_the_button_waits_for_what_is_on_its_way(desk: Desk) -> None:
    desk.line.is_open.clear()
    await desk.box.uncheck()
    await desk.says("Saving…")
    await desk.button.click()
    desk.line.is_open.set()
    await desk.page.locator(".notice.positive").wait_for()
    assert desk.line.asked.count(f"POST {_PATH}") == 2


async def test_a_second_click_sends_nothing(desk: Desk) -> None:
    desk.line.is_open.clear()
    # Both at once: a page that is being left may answer no more questions.
    await desk.page.evaluate(
        """() => {
          const form = document.querySelector("form.settings");
          form.requestSubmit();
          setTimeout(() => form.requestSubmit(), 300);
        }"""
    )
    async with asyncio.timeout(10):
        while f"POST {_PATH}" not in desk.line.asked:
            await asyncio.sleep(0.01)
    await asyncio.sleep(1)
    desk.line.is_open.set()
    await desk.page.locator(".notice.positive").wait_for()
    assert desk.line.asked.count(f"POST {_PATH}") == 1


async def _names(page: Page) -> list[tuple[str, str]]:
    """The rows' first fields, name and value, from above."""
    rows: list[list[str]] = await page.evaluate(
        """() => [...document.querySelectorAll("tbody[data-rows] > tr")]
          .map(row => row.querySelector("input")).map(it => [it.name, it.value])"""
    )
    return [(name, value) for name, value in rows]


async def test_rows_are_moved_added_and_removed_by_keyboard(browser: Browser) -> None:
    async with show_gallery(browser, LOOKS[0], {}) as page:
        await page.get_by_role("button", name="Move down").first.press("Enter")
        assert await _names(page) == [("links[0].label", "Imprint"), ("links[1].label", "Terms")]
        focused = "document.activeElement.closest('tr')?.querySelector('input').value"
        assert await page.evaluate(focused) == "Terms"
        await page.get_by_role("button", name="Add a link").press("Enter")
        await page.keyboard.type("Privacy")
        await page.get_by_role("button", name="Remove", exact=True).last.press("Enter")
        await page.get_by_role("button", name="Add a link").press("Enter")
        await page.keyboard.type("Help")
        rows = page.locator("tbody[data-rows] > tr")
        await rows.first.get_by_role("button", name="Remove", exact=True).press("Enter")
        assert await _names(page) == [("links[0].label", "Terms"), ("links[1].label", "Help")]
        assert await page.locator("[id='links[1].label']").input_value() == "Help"


async def test_a_colour_is_typed_or_picked(browser: Browser) -> None:
    async with show_gallery(browser, LOOKS[0], {}) as page:
        text, picker = page.locator("[id='accent']"), page.get_by_label("Choose: Accent")
        await text.fill("#a1b2c3")
        assert await picker.input_value() == "#a1b2c3"
        await picker.fill("#010203")
        assert await text.input_value() == "#010203"


async def _sign_out(desk: Desk) -> None:
    """Its session ends elsewhere."""
    async with desk.town.deployment.db.system() as connection:
        await connection.execute("update staff_sessions set revoked_at = now()")


async def test_the_end_of_a_session_loses_nothing_that_was_entered(desk: Desk) -> None:
    await _sign_out(desk)
    await desk.box.uncheck()
    await desk.says("You are signed out")
    await expect(desk.page.get_by_role("link", name="Sign in", exact=True)).to_be_visible()
    await desk.button.click()
    await desk.says("You are signed out")
    assert not await desk.box.is_checked()
    assert await desk.holds_back()
    # Signed in in another tab: the same cookies, and a session of its own.
    staff = await desk.town.hire("owner")
    cookies = desk.line.client.cookies
    cookies.set(SESSION, await desk.town.session(staff), desk.line.client.base_url.host)
    await desk.page.evaluate("window.dispatchEvent(new Event('focus'))")
    await desk.says(_SAVED)
    assert not (await desk.rules()).enabled
    await desk.button.click()
    await desk.page.locator(".notice.positive").wait_for()


async def test_a_button_that_is_pressed_after_the_end_of_a_session_loses_nothing(
    desk: Desk,
) -> None:
    await _sign_out(desk)
    await desk.page.evaluate(
        """() => {
          document.querySelector("[name='cancel.enabled']").click();
          document.querySelector(".save-bar button").click();
        }"""
    )
    await desk.says("You are signed out")
    assert not await desk.box.is_checked()


async def test_a_note_of_a_colour_comes_and_goes_while_it_is_written(desk: Desk) -> None:
    await desk.page.goto("/merchants/lumen/branding")
    note = desk.page.locator("[id='note-branding.light.accent']")
    await expect(note).to_be_empty()
    field = desk.page.locator("[id='branding.light.accent']")
    await field.fill("#ffff66")
    await expect(note).to_contain_text("#ffff66 has a contrast of", timeout=_PATIENCE_MS)
    await field.fill("")
    await expect(note).to_be_empty(timeout=_PATIENCE_MS)


async def test_a_mistake_is_told_in_its_row_below_an_empty_one(desk: Desk) -> None:
    await desk.page.goto("/merchants/lumen/branding")
    field = desk.page.locator("[id='branding.links[1].url']")
    await field.fill("javascript:alert(1)")
    await desk.says("Not saved: please check what is marked")
    await expect(field).to_have_attribute("aria-invalid", "true")
