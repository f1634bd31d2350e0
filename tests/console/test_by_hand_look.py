"""A failed payment in the team's hands, and the list by standing, as people see them."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from tests.console.conftest import AsStaff
from tests.console.debtors import Debt, owe
from tests.console.town import Town, post
from tests.console.windows import LOOKS, Look, examine, open_chromium, open_window
from tests.shops import Shop

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_chromium() as browser:
        yield browser


@pytest.fixture
async def debt(town: Town, shop: Shop) -> Debt:
    return await owe(town, shop, "marie-antoinette.de-la-tour-du-pin-gouvernet@example.com")


async def _see(page: Page, look: Look, path: str, wrong: list[str]) -> None:
    answer = await page.goto(path)
    assert answer is not None
    assert answer.status == 200
    wrong += await examine(page, look)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.locale}-{look.width}")
async def test_each_state_of_a_case_can_be_seen_and_used(
    browser: Browser, debt: Debt, as_staff: AsStaff, look: Look
) -> None:
    client = await as_staff("admin")
    wrong: list[str] = []
    async with open_window(browser, client, look) as (page, _):
        for path in (
            debt.story,
            f"{debt.payment}/retry",
            f"{debt.payment}/stop",
            "/merchants/lumen/customers?status=past_due",
            "/merchants/lumen/customers?status=trial",
        ):
            await _see(page, look, path, wrong)
        # A mistake, with what was typed.
        await page.goto(f"{debt.payment}/stop")
        await page.locator("main form button.danger").click()
        assert await page.locator(".mistake").is_visible()
        wrong += await examine(page, look)
        await post(client, f"{debt.payment}/retry", {"try": "1"})
        await _see(page, look, debt.story, wrong)
        await debt.work()
        await debt.publish(paused=True)
        await _see(page, look, f"{debt.story}?outrun=1", wrong)
        await post(client, f"{debt.payment}/stop", {"reason": "They pay by transfer"})
        await debt.work()
        await _see(page, look, debt.story, wrong)
    assert wrong == []
