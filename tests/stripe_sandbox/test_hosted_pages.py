"""The hosted pages as people see them: the bank's page, an invoice that is paid, all that fits."""

from urllib.parse import parse_qs, urlsplit

import pytest
import stripe
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Page, expect

from tests.stripe_sandbox.hosted import (
    DECLINED,
    PASSES,
    Merchant,
    OpenWindow,
    open_session,
    press,
    type_card,
)
from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import Shop, open_shop

pytestmark = pytest.mark.browser

_WIDTHS = (1280, 390, 320)


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
    await press(page, "Fail")
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
    await press(page, "Pay $12.34")
    await expect(page.get_by_role("alert")).to_have_text("Your card has insufficient funds.")
    await page.get_by_role("radio", name="Another card").check()
    await type_card(page, DECLINED)
    await press(page, "Pay $12.34")
    await expect(page.get_by_label("Card number")).to_have_accessible_description(
        "Your card was declined."
    )
    await type_card(page, "5555555555554444")
    await press(page, "Pay $12.34")
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
    await type_card(page, PASSES)
    await press(page, "Pay $12.34")
    await press(page, pressed)
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_fits_and_axe_finds_nothing(
    account: Account, merchant: Merchant, window: OpenWindow, scheme: str
) -> None:
    shop = await open_shop(account)
    invoice = await _overdue(shop)
    session = await open_session(account, merchant, shop.customer)
    page = await window(java_script_enabled=True, color_scheme=scheme)
    await page.goto(str(session.url))
    found = await _faults(page)
    await type_card(page, "4242424242424241")
    await press(page, "Save card")
    found += await _faults(page)
    await type_card(page, PASSES)
    await press(page, "Save card")
    found += await _faults(page)
    await press(page, "Fail")
    found += await _faults(page)
    await page.goto(str(invoice.hosted_invoice_url))
    found += await _faults(page)
    await page.get_by_role("radio", name="Another card").check()
    await type_card(page, "4242424242424242")
    found += await _faults(page)
    await press(page, "Pay $12.34")
    await expect(page.locator("main")).to_contain_text("Paid on")
    found += await _faults(page)
    assert found == []
