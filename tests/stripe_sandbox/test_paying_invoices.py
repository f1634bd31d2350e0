"""Invoices and subscriptions whose payment is declined, or waits for the bank."""

from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.intents import BACK, answer_bank
from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import DAY, START, Shop, open_shop

_ACTION_CODE = "invoice_payment_intent_requires_action"


async def _keep(shop: Shop, card: str) -> str:
    """Make a card the customer's default."""
    method = await shop.account.v1.payment_methods.attach_async(card, {"customer": shop.customer})
    settings: Any = {"invoice_settings": {"default_payment_method": method.id}}
    await shop.account.v1.customers.update_async(shop.customer, settings)
    return method.id


async def test_a_first_invoice_waits_for_the_bank_without_a_charge(account: Account) -> None:
    shop = await open_shop(account)
    await _keep(shop, "pm_card_authenticationRequired")
    subscription = await shop.subscribe(
        await shop.price(1_000), expand=["latest_invoice.payments.data.payment.payment_intent"]
    )
    assert subscription.status == "incomplete"
    answer: Any = subscription.to_dict()
    intent = answer["latest_invoice"]["payments"]["data"][0]["payment"]["payment_intent"]
    assert (intent["status"], intent["next_action"]["type"]) == (
        "requires_action", "use_stripe_sdk",
    )  # fmt: skip
    assert await account.charges() == []
    types = ("payment_intent.requires_action", "invoice.payment_action_required",
             "invoice.payment_failed")  # fmt: skip
    assert [event.type for event in await shop.events(*types)] == list(types)


async def test_a_renewal_whose_bank_asks_fails_while_the_customer_is_away(account: Account) -> None:
    shop = await open_shop(account)
    await shop.subscribe(await shop.price(1_000))
    await _keep(shop, "pm_card_authenticationRequired")
    await shop.advance(START + 29 * DAY)
    invoice = (await shop.invoices())[0]
    (failed, _) = await account.charges()
    assert failed["outcome"]["reason"] == "authentication_required"
    assert len(await shop.events("invoice.payment_action_required")) == 1
    with pytest.raises(stripe.CardError) as away:
        await account.v1.invoices.pay_async(invoice.id)
    assert away.value.code == "authentication_required"
    with pytest.raises(stripe.CardError) as present:
        await account.v1.invoices.pay_async(invoice.id, {"off_session": False})
    error: Any = present.value.json_body
    assert error["error"]["code"] == _ACTION_CODE
    assert error["error"]["payment_intent"]["status"] == "requires_action"
    confirmed = await account.v1.payment_intents.confirm_async(
        error["error"]["payment_intent"]["id"], {"return_url": BACK}
    )
    await answer_bank(confirmed, "complete")
    listed = await account.v1.subscriptions.list_async({"customer": shop.customer})
    assert listed.data[0].status == "active"
    assert (await shop.invoices())[0].status == "paid"


async def test_a_voided_invoice_takes_its_intent_along(account: Account) -> None:
    shop = await open_shop(account)
    await _keep(shop, "pm_card_authenticationRequired")
    subscription = await shop.subscribe(await shop.price(1_000))
    voided = await account.v1.invoices.void_invoice_async(
        str(subscription.latest_invoice), {"expand": ["payments.data.payment.payment_intent"]}
    )
    assert voided.payments
    (payment,) = voided.payments.data
    intent: Any = payment.payment.payment_intent
    assert (payment.status, intent.status, intent.cancellation_reason) == (
        "canceled", "canceled", "void_invoice",
    )  # fmt: skip


async def test_a_refused_change_leaves_the_failed_charge_and_nothing_else(account: Account) -> None:
    shop = await open_shop(account)
    await shop.refuse_card("insufficient_funds")
    price = await shop.price(1_000)
    with pytest.raises(stripe.CardError) as refused:
        await shop.subscribe(price, payment_behavior="error_if_incomplete")
    error: Any = refused.value.json_body
    assert error["error"]["decline_code"] == "insufficient_funds"
    (charge,) = await account.charges()
    assert (charge["id"], charge["status"]) == (error["error"]["charge"], "failed")
    intent = await account.v1.payment_intents.retrieve_async(charge["payment_intent"])
    assert intent.status == "canceled"
    assert await shop.invoices() == []
    everything = {"customer": shop.customer, "status": "all"}
    found = await account.http.get("/v1/subscriptions", params=everything)
    assert found.json()["data"] == []
    types = ("charge.failed", "invoice.created", "invoice.payment_failed")
    assert [event.type for event in await shop.events(*types)] == ["charge.failed"]


async def test_a_change_whose_bank_asks_is_refused_whole(account: Account) -> None:
    shop = await open_shop(account)
    await _keep(shop, "pm_card_authenticationRequired")
    with pytest.raises(stripe.CardError) as refused:
        await shop.subscribe(await shop.price(1_000), payment_behavior="error_if_incomplete")
    assert refused.value.code == "subscription_payment_intent_requires_action"
    assert await account.charges() == []


async def test_an_invoice_paid_elsewhere_is_not_charged(account: Account) -> None:
    shop = await open_shop(account)
    await shop.refuse_card("insufficient_funds")
    subscription = await shop.subscribe(await shop.price(1_000))
    paid = await account.v1.invoices.pay_async(
        str(subscription.latest_invoice), {"paid_out_of_band": True}
    )
    assert paid.status == "paid"
    assert [charge["status"] for charge in await account.charges()] == ["failed"]
    after = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert after.status == "active"


async def test_a_first_payment_can_wait_for_its_confirmation(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(
        await shop.price(1_000),
        payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
        expand=["latest_invoice.payments.data.payment.payment_intent"],
    )
    answer: Any = subscription.to_dict()
    intent = answer["latest_invoice"]["payments"]["data"][0]["payment"]["payment_intent"]
    assert intent["status"] == "requires_confirmation"
    await account.v1.payment_intents.confirm_async(
        intent["id"], {"payment_method": "pm_card_mastercard"}
    )
    after = await account.v1.subscriptions.retrieve_async(
        subscription.id, {"expand": ["default_payment_method"]}
    )
    assert after.status == "active"
    assert isinstance(after.default_payment_method, stripe.PaymentMethod)
    assert after.default_payment_method.customer == shop.customer


async def test_a_pending_change_takes_effect_when_the_bank_is_satisfied(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await _keep(shop, "pm_card_authenticationRequired")
    item = subscription.items.data[0].id
    pending = await account.v1.subscriptions.update_async(
        subscription.id,
        {
            "items": [{"id": item, "price": await shop.price(5_000)}],
            "payment_behavior": "pending_if_incomplete",
            "proration_behavior": "always_invoice",
            "expand": ["latest_invoice.payments.data.payment.payment_intent"],
        },
    )
    assert pending.pending_update
    answer: Any = pending.to_dict()
    intent = answer["latest_invoice"]["payments"]["data"][0]["payment"]["payment_intent"]
    assert intent["status"] == "requires_action"
    confirmed = await account.v1.payment_intents.confirm_async(intent["id"], {"return_url": BACK})
    await answer_bank(confirmed, "complete")
    after = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert (after.status, after.pending_update) == ("active", None)
    assert after.items.data[0].price.unit_amount == 5_000


async def test_a_sent_invoice_that_a_card_does_not_pay_costs_no_standing(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(
        await shop.price(1_000), collection_method="send_invoice", days_until_due=30
    )
    await shop.refuse_card("insufficient_funds")
    with pytest.raises(stripe.CardError):
        await account.v1.invoices.pay_async(str(subscription.latest_invoice))
    after = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert after.status == "active"
