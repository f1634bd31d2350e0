"""Support in a customer's portal, with real addresses, cookies and policies."""

import contextlib
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.platform import Platform

pytestmark = pytest.mark.browser


@contextlib.asynccontextmanager
async def _window(browser: Browser, *, scripts: bool) -> AsyncIterator[Page]:
    """A window of somebody who reads English."""
    context = await browser.new_context(locale="en", java_script_enabled=scripts)
    context.set_default_timeout(15_000)
    yield await context.new_page()
    await context.close()


async def _sign_in(page: Page, person: str) -> None:
    """Through the demo's identity provider."""
    await page.locator("main a.button").first.click()
    await page.locator("input[name=sub]").fill(person)
    await page.locator("button").first.click()


async def _find(page: Page, platform: Platform, email: str) -> str:
    """Open the customer's page in the console, as one of Lumen's; answers its address."""
    console = platform.base_url.replace("http://", "http://console.")
    await page.goto(f"{console}/sign-in")
    await _sign_in(page, "admin@lumen.example")
    await page.wait_for_url(re.compile("/merchants/lumen"))
    await page.goto(f"{console}/merchants/lumen/customers?q={email}")
    await page.locator("main a[href*='/customers/cus_']").first.click()
    return page.url


@pytest.mark.parametrize("scripts", [True, False])
async def test_the_way_in_and_back(platform: Platform, browser: Browser, scripts: bool) -> None:
    async with _window(browser, scripts=scripts) as page:
        portal = platform.shopfronts["lumen"].origin
        # In the same browser somebody is signed in as a customer.
        await page.goto(portal)
        await _sign_in(page, "zoe@example.com")
        await expect(page.locator(".who-name")).to_contain_text("Zo")
        story = await _find(page, platform, "linus@example.com")
        await page.get_by_role("link", name="See their portal").click()
        await page.locator("[name=reason]").fill("Cannot find an invoice.")
        addresses: list[str] = []
        page.on("request", lambda request: addresses.append(request.url))
        await page.get_by_role("button", name="See their portal").click()
        if not scripts:
            await page.get_by_role("button", name="Open the portal").click()
        await page.wait_for_url(f"{portal}/")
        mark = page.get_by_role("complementary", name="Support view")
        await expect(mark).to_contain_text("Nothing can be changed.")
        await expect(page.locator(".who-name")).to_contain_text("Linus")
        await expect(page.get_by_role("button", name="Sign out")).to_be_disabled()
        assert f"{portal}/support-view" in addresses
        assert not [url for url in addresses if re.search(r"\b[A-Za-z0-9_-]{43}\b", url)]
        await page.get_by_role("button", name="End the view").click()
        await page.wait_for_url(story)
        await page.goto(portal)
        await expect(page.locator(".who-name")).to_contain_text("Zo")
