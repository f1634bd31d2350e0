"""Subscriptions begun: nothing runs before its first payment is confirmed."""

from typing import Any

import pytest

from guichet.payments.errors import ProviderRefused
from guichet.payments.orders import ItemOrder, NewSubscription
from tests.shops import Shop

_BACK = "https://lumen.example/back"


def _order(customer: str, *items: ItemOrder, **rest: Any) -> NewSubscription:
    return NewSubscription(customer_id=customer, items=items, **rest)


async def test_a_subscription_runs_when_its_first_payment_is_confirmed(shop: Shop) -> None:
    order = _order(await shop.add_customer(), ItemOrder(price_id=shop.monthly))
    started = await shop.port.start_subscription(order, "start")
    assert started.subscription.status == "incomplete"
    assert started.payment is not None
    assert started.payment.status in ("needs_method", "needs_confirmation")

    invoice = started.subscription.latest_invoice_id or ""
    confirmed = await shop.port.confirm_payment(invoice, _BACK, "confirm")
    assert confirmed.payment_intent_id == started.payment.payment_intent_id
    assert confirmed.status == "succeeded"
    running = await shop.port.fetch_subscription(started.subscription.id)
    assert running is not None
    assert running.status == "active"


async def test_somebody_without_a_card_has_to_bring_one(shop: Shop) -> None:
    customer = await shop.sdk.customers.create_async({"email": "ada@example.com"})
    order = _order(customer.id, ItemOrder(price_id=shop.monthly))
    started = await shop.port.start_subscription(order, "start")
    assert started.payment is not None
    assert (started.payment.status, started.payment.url) == ("needs_method", None)


async def test_a_trial_needs_no_payment(shop: Shop) -> None:
    order = _order(await shop.add_customer(), ItemOrder(price_id=shop.monthly), trial_days=14)
    started = await shop.port.start_subscription(order, "start")
    assert started.subscription.status == "trialing"
    assert started.payment is None


async def test_several_items_begin_together(shop: Shop) -> None:
    add_on = await shop.add_price(250, "month")
    order = _order(
        await shop.add_customer(),
        ItemOrder(price_id=shop.monthly, quantity=3),
        ItemOrder(price_id=add_on, quantity=2),
    )
    started = await shop.port.start_subscription(order, "start")
    held = [(item.price_id, item.quantity) for item in started.subscription.items]
    assert held == [(shop.monthly, 3), (add_on, 2)]
    invoice = await shop.port.fetch_invoice(started.subscription.latest_invoice_id or "")
    assert invoice is not None
    assert invoice.amount_due == 3 * 1000 + 2 * 250


async def test_a_card_of_the_order_is_the_subscription_s_own(shop: Shop) -> None:
    customer = await shop.add_customer()
    card = await shop.sdk.payment_methods.attach_async("pm_card_mastercard", {"customer": customer})
    order = _order(customer, ItemOrder(price_id=shop.monthly), payment_method_id=card.id)
    started = await shop.port.start_subscription(order, "start")
    assert started.subscription.default_payment_method_id == card.id


async def test_a_code_is_at_work_from_the_first_invoice_on(shop: Shop) -> None:
    coupon = await shop.sdk.coupons.create_async({"percent_off": 50, "duration": "once"})
    code = await shop.sdk.promotion_codes.create_async(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "HALF"}
    )
    found = await shop.port.find_promotion_code("half")
    assert found is not None
    order = _order(
        await shop.add_customer(), ItemOrder(price_id=shop.monthly), promotion_code_id=found.id
    )
    assert found.id == code.id
    started = await shop.port.start_subscription(order, "start")
    invoice = await shop.port.fetch_invoice(started.subscription.latest_invoice_id or "")
    assert invoice is not None
    assert (invoice.subtotal, invoice.amount_due) == (1000, 500)


async def test_a_price_of_several_currencies_is_billed_in_the_one_that_was_ordered(
    shop: Shop,
) -> None:
    price = await shop.sdk.prices.create_async(
        {
            "product": shop.product,
            "currency": "eur",
            "unit_amount": 1000,
            "recurring": {"interval": "month"},
            "currency_options": {"jpy": {"unit_amount": 1700}},
        }
    )
    order = _order(await shop.add_customer(), ItemOrder(price_id=price.id), currency="jpy")
    preview = await shop.port.preview_start(order)
    assert (preview.due_now.amount, preview.due_now.currency) == (1700, "jpy")
    started = await shop.port.start_subscription(order, "start")
    assert started.subscription.currency == "jpy"
    invoice = await shop.port.fetch_invoice(started.subscription.latest_invoice_id or "")
    assert invoice is not None
    assert (invoice.amount_due, invoice.currency) == (1700, "jpy")


async def test_asking_what_it_costs_begins_nothing(shop: Shop) -> None:
    order = _order(await shop.add_customer(), ItemOrder(price_id=shop.monthly))
    preview = await shop.port.preview_start(order)
    assert (preview.due_now.amount, preview.next_amount.amount) == (1000, 1000)
    assert [copy async for copy in shop.port.list_subscriptions()] == []


@pytest.mark.parametrize("wrong", [{"promotion_code_id": "promo_none"}, {"currency": "usd"}])
async def test_an_order_that_cannot_be_is_refused(shop: Shop, wrong: dict[str, str]) -> None:
    order = _order(await shop.add_customer(), ItemOrder(price_id=shop.monthly), **wrong)
    with pytest.raises(ProviderRefused):
        await shop.port.preview_start(order)
    with pytest.raises(ProviderRefused):
        await shop.port.start_subscription(order, "start")
