"""The ten-minute path, through pages alone: a new merchant, and a customer under its new rule."""

import re
import secrets
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from guichet.demo.history import stripe_client
from tests.browser.platform import Platform

pytestmark = pytest.mark.browser

_PATIENCE_MS = 30_000
_RELOADS = 30
_NAME = "Café Ornithorynque"
_SLUG = "ornithorynque"
_PERSON = "selma@example.com"


class Account:
    """The merchant's account at the sandbox, with two prices and a customer on the small one."""

    def __init__(self, url: str) -> None:
        self.key = f"sk_test_{secrets.token_hex(12)}"
        self.api = stripe_client(self.key, url).v1
        self.small = self.large = self.subscription = ""

    async def open(self) -> None:
        self.small = await self._price("Small roast", 900)
        self.large = await self._price("Large roast", 2100)
        customer = await self.api.customers.create_async({"email": _PERSON, "name": "Selma Aydın"})
        method = await self.api.payment_methods.attach_async(
            "pm_card_visa", {"customer": customer.id}
        )
        await self.api.customers.update_async(
            customer.id, {"invoice_settings": {"default_payment_method": method.id}}
        )
        made = await self.api.subscriptions.create_async(
            {"customer": customer.id, "items": [{"price": self.small}]}
        )
        self.subscription = made.id

    async def _price(self, name: str, amount: int) -> str:
        product = await self.api.products.create_async({"name": name})
        price = await self.api.prices.create_async(
            {
                "product": product.id,
                "unit_amount": amount,
                "currency": "eur",
                "recurring": {"interval": "month"},
            }
        )
        return price.id


@pytest.fixture
async def account(platform: Platform) -> Account:
    account = Account(platform.settings.stripe_url)
    await account.open()
    await platform.introduce(_PERSON)
    return account


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A window of somebody who reads English."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="en")
    context.set_default_timeout(_PATIENCE_MS)
    yield await context.new_page()
    await context.close()


async def _sign_in(page: Page, email: str) -> None:
    await (
        page.locator("main")
        .get_by_role("link")
        .or_(page.locator("main").get_by_role("button"))
        .first.click()
    )
    await page.locator("input[name=sub]").fill(email)
    await page.locator("button").first.click()


async def _save(page: Page) -> None:
    await page.get_by_role("button", name="Save draft").click()
    await expect(page.locator(".notice.positive").first).to_contain_text("Saved in the draft")


async def _until(page: Page, text: str) -> None:
    """Load the page again until it says so: work in the background takes a moment."""
    for _ in range(_RELOADS):
        if await page.get_by_text(text, exact=True).count():
            return
        await page.wait_for_timeout(1000)
        await page.reload()
    raise AssertionError(f"{page.url} never said {text}")


async def _begin(page: Page, console: str) -> None:
    """A merchant of the agency's, with an address of its own."""
    await page.goto(f"{console}/agencies/atelier")
    await _sign_in(page, "owner@atelier.example")
    await page.get_by_role("link", name="New merchant").first.click()
    await page.locator("#name").fill(_NAME)
    await page.get_by_role("button", name="Go on").click()
    await page.locator("#slug").fill(_SLUG)
    await page.get_by_role("button", name="Create the portal").click()
    await page.wait_for_url(re.compile(rf"/merchants/{_SLUG}"))


async def _connect(page: Page, workspace: str, account: Account) -> None:
    await page.goto(f"{workspace}/connections")
    await page.locator("#key").fill(account.key)
    await page.get_by_role("button", name="Check and connect").click()
    await expect(page.locator(".notice.positive").first).to_contain_text("The account is connected")
    assert account.key not in await page.content()


async def _offer_both(page: Page, workspace: str, account: Account) -> None:
    await page.goto(f"{workspace}/plans")
    await _until(page, account.large)
    for price in (account.small, account.large):
        await page.locator(f"button[value='add:{price}']").click()
        await page.wait_for_load_state()
    await _save(page)


async def _brand(page: Page, workspace: str) -> None:
    await page.goto(f"{workspace}/branding")
    await page.locator("[id='branding.light.accent']").fill("#7a1f5c")
    await page.locator("[id='branding.headline.en']").fill("Coffee, and how you pay for it.")
    await _save(page)


async def _rule(page: Page, workspace: str) -> None:
    """Upgrades wait for the end of the period."""
    await page.goto(f"{workspace}/changes")
    await page.locator("[name='changes.upgrade']").select_option("period_end")
    await _save(page)


async def _let_sign_in(page: Page, workspace: str, issuer: str) -> None:
    await page.goto(f"{workspace}/sign-in-providers")
    await page.get_by_role("link", name="Add another provider").click()
    values = {"label": _NAME, "id": "own", "issuer": issuer, "client_id": "guichet"}
    for name, value in values.items():
        await page.locator(f"[id='identity_providers[0].{name}']").fill(value)
    await _save(page)
    await page.locator("#secret-own").fill(secrets.token_urlsafe(16))
    await page.get_by_role("button", name="Keep the secret").click()
    await expect(page.locator("#own")).to_contain_text("Secret set")


async def _publish(page: Page, workspace: str) -> None:
    await page.goto(f"{workspace}/publish")
    await expect(page.locator("main")).to_contain_text("#7a1f5c")
    await page.locator("[name=reason]").fill("The portal opens.")
    await page.get_by_role("button", name="Publish", exact=True).click()
    await expect(page.locator("main")).to_contain_text("Customers see it now")


async def test_a_new_merchant_is_live_and_a_customer_changes_plan_under_its_rule(
    platform: Platform, page: Page, account: Account
) -> None:
    console = platform.base_url.replace("http://", "http://console.")
    portal = platform.base_url.replace("http://", f"http://{_SLUG}.")
    workspace = f"{console}/merchants/{_SLUG}"
    await _begin(page, console)
    await _connect(page, workspace, account)
    await _offer_both(page, workspace, account)
    await _brand(page, workspace)
    await _rule(page, workspace)
    await _let_sign_in(page, workspace, platform.issuer)
    await _publish(page, workspace)

    await page.goto(portal)
    await _sign_in(page, _PERSON)
    await expect(page.locator("h1")).to_have_text("Coffee, and how you pay for it.")
    await page.get_by_role("link", name="Change plan").click()
    chosen = page.locator(f"input[name=price][value='{account.large}']")
    await expect(page.locator(".option", has=chosen)).to_contain_text("Starts on")
    await chosen.check()
    await page.get_by_role("button", name="Continue to review").click()
    await expect(page.locator("main")).to_contain_text("€21.00")
    await page.get_by_role("button", name="Confirm the change").click()
    await expect(page.locator("main")).to_contain_text("Large roast")
    subscription = await account.api.subscriptions.retrieve_async(account.subscription)
    assert subscription["items"].data[0].price.id == account.small
    assert subscription.schedule, "the change waits for the end of the period"
