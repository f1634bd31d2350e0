"""Changes that wait for their payment: made when it is, and dropped when it is not."""

from typing import Any

import pytest

from guichet.payments.copies import SubscriptionCopy
from guichet.payments.errors import ProviderRefused
from guichet.payments.orders import ItemOrder, SubscriptionChange
from tests.payments.clocks import add_clock, advance
from tests.payments.test_previews import BEGAN, DAY
from tests.shops import Shop


def _change(shop: Shop, subscription: Any, **rest: Any) -> SubscriptionChange:
    item = ItemOrder(item_id=subscription.items.data[0].id, price_id=shop.larger, quantity=2)
    return SubscriptionChange(
        subscription_id=subscription.id,
        items=(item,),
        when="now",
        proration="always_invoice",
        unpaid="wait",
        as_of=BEGAN + DAY,
        **rest,
    )


async def _subscribe(shop: Shop, card: str = "pm_card_chargeCustomerFail") -> tuple[Any, str]:
    """A subscription a day after its beginning, whose next payment is made with a card."""
    clock = await add_clock(shop, BEGAN)
    customer = await shop.add_customer(clock=clock)
    subscription = await shop.subscribe(customer)
    await shop.set_card(customer, card)
    await advance(shop, clock, BEGAN + DAY)
    return subscription, clock


async def _fetch(shop: Shop, subscription_id: str) -> SubscriptionCopy:
    copy = await shop.port.fetch_subscription(subscription_id)
    assert copy is not None
    return copy


async def test_a_change_waits_for_its_payment_and_is_then_made(shop: Shop) -> None:
    subscription, _ = await _subscribe(shop)
    before = await _fetch(shop, subscription.id)
    waiting = await shop.port.change_subscription(_change(shop, subscription), "change")
    assert waiting.items == before.items
    assert waiting.status == "active"
    assert waiting.pending_update is not None
    assert waiting.pending_update.expires_at > BEGAN + DAY
    held = [(item.price_id, item.quantity) for item in waiting.pending_update.items]
    assert held == [(shop.larger, 2)]

    card = await shop.set_card(before.customer_id, "pm_card_visa")
    await shop.port.charge_invoice(waiting.latest_invoice_id or "", "pay", card)
    changed = await _fetch(shop, subscription.id)
    assert changed.pending_update is None
    assert [(item.price_id, item.quantity) for item in changed.items] == [(shop.larger, 2)]


async def test_a_change_that_is_not_paid_is_dropped(shop: Shop) -> None:
    subscription, clock = await _subscribe(shop)
    before = await _fetch(shop, subscription.id)
    waiting = await shop.port.change_subscription(_change(shop, subscription), "change")
    assert waiting.pending_update is not None
    await advance(shop, clock, waiting.pending_update.expires_at + DAY)
    after = await _fetch(shop, subscription.id)
    assert (after.pending_update, after.items) == (None, before.items)
    invoice = await shop.port.fetch_invoice(waiting.latest_invoice_id or "")
    assert invoice is not None
    assert invoice.status == "void"


async def test_a_change_that_is_paid_at_once_does_not_wait(shop: Shop) -> None:
    subscription, _ = await _subscribe(shop, "pm_card_visa")
    preview = await shop.port.preview_change(_change(shop, subscription))
    changed = await shop.port.change_subscription(_change(shop, subscription), "change")
    assert changed.pending_update is None
    assert [item.price_id for item in changed.items] == [shop.larger]
    invoice = await shop.port.fetch_invoice(changed.latest_invoice_id or "")
    assert invoice is not None
    assert invoice.amount_paid == preview.due_now.amount


async def test_a_change_that_waits_is_repeated_without_a_second_invoice(shop: Shop) -> None:
    subscription, _ = await _subscribe(shop)
    first = await shop.port.change_subscription(_change(shop, subscription), "change")
    invoices = len([each async for each in shop.port.list_invoices()])
    assert await shop.port.change_subscription(_change(shop, subscription), "change") == first
    assert len([each async for each in shop.port.list_invoices()]) == invoices


async def test_a_new_period_and_a_code_may_wait_too(shop: Shop) -> None:
    subscription, _ = await _subscribe(shop)
    coupon = await shop.sdk.coupons.create_async({"percent_off": 50, "duration": "forever"})
    code = await shop.sdk.promotion_codes.create_async(
        {"promotion": {"type": "coupon", "coupon": coupon.id}}
    )
    change = _change(shop, subscription, anchor="now", promotion_code_id=code.id)
    preview = await shop.port.preview_change(change)
    waiting = await shop.port.change_subscription(change, "change")
    assert waiting.pending_update is not None
    assert waiting.discounts == ()
    invoice = await shop.port.fetch_invoice(waiting.latest_invoice_id or "")
    assert invoice is not None
    assert invoice.amount_due == preview.due_now.amount


async def test_what_is_paid_by_bank_transfer_cannot_wait(shop: Shop) -> None:
    subscription, _ = await _subscribe(shop, "pm_card_visa")
    await shop.sdk.subscriptions.update_async(
        subscription.id, {"collection_method": "send_invoice", "days_until_due": 30}
    )
    with pytest.raises(ProviderRefused):
        await shop.port.change_subscription(_change(shop, subscription), "change")
