"""Changes that are made and cannot be looked at: nobody is told that nothing was changed."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from guichet.payments.errors import ProviderError
from guichet.payments.orders import Cancellation, ItemOrder, NewSubscription, SubscriptionChange
from guichet.payments.stripe.adapter import Stripe, Transport
from guichet.payments.stripe.transport import Answer, NotSent
from tests.shops import Shop

#: An invoice itself holds ten lines.
_MANY_LINES = 12


class _Falling:
    """Leads to the sandbox until a change is answered; nothing is read after that."""

    name = "httpx"

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._has_changed = False

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> Answer:
        if self._has_changed and method == "get":
            raise NotSent("unreached")
        answer = await self._transport.request_async(method, url, headers, post_data)
        self._has_changed = method != "get"
        return answer

    async def sleep_async(self, secs: float) -> None:
        """No time passes."""


async def _subscribed(shop: Shop) -> SubscriptionChange:
    subscription = await shop.subscribe(await shop.add_customer())
    copy = await shop.port.fetch_subscription(subscription.id)
    assert copy is not None
    assert copy.current_period_start_at is not None
    return SubscriptionChange(
        subscription_id=copy.id,
        items=(ItemOrder(item_id=copy.items[0].id, price_id=shop.larger),),
        when="period_end",
        proration="none",
        as_of=copy.current_period_start_at,
    )


@pytest.fixture
async def falling(shop: Shop) -> AsyncIterator[Stripe]:
    transport = Transport()
    yield Stripe(shop.key, shop.url, _Falling(transport))
    await transport.close_async()


async def test_a_plan_that_is_made_and_not_seen_is_not_told_as_refused(
    shop: Shop, falling: Stripe
) -> None:
    change = await _subscribed(shop)
    with pytest.raises(ProviderError) as error:
        await falling.schedule_change(change, "key")
    assert not error.value.outcome_known
    assert (await shop.port.schedule_change(change, "key")).pending is not None


async def test_a_plan_that_is_dropped_and_not_seen_is_not_told_as_refused(
    shop: Shop, falling: Stripe
) -> None:
    change = await _subscribed(shop)
    await shop.port.schedule_change(change, "before")
    with pytest.raises(ProviderError) as error:
        await falling.undo_scheduled_change(change.subscription_id, "key")
    assert not error.value.outcome_known
    undone = await shop.port.undo_scheduled_change(change.subscription_id, "key")
    assert undone.schedule_id is None


async def test_a_plan_that_is_dropped_before_an_end_is_not_told_as_kept(
    shop: Shop, falling: Stripe
) -> None:
    change = await _subscribed(shop)
    await shop.port.schedule_change(change, "before")
    order = Cancellation(subscription_id=change.subscription_id, when="period_end")
    with pytest.raises(ProviderError) as error:
        await falling.cancel(order, "key")
    assert not error.value.outcome_known
    assert (await shop.port.cancel(order, "key")).cancel_at_period_end


async def test_a_beginning_whose_payment_is_not_seen_is_not_told_as_refused(
    shop: Shop, falling: Stripe
) -> None:
    customer = await shop.add_customer()
    order = NewSubscription(customer_id=customer, items=(ItemOrder(price_id=shop.monthly),))
    with pytest.raises(ProviderError) as error:
        await falling.start_subscription(order, "key")
    assert not error.value.outcome_known
    started = await shop.port.start_subscription(order, "key")
    assert [each.id async for each in shop.port.list_subscriptions()] == [started.subscription.id]


async def test_a_payment_whose_lines_are_not_seen_is_not_told_as_refused(
    shop: Shop, falling: Stripe
) -> None:
    customer = await shop.add_customer()
    draft = await shop.sdk.invoices.create_async(
        {"customer": customer, "currency": "eur", "auto_advance": False}
    )
    for _ in range(_MANY_LINES):
        await shop.sdk.invoice_items.create_async(
            {"customer": customer, "invoice": draft.id, "amount": 100, "currency": "eur"}
        )
    opened = await shop.port.finalize_invoice(draft.id, "open")
    assert len(opened.lines) == _MANY_LINES
    with pytest.raises(ProviderError) as error:
        await falling.charge_invoice(opened.id, "key")
    assert not error.value.outcome_known
    assert (await shop.port.charge_invoice(opened.id, "key")).invoice.status == "paid"
