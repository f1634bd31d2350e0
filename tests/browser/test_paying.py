"""A customer who owes an invoice pays it in a real browser: through the bank, and not."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenVisitor
from tests.browser.platform import Buyer, Platform, Shopfront
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

ASKS_THE_BANK = "pm_card_authenticationRequired"
PAID = "Thank you, this is paid"
_SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
_LOOKS = 150


async def owe(shopfront: Shopfront, buyer: Buyer) -> str:
    """Have somebody owe seven dollars; answers the invoice's id."""
    client = shopfront.stripe.v1
    draft = await client.invoices.create_async(
        {"customer": buyer.customer_id, "currency": "usd", "auto_advance": False}
    )
    await client.invoice_items.create_async(
        {"customer": buyer.customer_id, "invoice": draft.id, "amount": 700, "currency": "usd"}
    )
    return (await client.invoices.finalize_invoice_async(draft.id)).id


async def arrive(
    platform: Platform, visit: OpenVisitor, card: str, *, scripts: bool = True, width: int = 1280
) -> tuple[Visitor, str]:
    """Somebody signed in at the page of what they owe; and the invoice's id."""
    shopfront = platform.shopfronts["lumen"]
    buyer = await shopfront.new_buyer("starter", card)
    invoice_id = await owe(shopfront, buyer)
    visitor = await visit("lumen", width=width, java_script_enabled=scripts)
    await visitor.sign_in(buyer.email)
    await expect(visitor.heading).to_have_count(1)
    for _ in range(_LOOKS):
        # The event that tells of the invoice may still be on its way.
        answer = await visitor.go(f"/invoices/{invoice_id}/pay")
        if answer is not None and answer.status == 200:
            return visitor, invoice_id
        await asyncio.sleep(0.1)
    raise AssertionError("the invoice never arrived")


async def status_of(visitor: Visitor, invoice_id: str) -> str | None:
    """How the invoice stands at the provider."""
    return (await visitor.shopfront.stripe.v1.invoices.retrieve_async(invoice_id)).status


async def answer_the_bank(visitor: Visitor, outcome: str) -> None:
    """Press one of the two buttons of the bank's page."""
    await visitor.page.locator(f'button[name="outcome"][value="{outcome}"]').click()


@_SCRIPTS
async def test_a_payment_is_confirmed_at_the_bank(
    platform: Platform, visit: OpenVisitor, scripts: bool
) -> None:
    visitor, invoice_id = await arrive(platform, visit, ASKS_THE_BANK, scripts=scripts)
    await visitor.button("Pay %(amount)s", amount="$7.00").click()
    await answer_the_bank(visitor, "complete")
    await expect(visitor.heading).to_have_text(PAID)
    assert await status_of(visitor, invoice_id) == "paid"
    await visitor.page.reload()
    await expect(visitor.heading).to_have_text(PAID)


async def test_a_customer_whom_the_bank_refuses_pays_with_a_new_card(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, invoice_id = await arrive(platform, visit, ASKS_THE_BANK, width=390)
    await visitor.button("Pay %(amount)s", amount="$7.00").click()
    await answer_the_bank(visitor, "fail")
    await expect(visitor.page.get_by_role("alert")).to_be_visible()
    assert not await visitor.scrolls_sideways()
    assert await status_of(visitor, invoice_id) == "open"
    await visitor.button("Pay with another card").click()
    fields = {"number": "4242424242424242", "expiry": "12 / 40", "cvc": "123", "name": "Ada"}
    for name, value in fields.items():
        await visitor.page.locator(f'[name="{name}"]').fill(value)
    await visitor.page.locator('[name="name"]').press("Enter")
    await expect(visitor.heading).to_have_text(PAID)
    assert await status_of(visitor, invoice_id) == "paid"


async def test_the_back_button_at_the_bank_leads_to_the_page_before(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, invoice_id = await arrive(platform, visit, ASKS_THE_BANK)
    await visitor.button("Pay %(amount)s", amount="$7.00").click()
    await expect(visitor.page.locator('button[name="outcome"]')).to_have_count(2)
    await visitor.page.go_back()
    # No page in between sends them to the bank again.
    await expect(visitor.heading).to_have_text("Pay $7.00")
    assert visitor.path == f"/invoices/{invoice_id}/pay"
    # What waits at the bank gives way to what is asked for now.
    await visitor.button("Pay %(amount)s", amount="$7.00").click()
    await answer_the_bank(visitor, "complete")
    await expect(visitor.heading).to_have_text(PAID)
    await visitor.go(f"/invoices/{invoice_id}/pay")
    await expect(visitor.heading).to_have_text(PAID)


@_SCRIPTS
async def test_a_double_click_pays_once(
    platform: Platform, visit: OpenVisitor, scripts: bool
) -> None:
    visitor, invoice_id = await arrive(platform, visit, "pm_card_visa", scripts=scripts)
    async with visitor.shopfront.misbehaving(latency_ms=300):
        pay = visitor.button("Pay %(amount)s", amount="$7.00")
        await pay.dblclick(no_wait_after=True)
        await expect(visitor.heading).to_have_text(PAID)
    assert await status_of(visitor, invoice_id) == "paid"


async def test_paying_takes_a_keyboard_and_nothing_else(
    platform: Platform, visit: OpenVisitor
) -> None:
    visitor, invoice_id = await arrive(platform, visit, "pm_card_visa", scripts=False)
    page = visitor.page
    for _ in range(30):
        await page.keyboard.press("Tab")
        chosen = await page.evaluate("document.activeElement.getAttribute('name')")
        if chosen == "method":
            break
    assert chosen == "method"
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(visitor.heading).to_have_text(PAID)
    assert await status_of(visitor, invoice_id) == "paid"
