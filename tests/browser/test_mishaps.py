"""What goes wrong on the way ends well: one change at most, and a page that says what happened."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenVisitor
from tests.browser.platform import Platform
from tests.browser.upgrades import (
    CONFIRM,
    arrive,
    changed_once,
    review,
    review_path,
    unchanged,
)

pytestmark = pytest.mark.browser

_SLOW_MS = 900
_SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])


@_SCRIPTS
async def test_a_double_click_makes_one_change(
    platform: Platform, visit: OpenVisitor, scripts: bool
) -> None:
    visitor, buyer = await arrive(platform, visit, scripts=scripts)
    await review(visitor, buyer)
    async with visitor.shopfront.misbehaving(latency_ms=_SLOW_MS // 3):
        await visitor.page.locator(CONFIRM).dblclick(no_wait_after=True)
        await expect(visitor.heading).to_have_text("Your plan is changed")
    await changed_once(visitor, buyer)


@_SCRIPTS
async def test_enter_and_a_click_make_one_change(
    platform: Platform, visit: OpenVisitor, scripts: bool
) -> None:
    visitor, buyer = await arrive(platform, visit, scripts=scripts)
    await review(visitor, buyer)
    button = visitor.page.locator(CONFIRM)
    async with visitor.shopfront.misbehaving(latency_ms=_SLOW_MS // 3):
        box = await button.bounding_box()
        assert box
        await button.focus()
        await asyncio.gather(
            visitor.page.keyboard.press("Enter"),
            visitor.page.mouse.click(box["x"] + 9, box["y"] + 9),
        )
        await expect(visitor.heading).to_have_text("Your plan is changed")
    await changed_once(visitor, buyer)


async def test_going_back_after_confirming_does_not_offer_the_change_again(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit)
    await review(visitor, buyer)
    await visitor.page.locator(CONFIRM).click()
    await expect(visitor.heading).to_have_text("Your plan is changed")
    await visitor.page.go_back()
    await expect(visitor.main).to_contain_text("You already have this plan")
    await expect(visitor.page.locator(CONFIRM)).to_have_count(0)
    await visitor.page.go_forward()
    await expect(visitor.heading).to_have_text("Your plan is changed")
    await visitor.page.reload()
    await changed_once(visitor, buyer)


async def test_a_second_tab_learns_what_the_first_one_did(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit)
    await review(visitor, buyer)
    other = await visitor.context.new_page()
    await other.goto(visitor.page.url)
    await visitor.page.locator(CONFIRM).click()
    await expect(visitor.heading).to_have_text("Your plan is changed")
    await other.locator(CONFIRM).click()
    await expect(other.locator("main")).to_contain_text("You already have this plan")
    await changed_once(visitor, buyer)


@_SCRIPTS
async def test_a_slow_provider_is_waited_for(
    platform: Platform, visit: OpenVisitor, scripts: bool
) -> None:
    visitor, buyer = await arrive(platform, visit, scripts=scripts)
    async with visitor.shopfront.misbehaving(latency_ms=_SLOW_MS):
        await review(visitor, buyer)
        await visitor.page.locator(CONFIRM).click()
        await expect(visitor.heading).to_have_text("Your plan is changed")
    await changed_once(visitor, buyer)


async def test_a_provider_that_is_down_says_so_and_the_form_works_afterwards(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit)
    down = [{"mode": "refused", "count": 1000}]
    async with visitor.shopfront.misbehaving(fail_next_requests=down):
        answer = await visitor.go(review_path(visitor, buyer))
        assert answer
        assert answer.status == 503
        await expect(visitor.main).to_contain_text("The payment provider does not answer right now")
        await visitor.go("/")
        await expect(visitor.main).to_contain_text("Starter")
    await review(visitor, buyer)
    async with visitor.shopfront.misbehaving(fail_next_requests=down):
        await visitor.page.locator(CONFIRM).click()
        await expect(visitor.main).to_contain_text("The payment provider does not answer right now")
    await unchanged(visitor, buyer)
    await visitor.page.go_back()
    await visitor.page.locator(CONFIRM).click()
    await expect(visitor.heading).to_have_text("Your plan is changed")
    await changed_once(visitor, buyer)


async def test_an_answer_that_is_lost_is_looked_for_while_the_page_waits(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit, scripts=False)
    await review(visitor, buyer)
    lost = [{"mode": "lost", "method": "POST", "path": "/v1/subscriptions/", "count": 20}]
    async with visitor.shopfront.misbehaving(fail_next_requests=lost):
        await visitor.page.locator(CONFIRM).click()
        await expect(visitor.heading).to_have_text("We are checking your change")
        await visitor.go("/")
        await expect(visitor.main).to_contain_text("A change is being made")
        await expect(visitor.link("Change plan")).to_have_count(0)
    assert await visitor.shopfront.plan(buyer) == "scale"
    assert len(await visitor.shopfront.invoices(buyer)) == 2


async def test_a_network_that_fails_before_the_form_arrives_changes_nothing(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit)
    await review(visitor, buyer)
    await visitor.context.set_offline(True)
    async with visitor.page.expect_event("requestfailed"):
        await visitor.page.locator(CONFIRM).click(no_wait_after=True)
    await unchanged(visitor, buyer)
    await visitor.context.set_offline(False)
    await review(visitor, buyer)
    await visitor.page.locator(CONFIRM).click()
    await expect(visitor.heading).to_have_text("Your plan is changed")
    await changed_once(visitor, buyer)


async def test_a_network_that_fails_before_the_answer_arrives_leaves_one_change(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit)
    await review(visitor, buyer)
    async with visitor.shopfront.misbehaving(latency_ms=_SLOW_MS):
        async with visitor.page.expect_event("request", lambda it: it.method == "POST"):
            await visitor.page.locator(CONFIRM).click(no_wait_after=True)
        await visitor.page.goto("about:blank")
        for _ in range(100):
            if await visitor.shopfront.changes(buyer) == ["done"]:
                break
            await asyncio.sleep(0.1)
    await visitor.go(review_path(visitor, buyer))
    await expect(visitor.main).to_contain_text("You already have this plan")
    await changed_once(visitor, buyer)


async def test_a_declined_card_changes_nothing_and_can_be_tried_again(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit, card="pm_card_chargeCustomerFail")
    await review(visitor, buyer)
    await visitor.page.locator(CONFIRM).click()
    await expect(visitor.heading).to_have_text("Your plan was not changed")
    await expect(visitor.main.get_by_role("alert")).to_contain_text("declined")
    await unchanged(visitor, buyer)
    await visitor.shopfront.use_card(buyer.customer_id, "pm_card_visa")
    await visitor.link("Try again").click()
    await visitor.page.get_by_role("radio", name=re.compile("Scale")).check()
    await visitor.button("Continue to review").click()
    await visitor.page.locator(CONFIRM).click()
    await expect(visitor.heading).to_have_text("Your plan is changed")
    assert await visitor.shopfront.changes(buyer) == ["refused", "done"]
