"""A schedule that the merchant made: nothing here drops it, and nothing is charged past it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from guichet.payments.copies import SubscriptionCopy
from guichet.payments.errors import ProviderRefused, ProviderUnreachable, ScheduledByMerchant
from guichet.payments.orders import Cancellation, ItemOrder, SubscriptionChange
from tests.shops import Shop

_Call = Callable[[Shop, SubscriptionCopy], Awaitable[Any]]


def _change(shop: Shop, subject: SubscriptionCopy, price: str = "") -> SubscriptionChange:
    assert subject.current_period_start_at is not None
    item = ItemOrder(item_id=subject.items[0].id, price_id=price or shop.larger)
    return SubscriptionChange(
        subscription_id=subject.id,
        items=(item,),
        when="now",
        proration="always_invoice",
        as_of=subject.current_period_start_at,
    )


def _cancellation(subject: SubscriptionCopy, *, now: bool) -> Cancellation:
    return Cancellation(subscription_id=subject.id, when="now" if now else "period_end")


_CALLS: dict[str, _Call] = {
    "change": lambda shop, it: shop.port.change_subscription(_change(shop, it), "key"),
    "schedule": lambda shop, it: shop.port.schedule_change(_change(shop, it), "key"),
    "undo": lambda shop, it: shop.port.undo_scheduled_change(it.id, "key"),
    "cancel": lambda shop, it: shop.port.cancel(_cancellation(it, now=False), "key"),
    "end": lambda shop, it: shop.port.cancel(_cancellation(it, now=True), "key"),
}


async def _subscribe(shop: Shop) -> SubscriptionCopy:
    subscription = await shop.subscribe(await shop.add_customer())
    return await _fetch(shop, subscription.id)


async def _fetch(shop: Shop, subscription_id: str) -> SubscriptionCopy:
    copy = await shop.port.fetch_subscription(subscription_id)
    assert copy is not None
    return copy


async def _invoices(shop: Shop) -> int:
    return len([invoice async for invoice in shop.port.list_invoices()])


@pytest.mark.parametrize("name", _CALLS)
async def test_a_merchant_s_schedule_is_left_as_it_is(shop: Shop, name: str) -> None:
    subject = await _subscribe(shop)
    schedule = await shop.sdk.subscription_schedules.create_async({"from_subscription": subject.id})
    before, invoices = await _fetch(shop, subject.id), await _invoices(shop)
    assert not before.schedule_is_ours
    with pytest.raises(ScheduledByMerchant) as refused:
        await _CALLS[name](shop, before)
    assert refused.value.outcome_known
    assert refused.value.status == 409
    assert await _fetch(shop, subject.id) == before
    assert await _invoices(shop) == invoices
    assert (await shop.sdk.subscription_schedules.retrieve_async(schedule.id)).status == "active"


async def test_a_cancellation_by_a_merchant_s_schedule_is_not_taken_back(shop: Shop) -> None:
    subject = await _subscribe(shop)
    await shop.sdk.subscriptions.update_async(subject.id, {"cancel_at_period_end": True})
    await shop.sdk.subscription_schedules.create_async({"from_subscription": subject.id})
    with pytest.raises(ScheduledByMerchant):
        await shop.port.keep(subject.id, "key")


async def test_what_we_schedule_bears_our_mark(shop: Shop) -> None:
    subject = await _subscribe(shop)
    made = await shop.port.schedule_change(_change(shop, subject), "key")
    assert made.schedule_id is not None
    schedule = await shop.sdk.subscription_schedules.retrieve_async(made.schedule_id)
    assert schedule.metadata is not None
    assert schedule.metadata.to_dict() == {"guichet": "change"}
    assert made.schedule_is_ours


async def test_a_plan_that_is_refused_leaves_no_schedule_behind(shop: Shop) -> None:
    subject = await _subscribe(shop)
    # The second call is refused; without a mark the schedule would pass for the merchant's.
    fault = {"mode": "error", "status": 400, "count": 1, "path": "/v1/subscription_schedules/"}
    await shop.set(fail_next_requests=[fault])
    with pytest.raises(ProviderRefused):
        await shop.port.schedule_change(_change(shop, subject), "key")
    assert await _fetch(shop, subject.id) == subject


async def test_a_price_that_does_not_exist_begins_no_plan(shop: Shop) -> None:
    subject = await _subscribe(shop)
    with pytest.raises(ProviderRefused):
        await shop.port.schedule_change(_change(shop, subject, "price_none"), "key")
    assert await _fetch(shop, subject.id) == subject


async def test_a_schedule_that_a_crash_left_unmarked_is_ours_to_whoever_repeats_the_call(
    shop: Shop,
) -> None:
    subject = await _subscribe(shop)
    # As many losses as there are attempts.
    fault = {"mode": "lost", "count": 2, "method": "POST", "path": "/v1/subscription_schedules"}
    await shop.set(fail_next_requests=[fault])
    change = _change(shop, subject)
    with pytest.raises(ProviderUnreachable):
        await shop.port.schedule_change(change, "key")
    assert (await _fetch(shop, subject.id)).schedule_is_ours is False
    with pytest.raises(ScheduledByMerchant):
        await shop.port.schedule_change(change, "another key")
    assert (await shop.port.schedule_change(change, "key")).schedule_is_ours
