"""Changes that wait until their invoice is paid, and what else a refused payment may do."""

from typing import Any

import httpx
import pytest
import stripe

from tests.stripe_sandbox.annotations import problems
from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import DAY, START, Shop, open_shop

_HOUR = 3_600


async def _refused_upgrade(shop: Shop, **params: Any) -> stripe.Subscription:
    """A subscription whose upgrade could not be charged."""
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + DAY)
    await shop.refuse_card("insufficient_funds")
    asked: Any = {
        "items": [{"id": subscription.items.data[0].id, "price": await shop.price(9_000)}],
        "proration_behavior": "always_invoice",
        "payment_behavior": "pending_if_incomplete",
        **params,
    }
    return await shop.account.v1.subscriptions.update_async(subscription.id, asked)


def _amount(subscription: stripe.Subscription) -> int | None:
    return subscription.items.data[0].price.unit_amount


async def test_a_refused_upgrade_waits_for_its_invoice(account: Account) -> None:
    shop = await open_shop(account)
    waiting = await _refused_upgrade(shop, metadata={"asked": "yes"})
    assert (waiting.status, _amount(waiting)) == ("active", 1_000)
    pending = waiting.pending_update
    assert pending
    assert pending.subscription_items
    assert pending.expires_at == START + DAY + 23 * _HOUR
    assert pending.subscription_items[0].price.unit_amount == 9_000
    invoice = (await shop.invoices())[0]
    assert (invoice.id, invoice.status) == (waiting.latest_invoice, "open")
    assert problems(waiting.to_dict(for_json=True)) == []
    assert waiting.metadata is not None
    assert "asked" not in waiting.metadata


async def test_paying_its_invoice_applies_a_pending_update(account: Account) -> None:
    shop = await open_shop(account)
    waiting = await _refused_upgrade(shop, metadata={"asked": "yes"})
    await account.set(declines={})
    await account.v1.invoices.pay_async(str(waiting.latest_invoice))
    found = await account.v1.subscriptions.retrieve_async(waiting.id)
    assert (_amount(found), found.pending_update) == (9_000, None)
    assert found.metadata
    assert found.metadata["asked"] == "yes"
    assert len(await shop.events("customer.subscription.pending_update_applied")) == 1
    await shop.advance(START + 28 * DAY + _HOUR)
    assert (await shop.invoices())[0].total == 9_000


async def test_an_upgrade_that_is_paid_at_once_never_waits(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + DAY)
    changed = await account.v1.subscriptions.update_async(
        subscription.id,
        {
            "items": [{"id": subscription.items.data[0].id, "price": await shop.price(9_000)}],
            "proration_behavior": "always_invoice",
            "payment_behavior": "pending_if_incomplete",
        },
    )
    assert (_amount(changed), changed.pending_update) == (9_000, None)
    assert await shop.events("customer.subscription.pending_update_applied") == []
    (event,) = (await shop.events("customer.subscription.updated"))[-1:]
    assert "items" in (event.data.previous_attributes or {})


@pytest.mark.parametrize("way", ["time", "void", "another"])
async def test_a_pending_update_is_dropped(account: Account, way: str) -> None:
    shop = await open_shop(account)
    waiting = await _refused_upgrade(shop)
    if way == "time":
        await shop.advance(START + DAY + 23 * _HOUR)
    elif way == "void":
        await account.v1.invoices.void_invoice_async(str(waiting.latest_invoice))
    else:
        await account.v1.subscriptions.update_async(waiting.id, {"cancel_at_period_end": True})
    found = await account.v1.subscriptions.retrieve_async(waiting.id)
    assert (_amount(found), found.pending_update, found.status) == (1_000, None, "active")
    assert (await shop.invoices())[0].status == "void"
    assert len(await shop.events("customer.subscription.pending_update_expired")) == 1
    await account.set(declines={})
    await shop.advance(START + 28 * DAY + _HOUR)
    totals = [each.total for each in await shop.invoices() if each.status == "paid"]
    assert totals == [1_000] * (1 if way == "another" else 2)


async def test_a_pending_update_ends_with_its_period(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + 28 * DAY - _HOUR)
    await shop.refuse_card("insufficient_funds")
    waiting = await account.v1.subscriptions.update_async(
        subscription.id,
        {
            "billing_cycle_anchor": {"type": "now"},
            "payment_behavior": "pending_if_incomplete",
        },
    )
    assert waiting.pending_update
    assert waiting.pending_update.expires_at == START + 28 * DAY
    assert waiting.pending_update.billing_cycle_anchor == START + 28 * DAY - _HOUR
    assert waiting.billing_cycle_anchor == START


async def test_only_what_is_billed_can_wait(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    asked: Any = {"description": "New", "payment_behavior": "pending_if_incomplete"}
    with pytest.raises(stripe.InvalidRequestError, match="not supported: description"):
        await account.v1.subscriptions.update_async(subscription.id, asked)
    with pytest.raises(stripe.InvalidRequestError, match="must be one of"):
        await shop.subscribe(await shop.price(1_000), payment_behavior="pending_if_incomplete")


async def test_an_anchor_is_a_hash_with_a_type(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    wrong: Any = {"billing_cycle_anchor": "now"}
    with pytest.raises(stripe.InvalidRequestError, match="Invalid object"):
        await account.v1.subscriptions.update_async(subscription.id, wrong)


async def test_default_incomplete_leaves_an_upgrade_for_the_customer_to_pay(
    account: Account,
) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + DAY)
    changed = await account.v1.subscriptions.update_async(
        subscription.id,
        {
            "items": [{"id": subscription.items.data[0].id, "price": await shop.price(9_000)}],
            "proration_behavior": "always_invoice",
            "payment_behavior": "default_incomplete",
        },
    )
    assert (changed.status, _amount(changed)) == ("past_due", 9_000)
    assert len(await account.charges()) == 1
    await account.v1.invoices.pay_async(str(changed.latest_invoice))
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert found.status == "active"


async def test_default_incomplete_waits_a_day_for_the_first_payment(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(
        await shop.price(1_000), payment_behavior="default_incomplete"
    )
    assert (subscription.status, await account.charges()) == ("incomplete", [])
    await shop.advance(START + 23 * _HOUR - 1)
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert found.status == "incomplete"
    await shop.advance(START + 23 * _HOUR)
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert found.status == "incomplete_expired"


async def _asked_by_the_bank(shop: Shop) -> tuple[stripe.Subscription, Any]:
    """A subscription whose upgrade waits for its customer's bank, and the bank's page."""
    v1 = shop.account.v1
    subscription = await shop.subscribe(await shop.price(1_000))
    card = "pm_card_authenticationRequired"
    method = await v1.payment_methods.attach_async(card, {"customer": shop.customer})
    asked: Any = {"default_payment_method": method.id}
    await v1.subscriptions.update_async(subscription.id, asked)
    waiting = await v1.subscriptions.update_async(
        subscription.id,
        {
            "items": [{"id": subscription.items.data[0].id, "price": await shop.price(9_000)}],
            "proration_behavior": "always_invoice",
            "payment_behavior": "pending_if_incomplete",
        },
    )
    payments = await v1.invoice_payments.list_async({"invoice": str(waiting.latest_invoice)})
    intent = await v1.payment_intents.confirm_async(
        str(payments.data[0].payment.payment_intent), {"return_url": "https://shop.example/back"}
    )
    assert intent.next_action
    assert intent.next_action.redirect_to_url
    return waiting, intent.next_action.redirect_to_url.url


@pytest.mark.parametrize(("outcome", "amount"), [("complete", 9_000), ("fail", 1_000)])
async def test_an_update_waits_for_the_customers_bank(
    account: Account, outcome: str, amount: int
) -> None:
    shop = await open_shop(account)
    waiting, page = await _asked_by_the_bank(shop)
    assert (waiting.status, _amount(waiting)) == ("active", 1_000)
    assert waiting.pending_update
    async with httpx.AsyncClient() as visitor:
        await visitor.post(page, content=f"outcome={outcome}")
    found = await account.v1.subscriptions.retrieve_async(waiting.id)
    assert (found.status, _amount(found)) == ("active", amount)
    assert (found.pending_update is None) == (outcome == "complete")
    await shop.advance(START + DAY)
    found = await account.v1.subscriptions.retrieve_async(waiting.id)
    assert (_amount(found), found.pending_update) == (amount, None)
