"""Pauses: nothing is collected for a while, and then it is again."""

import pytest

from guichet.payments.copies import InvoiceCopy
from guichet.payments.errors import ChangeHalfMade, ProviderRefused
from guichet.payments.orders import Pause
from tests.payments.clocks import add_clock, advance
from tests.payments.faults import fail_requests
from tests.payments.test_previews import BEGAN, DAY
from tests.shops import Shop


async def _newest(shop: Shop) -> InvoiceCopy:
    return await anext(shop.port.list_invoices())


@pytest.mark.parametrize(
    ("behavior", "status"),
    [("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible"), ("void", "void")],
)
async def test_a_paused_subscription_is_not_charged(shop: Shop, behavior: str, status: str) -> None:
    clock = await add_clock(shop, BEGAN)
    subscription = await shop.subscribe(await shop.add_customer(clock=clock))
    order = Pause(
        subscription_id=subscription.id,
        behavior=behavior,  # type: ignore[arg-type]
        resumes_at=BEGAN + 40 * DAY,
    )
    paused = await shop.port.pause(order, "pause")
    assert paused.pause is not None
    assert (paused.pause.behavior, paused.pause.resumes_at) == (behavior, BEGAN + 40 * DAY)

    await advance(shop, clock, BEGAN + 32 * DAY)
    assert (await _newest(shop)).status == status
    await advance(shop, clock, BEGAN + 63 * DAY)
    resumed = await shop.port.fetch_subscription(subscription.id)
    assert resumed is not None
    assert resumed.pause is None
    assert (await _newest(shop)).amount_paid == 1000


async def test_a_pause_without_an_end_lasts_until_it_is_resumed(shop: Shop) -> None:
    clock = await add_clock(shop, BEGAN)
    subscription = await shop.subscribe(await shop.add_customer(clock=clock))
    before = await shop.port.fetch_subscription(subscription.id)
    order = Pause(subscription_id=subscription.id, behavior="void", resumes_at=None)
    assert (await shop.port.pause(order, "pause")).pause is not None
    assert await shop.port.resume(subscription.id, "resume") == before
    await advance(shop, clock, BEGAN + 32 * DAY)
    assert (await _newest(shop)).amount_paid == 1000


async def _pause_after_trial(shop: Shop) -> tuple[str, str]:
    """A customer and their subscription that paused for want of a payment method."""
    clock = await add_clock(shop, BEGAN)
    customer = await shop.sdk.customers.create_async({"test_clock": clock})
    subscription = await shop.sdk.subscriptions.create_async(
        {
            "customer": customer.id,
            "items": [{"price": shop.monthly}],
            "trial_period_days": 7,
            "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
        }
    )
    await advance(shop, clock, BEGAN + 8 * DAY)
    paused = await shop.port.fetch_subscription(subscription.id)
    assert paused is not None
    assert paused.status == "paused"
    return customer.id, subscription.id


async def test_what_paused_after_its_trial_is_resumed_and_charged(shop: Shop) -> None:
    customer, subscription = await _pause_after_trial(shop)
    await shop.set_card(customer, "pm_card_visa")
    for _ in range(2):
        assert (await shop.port.resume(subscription, "resume")).status == "active"
    paid = await _newest(shop)
    assert paid.amount_paid == 1000
    assert len([invoice async for invoice in shop.port.list_invoices()]) == 2


async def test_what_cannot_be_paid_stays_paused_until_it_is(shop: Shop) -> None:
    customer, subscription = await _pause_after_trial(shop)
    await shop.set_card(customer, "pm_card_chargeCustomerFail")
    assert (await shop.port.resume(subscription, "resume")).status == "paused"
    card = await shop.set_card(customer, "pm_card_visa")
    await shop.port.charge_invoice((await _newest(shop)).id, "pay", card)
    resumed = await shop.port.fetch_subscription(subscription)
    assert resumed is not None
    assert resumed.status == "active"


async def test_what_is_not_paused_is_left_as_it_is(shop: Shop) -> None:
    subscription = await shop.subscribe(await shop.add_customer())
    before = await shop.port.fetch_subscription(subscription.id)
    assert await shop.port.resume(subscription.id, "resume") == before


async def test_a_pause_that_is_ended_is_not_told_as_kept(shop: Shop) -> None:
    customer, subscription = await _pause_after_trial(shop)
    await shop.set_card(customer, "pm_card_visa")
    await shop.port.pause(
        Pause(subscription_id=subscription, behavior="void", resumes_at=None), "pause"
    )
    resuming = f"/v1/subscriptions/{subscription}/resume"
    await fail_requests(shop, 400, resuming)
    with pytest.raises(ChangeHalfMade) as half:
        await shop.port.resume(subscription, "resume")
    assert not half.value.outcome_known
    # Now that no pause is left to end, a refusal says all there is to say.
    await fail_requests(shop, 400, resuming)
    with pytest.raises(ProviderRefused):
        await shop.port.resume(subscription, "again")
    await shop.set(fail_next_requests=[])
    resumed = await shop.port.resume(subscription, "last")
    assert (resumed.status, resumed.pause) == ("active", None)
