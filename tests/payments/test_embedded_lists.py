"""Lists within Stripe's objects show the first ten; nobody here takes them for all."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from guichet.payments.orders import CustomerDetails, ItemOrder, NewSubscription, SubscriptionChange
from guichet.payments.stripe.adapter import Stripe, Transport
from guichet.payments.stripe.transport import Answer
from tests.payments.debts import owe
from tests.shops import Shop

_MANY = 12


async def _subscribe(shop: Shop) -> tuple[str, set[str]]:
    """A subscription of many items, and their prices."""
    customer = await shop.add_customer()
    prices = [await shop.add_price(100 + extra, "month") for extra in range(_MANY)]
    subscription = await shop.sdk.subscriptions.create_async(
        {"customer": customer, "items": [{"price": price} for price in prices]}
    )
    assert (len(subscription.items.data), subscription.items.has_more) == (10, True)
    return subscription.id, set(prices)


async def test_a_copy_has_every_item_of_a_subscription(shop: Shop) -> None:
    identifier, prices = await _subscribe(shop)
    fetched = await shop.port.fetch_subscription(identifier)
    assert fetched is not None
    assert len(fetched.items) == _MANY
    assert {item.price_id for item in fetched.items} == prices
    assert [each async for each in shop.port.list_subscriptions()] == [fetched]
    assert await shop.port.keep(identifier, "key") == fetched


async def test_a_planned_change_of_one_item_drops_none_of_the_others(shop: Shop) -> None:
    identifier, prices = await _subscribe(shop)
    before = await shop.port.fetch_subscription(identifier)
    assert before is not None
    last = before.items[-1]
    change = SubscriptionChange(
        subscription_id=identifier,
        items=(ItemOrder(item_id=last.id, price_id=shop.larger),),
        when="period_end",
        proration="none",
        as_of=datetime.now(UTC).replace(microsecond=0),
    )
    after = await shop.port.schedule_change(change, "key")
    assert after.pending is not None
    assert after.pending.price_id == shop.larger
    schedule = await shop.sdk.subscription_schedules.retrieve_async(after.schedule_id or "")
    then = {str(item.price) for item in schedule.phases[1].items}
    assert then == (prices - {last.price_id}) | {shop.larger}


async def test_the_answer_to_a_change_has_every_item(shop: Shop) -> None:
    identifier, prices = await _subscribe(shop)
    before = await shop.port.fetch_subscription(identifier)
    assert before is not None
    change = SubscriptionChange(
        subscription_id=identifier,
        items=(ItemOrder(item_id=before.items[-1].id, price_id=shop.larger),),
        when="now",
        proration="none",
        as_of=datetime.now(UTC).replace(microsecond=0),
    )
    after = await shop.port.change_subscription(change, "key")
    held = {item.price_id for item in after.items}
    assert held == (prices - {before.items[-1].price_id}) | {shop.larger}


async def test_what_begins_with_many_items_has_them_all(shop: Shop) -> None:
    prices = [await shop.add_price(100 + extra, "month") for extra in range(_MANY)]
    order = NewSubscription(
        customer_id=await shop.add_customer(),
        items=tuple(ItemOrder(price_id=price) for price in prices),
    )
    started = await shop.port.start_subscription(order, "key")
    assert {item.price_id for item in started.subscription.items} == set(prices)


async def test_a_copy_has_every_tax_id_of_a_customer(shop: Shop) -> None:
    customer = await shop.add_customer("ada@many.example")
    numbers = {f"DE{123456780 + each}" for each in range(_MANY)}
    for number in numbers:
        await shop.port.add_tax_id(customer, "eu_vat", number, number)
    fetched = await shop.port.fetch_customer(customer)
    assert fetched is not None
    assert {each.value for each in fetched.tax_ids} == numbers
    assert [each async for each in shop.port.list_customers()] == [fetched]
    assert await shop.port.find_customers("ada@many.example") == [fetched]
    renamed = await shop.port.update_customer(customer, CustomerDetails(name="Grace"), "key")
    assert renamed.tax_ids == fetched.tax_ids


class _TriedOften:
    """Leads to the sandbox, whose invoices have one payment, and shows many of each instead.

    The intent of the last one is on its way, and is not among the first ten.
    """

    name = "httpx"

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._listed: list[dict[str, Any]] = []
        self.posted = 0

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> Answer:
        self.posted += method != "get"
        body, status, answered = await self._transport.request_async(
            method, url, headers, post_data
        )
        found = msgspec.json.decode(body)
        if found["object"] == "invoice":
            found["payments"] |= {"data": self._many(found)[:10], "has_more": True}
        elif "/invoice_payments?" in url:
            found["data"] = self._listed
        return msgspec.json.encode(found), status, answered

    def _many(self, invoice: dict[str, Any]) -> list[dict[str, Any]]:
        [payment] = invoice["payments"]["data"]
        self._listed = [{**payment, "id": f"inpay_{number}"} for number in range(_MANY)]
        intent = {**payment["payment"]["payment_intent"], "status": "processing"}
        self._listed[-1]["payment"] = {**payment["payment"], "payment_intent": intent}
        return self._listed

    async def sleep_async(self, secs: float) -> None:
        """No time passes."""


async def test_a_payment_under_way_is_seen_wherever_it_stands(shop: Shop) -> None:
    owed, transport = await owe(shop), Transport()
    wire = _TriedOften(transport)
    seen = await Stripe(shop.key, shop.url, wire).charge_invoice(owed.id, "key")
    await transport.close_async()
    assert wire.posted == 0
    assert [payment.id for payment in seen.invoice.payments] == sorted(
        f"inpay_{number}" for number in range(_MANY)
    )
    assert (await shop.port.fetch_invoice(owed.id)) == owed
