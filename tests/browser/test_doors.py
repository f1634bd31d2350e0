"""Coming in and being put out: sessions that end, sign-ins that fail, portals that are closed."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenVisitor
from tests.browser.platform import Platform
from tests.browser.upgrades import CONFIRM, arrive, review, review_path, unchanged
from tests.browser.visitor import Visitor
from tests.cli.running import run_guichet

pytestmark = pytest.mark.browser


async def test_a_session_that_ends_in_another_tab_ends_here_and_comes_back_to_the_page(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit)
    await review(visitor, buyer)
    other = await visitor.context.new_page()
    await other.goto(visitor.shopfront.origin)
    await other.get_by_role("button", name="Sign out").click()
    await visitor.page.locator(CONFIRM).click()
    assert visitor.path.startswith("/sign-in?next=")
    await unchanged(visitor, buyer)
    await visitor.sign_in(buyer.email)
    assert visitor.path == review_path(visitor, buyer)
    await visitor.page.locator(CONFIRM).click()
    await expect(visitor.heading).to_have_text("Your plan is changed")


async def test_a_session_that_expires_leads_back_to_the_page_that_was_wanted(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, buyer = await arrive(platform, visit, scripts=False)
    await visitor.go(f"/subscriptions/{buyer.subscription_id}/change")
    await visitor.shopfront.end_sessions(buyer)
    await visitor.page.get_by_role("radio", name=re.compile("Scale")).check()
    await visitor.button("Continue to review").click()
    assert visitor.path.startswith("/sign-in?next=")
    await visitor.page.get_by_role("link", name="Français").click()
    visitor.locale = "fr"
    await visitor.sign_in(buyer.email)
    await expect(visitor.heading).to_have_text("Vérifiez votre changement")
    await expect(visitor.main).to_contain_text("Scale")


async def test_a_sign_in_that_is_declined_says_so_and_can_be_repeated(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor = await visit("lumen")
    await visitor.go("/invoices")
    await visitor.link("Continue with %(provider)s", provider="Lumen").click()
    await visitor.page.get_by_role("button", name="Deny").click()
    await expect(visitor.main).to_contain_text("You did not finish signing in")
    await visitor.link("Try again").click()
    await visitor.sign_in("ada@example.com")
    await expect(visitor.heading).to_have_text("Your Lumen subscription, in one place.")


async def test_nobody_is_made_a_customer_by_signing_in(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor = await visit("lumen")
    before = await visitor.shopfront.count_customers()
    await platform.introduce("nobody@example.com")
    await visitor.sign_in("nobody@example.com")
    await expect(visitor.main).to_contain_text("nobody@example.com")
    assert await visitor.shopfront.count_customers() == before
    await visitor.go("/")
    assert visitor.path == "/sign-in"


async def test_an_address_that_nobody_verified_opens_nothing(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor = await visit("lumen")
    await platform.introduce("grace@example.org", email="grace@example.com", email_verified=False)
    await visitor.sign_in("grace@example.org")
    await expect(visitor.main).to_contain_text("has not confirmed your email address")
    await visitor.go("/")
    assert visitor.path == "/sign-in"


async def test_a_host_without_a_portal_says_so(platform: Platform, visit: OpenVisitor) -> None:
    visitor = await visit("lumen")
    answer = await visitor.page.goto(f"http://nobody.{platform.settings.base_domain}/")
    assert answer
    assert answer.status == 404
    await expect(visitor.main).to_contain_text("There is no portal at this address")


async def test_a_suspended_portal_says_so_and_comes_back(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor = await visit("volta")
    environ = platform.environ()
    assert run_guichet("tenant", "suspend", "volta", environ=environ).returncode == 0
    try:
        await _until(visitor, "This portal is closed")
    finally:
        assert run_guichet("tenant", "resume", "volta", environ=environ).returncode == 0
    await _until(visitor, "Power, on your terms.")


async def _until(visitor: Visitor, heading: str) -> None:
    """Reload until a change of the directory has come to the web process."""
    for _ in range(20):
        await visitor.go("/sign-in")
        if heading in (await visitor.heading.text_content() or ""):
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"never shown: {heading}")
