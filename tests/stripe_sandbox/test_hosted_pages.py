"""The hosted pages as people see them: Checkout, the bank's page and an invoice that is paid."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import stripe
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.visitor import CHROMIUM, FLAGS
from tests.stripe_sandbox.program import Account, free_port
from tests.stripe_sandbox.shop import Shop, open_shop

pytestmark = pytest.mark.browser

_WIDTHS = (1280, 390, 320)
_PASSES = "4000000000003220"
_DECLINED = "4000000000000002"
OpenWindow = Callable[..., Awaitable[Page]]


@dataclass
class Merchant:
    """The site that customers come from and go back to."""

    url: str

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The same page for everything."""
        await reader.readuntil(b"\r\n\r\n")
        body = b"<!doctype html><title>Shop</title><h1>Back at the shop</h1>"
        head = f"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {len(body)}\r\n"
        writer.write(head.encode() + b"connection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()


@pytest.fixture(scope="module")
async def merchant() -> AsyncIterator[Merchant]:
    """A site of another origin than the sandbox's."""
    port = free_port()
    merchant = Merchant(f"http://shop.localhost:{port}")
    server = await asyncio.start_server(merchant.answer, "127.0.0.1", port)
    yield merchant
    server.close()
    await server.wait_closed()


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, which reaches this machine and nothing else."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def window(browser: Browser) -> AsyncIterator[OpenWindow]:
    """Opens windows, by default without JavaScript."""
    contexts = []

    async def opened(**options: Any) -> Page:
        context = await browser.new_context(**{"java_script_enabled": False, **options})
        context.set_default_timeout(10_000)
        contexts.append(context)
        return await context.new_page()

    yield opened
    for context in contexts:
        await context.close()


async def _session(account: Account, merchant: Merchant, customer: str) -> stripe.checkout.Session:
    return await account.v1.checkout.sessions.create_async(
        {
            "mode": "setup",
            "customer": customer,
            "currency": "usd",
            "success_url": f"{merchant.url}/done?session={{CHECKOUT_SESSION_ID}}",
            "cancel_url": f"{merchant.url}/cancelled",
            "setup_intent_data": {"metadata": {"door": "blue"}},
        }
    )


async def _type_card(page: Page, number: str, *, expiry: str = "12 / 34") -> None:
    await page.get_by_label("Card number").fill(number)
    await page.get_by_label("Expiration date").fill(expiry)
    await page.get_by_label("Security code").fill("123")
    await page.get_by_label("Cardholder name").fill("Ada Lovelace")


async def _press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name).click()


async def _cards_of(account: Account, customer: str) -> list[str]:
    found = await account.v1.payment_methods.list_async({"customer": customer, "type": "card"})
    return [str(method.card.last4) for method in found.data if method.card]


async def _faults(page: Page) -> list[str]:
    """What axe finds, and in which widths something does not fit."""
    found = []
    for width in _WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        needed = await page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            found.append(f"{page.url}: {needed} px wide on {width} px")
    result = await Axe().run(page)
    for violation in result.response["violations"]:
        nodes = [node["html"] for node in violation["nodes"]]
        found.append(f"{page.url}: {violation['id']}: {nodes}")
    return found


async def test_a_card_is_left_at_checkout(
    account: Account, merchant: Merchant, window: OpenWindow
) -> None:
    shop = await open_shop(account)
    session = await _session(account, merchant, shop.customer)
    page = await window()
    await page.goto(str(session.url))
    await _type_card(page, "5555 5555 5555 4444")
    await _press(page, "Save card")
    await expect(page).to_have_url(f"{merchant.url}/done?session={session.id}")
    assert await _cards_of(account, shop.customer) == ["4444", "4242"]
    after = await account.v1.checkout.sessions.retrieve_async(
        session.id, {"expand": ["setup_intent.payment_method"]}
    )
    assert (after.status, after.url) == ("complete", None)
    assert isinstance(after.setup_intent, stripe.SetupIntent)
    assert after.setup_intent.status == "succeeded"
    assert after.setup_intent.to_dict()["metadata"] == {"door": "blue"}
    events = await shop.events(
        "payment_method.attached", "setup_intent.succeeded", "checkout.session.completed"
    )
    assert [event.type for event in events][-3:] == [
        "payment_method.attached", "setup_intent.succeeded", "checkout.session.completed",
    ]  # fmt: skip
    await page.goto(str(session.url))
    await expect(page.get_by_role("heading")).to_have_text("You're all done here")


async def test_a_declined_card_is_told_beside_what_was_typed_and_another_is_taken(
    account: Account, merchant: Merchant, window: OpenWindow
) -> None:
    shop = await open_shop(account)
    session = await _session(account, merchant, shop.customer)
    page = await window()
    await page.goto(str(session.url))
    await _type_card(page, _DECLINED)
    await _press(page, "Save card")
    number = page.get_by_label("Card number")
    await expect(number).to_have_value(_DECLINED)
    await expect(number).to_have_accessible_description("Your card was declined.")
    await expect(page.get_by_label("Cardholder name")).to_have_value("Ada Lovelace")
    await _type_card(page, "4242424242424242")
    await _press(page, "Save card")
    await expect(page).to_have_url(f"{merchant.url}/done?session={session.id}")
    assert [event.type for event in await shop.events("setup_intent.setup_failed")]


async def test_all_mistakes_are_told_at_once(
    account: Account, merchant: Merchant, window: OpenWindow
) -> None:
    shop = await open_shop(account)
    session = await _session(account, merchant, shop.customer)
    page = await window()
    await page.goto(str(session.url))
    await page.get_by_label("Card number").fill("4242424242424241")
    await page.get_by_label("Expiration date").fill("01/20")
    await _press(page, "Save card")
    for label, told in (
        ("Card number", "Your card number is invalid."),
        ("Expiration date", "Your card's expiration year is in the past."),
        ("Security code", "Your card's security code is incomplete."),
        ("Cardholder name", "Please fill out this field."),
    ):
        await expect(page.get_by_label(label)).to_have_accessible_description(told)
    assert await _cards_of(account, shop.customer) == ["4242"]


async def test_the_keyboard_alone_is_enough_and_the_bank_is_asked(
    account: Account, merchant: Merchant, window: OpenWindow
) -> None:
    shop = await open_shop(account)
    session = await _session(account, merchant, shop.customer)
    page = await window(java_script_enabled=True)
    await page.goto(str(session.url))
    for typed in (_PASSES, "1234", "123", "Ada Lovelace"):
        await page.keyboard.press("Tab")
        await page.keyboard.type(typed)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading")).to_have_text("3D Secure authentication")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("unable to authenticate")
    await _type_card(page, _PASSES)
    await _press(page, "Save card")
    await _press(page, "Complete")
    await expect(page).to_have_url(f"{merchant.url}/done?session={session.id}")
    assert await _cards_of(account, shop.customer) == ["3220", "4242"]


async def test_cancelling_leads_back_and_an_expired_page_saves_nothing(
    account: Account, merchant: Merchant, window: OpenWindow
) -> None:
    shop = await open_shop(account)
    session = await _session(account, merchant, shop.customer)
    page = await window()
    await page.goto(str(session.url))
    await page.get_by_role("link", name="Cancel and go back").click()
    await expect(page).to_have_url(f"{merchant.url}/cancelled")
    await page.go_back()
    await account.v1.checkout.sessions.expire_async(session.id)
    await _type_card(page, "4242424242424242")
    await _press(page, "Save card")
    await expect(page.get_by_role("heading")).to_have_text("This page has expired")
    assert await _cards_of(account, shop.customer) == ["4242"]


async def _incomplete(shop: Shop, card: str) -> stripe.Subscription:
    methods = shop.account.v1.payment_methods
    method = await methods.attach_async(card, {"customer": shop.customer})
    return await shop.subscribe(
        await shop.price(1_000),
        default_payment_method=method.id,
        expand=["latest_invoice.payments.data.payment.payment_intent"],
    )


def _intent_of(subscription: stripe.Subscription) -> stripe.PaymentIntent:
    invoice = subscription.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert invoice.payments
    intent = invoice.payments.data[0].payment.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    return intent


async def test_completing_at_the_bank_makes_the_subscription_active_once(
    account: Account, merchant: Merchant, window: OpenWindow
) -> None:
    shop = await open_shop(account)
    subscription = await _incomplete(shop, "pm_card_authenticationRequired")
    assert subscription.status == "incomplete"
    intent = await account.v1.payment_intents.confirm_async(
        _intent_of(subscription).id, {"return_url": f"{merchant.url}/back?a=b",
                                      "payment_method": str(subscription.default_payment_method)}
    )  # fmt: skip
    assert (intent.status, intent.next_action and intent.next_action.type) == (
        "requires_action", "redirect_to_url",
    )  # fmt: skip
    assert intent.next_action
    assert intent.next_action.redirect_to_url
    bank = str(intent.next_action.redirect_to_url.url)
    page = await window()
    await page.goto(bank)
    await page.get_by_role("button", name="Complete").dblclick()
    await page.wait_for_url(f"{merchant.url}/**")
    told = parse_qs(urlsplit(page.url).query)
    assert told == {
        "a": ["b"],
        "payment_intent": [intent.id],
        "payment_intent_client_secret": [str(intent.client_secret)],
        "redirect_status": ["succeeded"],
    }
    after = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert after.status == "active"
    assert [charge["status"] for charge in await account.charges()] == ["succeeded"]
    # Neither the back button nor the old address does it again.
    await page.goto(bank)
    await page.wait_for_url(f"{merchant.url}/**")
    assert len(await account.charges()) == 1
    order = ("payment_intent.requires_action", "invoice.payment_action_required",
             "charge.succeeded", "payment_intent.succeeded", "invoice.paid",
             "customer.subscription.updated")  # fmt: skip
    seen = [event.type for event in await shop.events(*order)]
    assert seen[-4:] == list(order[2:])


async def test_failing_at_the_bank_leaves_it_unpaid_and_without_a_charge(
    account: Account, merchant: Merchant, window: OpenWindow
) -> None:
    shop = await open_shop(account)
    subscription = await _incomplete(shop, "pm_card_authenticationRequired")
    intent = await account.v1.payment_intents.confirm_async(
        _intent_of(subscription).id, {"return_url": merchant.url}
    )
    assert intent.next_action
    assert intent.next_action.redirect_to_url
    page = await window()
    await page.goto(str(intent.next_action.redirect_to_url.url))
    await _press(page, "Fail")
    await page.wait_for_url(f"{merchant.url}/**")
    assert "redirect_status=failed" in page.url
    after = await account.v1.payment_intents.retrieve_async(intent.id)
    assert after.status == "requires_payment_method"
    assert after.last_payment_error
    assert after.last_payment_error.code == "payment_intent_authentication_failure"
    assert await account.charges() == []
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert found.status == "incomplete"


async def _overdue(shop: Shop) -> stripe.Invoice:
    """An open invoice whose first card was refused."""
    await shop.refuse_card("insufficient_funds")
    await shop.subscribe(await shop.price(1_234))
    return (await shop.invoices())[0]


async def test_an_invoice_is_paid_with_a_new_card_after_a_saved_one_was_refused(
    account: Account, window: OpenWindow
) -> None:
    shop = await open_shop(account)
    invoice = await _overdue(shop)
    page = await window()
    await page.goto(str(invoice.hosted_invoice_url))
    await expect(page.get_by_role("radio", name="•••• 4242")).to_be_checked()
    await _press(page, "Pay $12.34")
    await expect(page.get_by_role("alert")).to_have_text("Your card has insufficient funds.")
    await page.get_by_role("radio", name="Another card").check()
    await _type_card(page, _DECLINED)
    await _press(page, "Pay $12.34")
    await expect(page.get_by_label("Card number")).to_have_accessible_description(
        "Your card was declined."
    )
    await _type_card(page, "5555555555554444")
    await _press(page, "Pay $12.34")
    await expect(page.locator("main")).to_contain_text("Paid on")
    assert (await shop.invoices())[0].status == "paid"
    listed = await account.v1.subscriptions.list_async({"customer": shop.customer})
    assert listed.data[0].status == "active"


@pytest.mark.parametrize(("pressed", "status"), [("Complete", "paid"), ("Fail", "open")])
async def test_an_invoice_is_paid_by_a_card_whose_bank_asks(
    account: Account, window: OpenWindow, pressed: str, status: str
) -> None:
    shop = await open_shop(account)
    invoice = await _overdue(shop)
    page = await window()
    await page.goto(str(invoice.hosted_invoice_url))
    await page.get_by_role("radio", name="Another card").check()
    await _type_card(page, _PASSES)
    await _press(page, "Pay $12.34")
    await _press(page, pressed)
    await expect(page).to_have_url(str(invoice.hosted_invoice_url))
    told = "Paid on" if pressed == "Complete" else "unable to authenticate"
    await expect(page.locator("main")).to_contain_text(told)
    assert (await shop.invoices())[0].status == status


async def test_what_cannot_be_paid_says_so(account: Account, window: OpenWindow) -> None:
    shop = await open_shop(account)
    invoice = await _overdue(shop)
    await account.v1.invoices.void_invoice_async(invoice.id)
    page = await window()
    await page.goto(str(invoice.hosted_invoice_url))
    await expect(page.locator("main")).to_contain_text("This invoice has been voided")
    await expect(page.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_fits_and_axe_finds_nothing(
    account: Account, merchant: Merchant, window: OpenWindow, scheme: str
) -> None:
    shop = await open_shop(account)
    invoice = await _overdue(shop)
    session = await _session(account, merchant, shop.customer)
    page = await window(java_script_enabled=True, color_scheme=scheme)
    await page.goto(str(session.url))
    found = await _faults(page)
    await _type_card(page, "4242424242424241")
    await _press(page, "Save card")
    found += await _faults(page)
    await _type_card(page, _PASSES)
    await _press(page, "Save card")
    found += await _faults(page)
    await _press(page, "Fail")
    found += await _faults(page)
    await page.goto(str(invoice.hosted_invoice_url))
    found += await _faults(page)
    await page.get_by_role("radio", name="Another card").check()
    await _type_card(page, "4242424242424242")
    found += await _faults(page)
    await _press(page, "Pay $12.34")
    await expect(page.locator("main")).to_contain_text("Paid on")
    found += await _faults(page)
    assert found == []
