"""Cancellations: when they end what, what they give back, and what is said when half is done."""

import pytest

from guichet.payments.copies import SubscriptionCopy
from guichet.payments.errors import ChangeHalfMade, ProviderError
from guichet.payments.orders import Cancellation, ItemOrder, SubscriptionChange
from tests.payments.clocks import add_clock, advance
from tests.payments.test_previews import BEGAN, DAY
from tests.shops import Shop


async def _subscribe(shop: Shop) -> SubscriptionCopy:
    return await _fetch(shop, (await shop.subscribe(await shop.add_customer())).id)


async def _fetch(shop: Shop, subscription_id: str) -> SubscriptionCopy:
    copy = await shop.port.fetch_subscription(subscription_id)
    assert copy is not None
    return copy


async def _plan(shop: Shop, subscription: SubscriptionCopy) -> SubscriptionCopy:
    assert subscription.current_period_start_at is not None
    change = SubscriptionChange(
        subscription_id=subscription.id,
        items=(ItemOrder(item_id=subscription.items[0].id, price_id=shop.larger),),
        when="period_end",
        proration="none",
        as_of=subscription.current_period_start_at,
    )
    return await shop.port.schedule_change(change, "plan")


async def _balance(shop: Shop, customer_id: str) -> int:
    customer = await shop.port.fetch_customer(customer_id)
    assert customer is not None
    return customer.balance


@pytest.mark.parametrize(("credit", "balance"), [(True, -1500), (False, 0)])
async def test_what_ends_now_is_given_back_where_the_merchant_does(
    shop: Shop, credit: bool, balance: int
) -> None:
    clock = await add_clock(shop, BEGAN)
    customer = await shop.add_customer(clock=clock)
    subscription = await shop.subscribe(customer, shop.larger)
    # Half of March, with its 31 days.
    await advance(shop, clock, BEGAN + 15.5 * DAY)
    order = Cancellation(subscription_id=subscription.id, when="now", credit=credit)
    for _ in range(2):
        ended = await shop.port.cancel(order, "end")
        assert ended.status == "canceled"
        assert ended.ended_at is not None
        assert await _balance(shop, customer) == balance


@pytest.mark.parametrize("when", ["now", "period_end"])
async def test_why_somebody_leaves_is_kept(shop: Shop, when: str) -> None:
    subscription = await _subscribe(shop)
    order = Cancellation(
        subscription_id=subscription.id,
        when=when,  # type: ignore[arg-type]
        feedback="too_expensive",
        comment="Pas dans mon budget.",
    )
    cancelled = await shop.port.cancel(order, "cancel")
    assert cancelled.cancellation_feedback == "too_expensive"
    assert cancelled.cancellation_comment == "Pas dans mon budget."


async def test_ending_now_drops_what_was_planned(shop: Shop) -> None:
    planned = await _plan(shop, await _subscribe(shop))
    order = Cancellation(subscription_id=planned.id, when="now")
    ended = await shop.port.cancel(order, "end")
    assert (ended.status, ended.schedule_id, ended.pending) == ("canceled", None, None)


async def test_an_end_on_a_day_of_the_merchant_s_choice_can_be_taken_back(shop: Shop) -> None:
    before = await _subscribe(shop)
    assert before.current_period_end_at is not None
    end = before.current_period_end_at + 40 * DAY
    await shop.sdk.subscriptions.update_async(before.id, {"cancel_at": int(end.timestamp())})
    ending = await _fetch(shop, before.id)
    assert (ending.cancel_at, ending.cancel_at_period_end) == (end, False)
    for _ in range(2):
        assert await shop.port.keep(before.id, "keep") == before


async def test_there_is_nothing_to_keep_where_nothing_ends(shop: Shop) -> None:
    before = await _subscribe(shop)
    assert await shop.port.keep(before.id, "keep") == before


@pytest.mark.parametrize("status", [400, 401, 429])
@pytest.mark.parametrize("when", ["now", "period_end"])
async def test_a_dropped_plan_is_never_called_nothing(shop: Shop, when: str, status: int) -> None:
    planned = await _plan(shop, await _subscribe(shop))
    order = Cancellation(subscription_id=planned.id, when=when)  # type: ignore[arg-type]
    fault = {"mode": "error", "status": status, "count": 2, "path": "/v1/subscriptions/"}
    await shop.set(
        fail_next_requests=[{**fault, "method": method} for method in ("POST", "DELETE")]
    )
    with pytest.raises(ChangeHalfMade) as half:
        await shop.port.cancel(order, "cancel")
    assert not half.value.outcome_known
    assert (await _fetch(shop, planned.id)).pending is None
    await shop.set(fail_next_requests=[])
    cancelled = await shop.port.cancel(order, "cancel")
    assert cancelled.cancel_at_period_end or cancelled.status == "canceled"


async def test_a_refusal_before_anything_is_done_says_so(shop: Shop) -> None:
    planned = await _plan(shop, await _subscribe(shop))
    fault = {"mode": "error", "status": 400, "count": 2, "method": "POST", "path": "/v1/"}
    await shop.set(fail_next_requests=[fault])
    with pytest.raises(ProviderError) as refused:
        await shop.port.cancel(Cancellation(subscription_id=planned.id, when="now"), "cancel")
    assert refused.value.outcome_known
    assert await _fetch(shop, planned.id) == planned
