"""Changes made at the provider: once each, whole or not at all, whatever is lost on the way."""

import contextlib
from typing import Literal

import pytest

from guichet.payments.copies import SubscriptionCopy
from guichet.payments.errors import (
    CardRefused,
    ChangeHalfMade,
    NeedsAuthentication,
    ProviderConflict,
    ProviderRefused,
    ProviderUnreachable,
)
from guichet.payments.orders import Cancellation, ItemOrder, SubscriptionChange
from tests.shops import Shop


async def _subscribe(shop: Shop, card: str = "pm_card_visa") -> SubscriptionCopy:
    subscription = await shop.subscribe(await shop.add_customer(card=card))
    copy = await shop.port.fetch_subscription(subscription.id)
    assert copy is not None
    return copy


def _change(
    subscription: SubscriptionCopy,
    price: str,
    when: Literal["now", "period_end"] = "now",
    quantity: int = 1,
) -> SubscriptionChange:
    as_of = subscription.current_period_start_at
    assert as_of is not None
    item = ItemOrder(item_id=subscription.items[0].id, price_id=price, quantity=quantity)
    return SubscriptionChange(
        subscription_id=subscription.id,
        items=(item,),
        when=when,
        proration="always_invoice",
        as_of=as_of,
    )


async def _invoices(shop: Shop) -> int:
    return len([invoice async for invoice in shop.port.list_invoices()])


async def test_a_change_that_is_repeated_with_its_key_is_made_once(shop: Shop) -> None:
    before = await _subscribe(shop)
    first = await shop.port.change_subscription(_change(before, shop.larger), "key")
    again = await shop.port.change_subscription(_change(before, shop.larger), "key")
    assert first == again
    assert [item.price_id for item in first.items] == [shop.larger]
    assert await _invoices(shop) == 2


async def test_a_change_whose_answer_is_lost_is_made_once_when_it_is_repeated(shop: Shop) -> None:
    before = await _subscribe(shop)
    # As many losses as there are attempts, so that the SDK's own retry does not hide them.
    fault = {"mode": "lost", "count": 2, "method": "POST", "path": "/v1/subscriptions/"}
    await shop.set(fail_next_requests=[fault])
    with pytest.raises(ProviderUnreachable) as lost:
        await shop.port.change_subscription(_change(before, shop.larger), "key")
    assert not lost.value.outcome_known
    after = await shop.port.change_subscription(_change(before, shop.larger), "key")
    assert [item.price_id for item in after.items] == [shop.larger]
    assert await _invoices(shop) == 2


async def test_a_key_that_was_used_for_another_change_is_a_conflict(shop: Shop) -> None:
    before = await _subscribe(shop)
    await shop.port.change_subscription(_change(before, shop.larger), "key")
    with pytest.raises(ProviderConflict):
        await shop.port.change_subscription(_change(before, shop.larger, quantity=2), "key")


async def test_a_declined_card_changes_nothing_and_says_why(shop: Shop) -> None:
    before = await _subscribe(shop)
    await shop.set_card(before.customer_id, "pm_card_chargeCustomerFail")
    with pytest.raises(CardRefused) as refused:
        await shop.port.change_subscription(_change(before, shop.larger), "key")
    assert refused.value.decline_code == "generic_decline"
    assert refused.value.outcome_known
    assert await shop.port.fetch_subscription(before.id) == before


async def test_a_bank_that_wants_confirmation_changes_nothing(shop: Shop) -> None:
    before = await _subscribe(shop)
    await shop.set_card(before.customer_id, "pm_card_authenticationRequired")
    with pytest.raises(NeedsAuthentication):
        await shop.port.change_subscription(_change(before, shop.larger), "key")
    assert await shop.port.fetch_subscription(before.id) == before


async def test_an_unknown_price_is_refused_without_the_provider_s_words(shop: Shop) -> None:
    before = await _subscribe(shop)
    with pytest.raises(ProviderRefused) as refused:
        await shop.port.change_subscription(_change(before, "price_unknown"), "key")
    assert refused.value.provider_code == "resource_missing"
    assert "price_unknown" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.request_id


async def test_a_change_at_the_end_of_the_period_is_pending(shop: Shop) -> None:
    before = await _subscribe(shop)
    after = await shop.port.schedule_change(_change(before, shop.yearly, "period_end", 2), "key")
    assert after.items == before.items
    assert after.pending is not None
    assert after.pending.at == before.current_period_end_at
    assert (after.pending.price_id, after.pending.quantity) == (shop.yearly, 2)


async def test_a_crash_between_the_calls_of_a_scheduled_change_is_repaired(shop: Shop) -> None:
    before = await _subscribe(shop)
    await shop.sdk.subscription_schedules.create_async(
        {"from_subscription": before.id}, {"idempotency_key": "key:1"}
    )
    half = await shop.port.fetch_subscription(before.id)
    assert half is not None
    assert half.schedule_id is not None
    assert half.pending is None
    after = await shop.port.schedule_change(_change(before, shop.larger, "period_end"), "key")
    assert after.schedule_id == half.schedule_id
    assert after.pending is not None
    assert after.pending.price_id == shop.larger


async def test_a_scheduled_change_that_is_repeated_stays_as_it_is(shop: Shop) -> None:
    before = await _subscribe(shop)
    change = _change(before, shop.larger, "period_end")
    first = await shop.port.schedule_change(change, "key")
    assert await shop.port.schedule_change(change, "key") == first


async def test_a_later_scheduled_change_takes_the_place_of_the_first(shop: Shop) -> None:
    before = await _subscribe(shop)
    first = await shop.port.schedule_change(_change(before, shop.larger, "period_end"), "one")
    second = await shop.port.schedule_change(_change(before, shop.yearly, "period_end"), "two")
    assert second.schedule_id == first.schedule_id
    assert second.pending is not None
    assert second.pending.price_id == shop.yearly


async def test_a_scheduled_change_can_be_undone_and_the_undoing_repeated(shop: Shop) -> None:
    before = await _subscribe(shop)
    await shop.port.schedule_change(_change(before, shop.larger, "period_end"), "key")
    for _ in range(2):
        after = await shop.port.undo_scheduled_change(before.id, "undo")
        assert after == before


async def test_a_change_now_drops_the_scheduled_one(shop: Shop) -> None:
    before = await _subscribe(shop)
    await shop.port.schedule_change(_change(before, shop.yearly, "period_end"), "one")
    after = await shop.port.change_subscription(_change(before, shop.larger), "two")
    assert (after.schedule_id, after.pending) == (None, None)
    assert [item.price_id for item in after.items] == [shop.larger]


@pytest.mark.parametrize("status", [400, 401, 429])
async def test_a_change_that_is_charged_is_never_called_refused(shop: Shop, status: int) -> None:
    before = await _subscribe(shop)
    await shop.port.schedule_change(_change(before, shop.yearly, "period_end"), "one")
    paid = await _invoices(shop)
    fault = {"mode": "error", "status": status, "count": 2, "path": "/v1/subscription_schedules/"}
    await shop.set(fail_next_requests=[fault])
    with pytest.raises(ChangeHalfMade) as half:
        await shop.port.change_subscription(_change(before, shop.larger), "two")
    assert not half.value.outcome_known
    assert await _invoices(shop) == paid + 1
    await shop.set(fail_next_requests=[])
    # Whoever repeats it may find that the merchant has dropped the schedule in the meantime.
    scheduled = await shop.port.fetch_subscription(before.id)
    assert scheduled is not None
    assert scheduled.schedule_id is not None
    await shop.sdk.subscription_schedules.release_async(scheduled.schedule_id)
    after = await shop.port.change_subscription(_change(before, shop.larger), "two")
    assert (after.schedule_id, [item.price_id for item in after.items]) == (None, [shop.larger])
    assert await _invoices(shop) == paid + 1


async def test_cancelling_drops_the_scheduled_change_and_can_be_undone(shop: Shop) -> None:
    before = await _subscribe(shop)
    await shop.port.schedule_change(_change(before, shop.yearly, "period_end"), "one")
    order = Cancellation(subscription_id=before.id, when="period_end")
    for _ in range(2):
        cancelled = await shop.port.cancel(order, "two")
        assert cancelled.cancel_at_period_end
        assert cancelled.cancel_at == before.current_period_end_at
        assert (cancelled.schedule_id, cancelled.pending) == (None, None)
    assert await shop.port.keep(before.id, "three") == before


@pytest.mark.slow
async def test_a_change_of_several_calls_has_the_time_limit_of_one(shop: Shop) -> None:
    before = await _subscribe(shop)
    # Each of the three calls in a row is answered in time, but not all of them together.
    await shop.set(latency_ms=4500)
    with pytest.raises(ProviderUnreachable):
        await shop.port.schedule_change(_change(before, shop.larger, "period_end"), "key")
    await shop.set(latency_ms=0)
    after = None
    while after is None:
        # The provider is still at work on what we no longer wait for.
        with contextlib.suppress(ProviderConflict):
            after = await shop.port.schedule_change(
                _change(before, shop.larger, "period_end"), "key"
            )
    assert after.pending is not None
