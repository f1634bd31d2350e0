"""The main job without a mouse, the focus always to be seen."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import OpenVisitor
from tests.browser.platform import Buyer, Platform
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


async def _tab_to(page: Page, label: str) -> None:
    """Press Tab until the element with this text or name has the focus, and can be seen to."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        focus = await page.evaluate(
            """() => {
              const it = document.activeElement;
              const text = it.labels?.length ? it.labels[0].innerText : it.innerText;
              const card = it.closest('.option') ?? it;
              const seen = [it, card].map((each) => getComputedStyle(each));
              return {
                text: text ?? '',
                outlined: seen.some((each) => each.outlineStyle !== 'none'
                  && parseFloat(each.outlineWidth) >= 2),
              };
            }"""
        )
        if focus["text"].strip().lower().startswith(label.lower()):
            assert focus["outlined"], f"the focus on {label} cannot be seen"
            return
    raise AssertionError(f"Tab never comes to {label}")


@pytest.mark.parametrize(
    ("slug", "small", "large"), [("lumen", "Starter", "Team"), ("volta", "Spark", "Current")]
)
async def test_the_main_job_needs_no_mouse(
    platform: Platform, visit: OpenVisitor, slug: str, small: str, large: str
) -> None:
    buyer = await platform.shopfronts[slug].new_buyer(small.lower())
    visitor = await visit(slug)
    await _sign_in(visitor, buyer)
    await _upgrade(visitor, small, large)
    await _cancel(visitor, large)
    await _tab_to(visitor.page, "Sign out")
    await visitor.page.keyboard.press("Enter")
    await visitor.page.wait_for_url("**/sign-in")
    assert await visitor.shopfront.changes(buyer) == ["done", "done"]


async def _press(visitor: Visitor, label: str, key: str, heading: str) -> None:
    """Go to what has this label, press a key there, and see another page."""
    await _tab_to(visitor.page, label)
    await visitor.page.keyboard.press(key)
    await expect(visitor.heading).to_have_text(heading)


async def _sign_in(visitor: Visitor, buyer: Buyer) -> None:
    await visitor.go("/sign-in")
    await _tab_to(visitor.page, "Continue with")
    await visitor.page.keyboard.press("Enter")
    await visitor.page.get_by_placeholder("sub", exact=True).fill(buyer.email)
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.locator("article.subscription")).to_be_visible()


async def _upgrade(visitor: Visitor, small: str, large: str) -> None:
    await _press(visitor, "Change plan", "Enter", "Choose a plan")
    await _tab_to(visitor.page, small)
    await visitor.page.keyboard.press("ArrowDown")
    chosen = visitor.page.get_by_role("radio", name=re.compile(large)).first
    await expect(chosen).to_be_checked()
    await _press(visitor, "Continue to review", "Space", "Review your change")
    await _press(visitor, "Confirm and pay", "Space", "Your plan is changed")


async def _cancel(visitor: Visitor, large: str) -> None:
    home = visitor.shopfront.merchant.branding.headline["en"]
    await _press(visitor, "Back to my subscriptions", "Enter", home)
    await _press(visitor, "Cancel subscription", "Enter", f"Cancel {large}?")
    await _press(visitor, "Cancel subscription", "Enter", "Your subscription will end")
