"""Checkout as people see it: a card that is left, declined, mistyped, or not given."""

import pytest
import stripe
from playwright.async_api import expect

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
from tests.stripe_sandbox.shop import open_shop

pytestmark = pytest.mark.browser


async def _cards_of(account: Account, customer: str) -> list[str]:
    found = await account.v1.payment_methods.list_async({"customer": customer, "type": "card"})
    return [str(method.card.last4) for method in found.data if method.card]


async def test_a_card_is_left_at_checkout(
    account: Account, merchant: Merchant, window: OpenWindow
) -> None:
    shop = await open_shop(account)
    session = await open_session(account, merchant, shop.customer)
    page = await window()
    await page.goto(str(session.url))
    await type_card(page, "5555 5555 5555 4444")
    await press(page, "Save card")
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
    session = await open_session(account, merchant, shop.customer)
    page = await window()
    await page.goto(str(session.url))
    await type_card(page, DECLINED)
    await press(page, "Save card")
    number = page.get_by_label("Card number")
    await expect(number).to_have_value(DECLINED)
    await expect(number).to_have_accessible_description("Your card was declined.")
    await expect(page.get_by_label("Cardholder name")).to_have_value("Ada Lovelace")
    await type_card(page, "4242424242424242")
    await press(page, "Save card")
    await expect(page).to_have_url(f"{merchant.url}/done?session={session.id}")
    assert [event.type for event in await shop.events("setup_intent.setup_failed")]


async def test_all_mistakes_are_told_at_once(
    account: Account, merchant: Merchant, window: OpenWindow
) -> None:
    shop = await open_shop(account)
    session = await open_session(account, merchant, shop.customer)
    page = await window()
    await page.goto(str(session.url))
    await page.get_by_label("Card number").fill("4242424242424241")
    await page.get_by_label("Expiration date").fill("01/20")
    await press(page, "Save card")
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
    session = await open_session(account, merchant, shop.customer)
    page = await window(java_script_enabled=True)
    await page.goto(str(session.url))
    for typed in (PASSES, "1234", "123", "Ada Lovelace"):
        await page.keyboard.press("Tab")
        await page.keyboard.type(typed)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading")).to_have_text("3D Secure authentication")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("unable to authenticate")
    await type_card(page, PASSES)
    await press(page, "Save card")
    await press(page, "Complete")
    await expect(page).to_have_url(f"{merchant.url}/done?session={session.id}")
    assert await _cards_of(account, shop.customer) == ["3220", "4242"]


async def test_cancelling_leads_back_and_an_expired_page_saves_nothing(
    account: Account, merchant: Merchant, window: OpenWindow
) -> None:
    shop = await open_shop(account)
    session = await open_session(account, merchant, shop.customer)
    page = await window()
    await page.goto(str(session.url))
    await page.get_by_role("link", name="Cancel and go back").click()
    await expect(page).to_have_url(f"{merchant.url}/cancelled")
    await page.go_back()
    await account.v1.checkout.sessions.expire_async(session.id)
    await type_card(page, "4242424242424242")
    await press(page, "Save card")
    await expect(page.get_by_role("heading")).to_have_text("This page has expired")
    assert await _cards_of(account, shop.customer) == ["4242"]
