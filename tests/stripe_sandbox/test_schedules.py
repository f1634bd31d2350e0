"""Schedules made from scratch: phases that begin a subscription, change it and end it."""

from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.annotations import problems
from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import DAY, START, Shop, open_shop

_HOUR = 3_600
_MONTH = {"interval": "month", "interval_count": 1}


def _phase(price: str, **more: Any) -> Any:
    return {"items": [{"price": price}], "duration": _MONTH, **more}


async def _schedule(shop: Shop, *phases: Any, **params: Any) -> stripe.SubscriptionSchedule:
    asked: Any = {"customer": shop.customer, "start_date": "now", "phases": phases, **params}
    return await shop.account.v1.subscription_schedules.create_async(asked)


def _metadata(bearer: stripe.Subscription | stripe.SubscriptionSchedule) -> dict[str, Any]:
    return bearer.metadata.to_dict() if bearer.metadata else {}


async def _subscription(shop: Shop, schedule: stripe.SubscriptionSchedule) -> stripe.Subscription:
    found = await shop.account.v1.subscription_schedules.retrieve_async(schedule.id)
    identifier = str(found.subscription or found.released_subscription)
    return await shop.account.v1.subscriptions.retrieve_async(identifier)


async def test_a_schedule_begins_its_subscription_at_once(account: Account) -> None:
    shop = await open_shop(account)
    schedule = await _schedule(shop, _phase(await shop.price(1_000), metadata={"tier": "one"}))
    assert (schedule.status, schedule.end_behavior) == ("active", "release")
    subscription = await _subscription(shop, schedule)
    assert (subscription.status, subscription.schedule) == ("active", schedule.id)
    assert _metadata(subscription) == {"tier": "one"}
    # Its first invoice is a draft for an hour, as those of renewals are.
    assert [invoice.status for invoice in await shop.invoices()] == ["draft"]
    await shop.advance(START + _HOUR)
    assert [invoice.status for invoice in await shop.invoices()] == ["paid"]
    assert problems(schedule.to_dict(for_json=True)) == []


async def test_a_schedule_waits_for_its_start(account: Account) -> None:
    shop = await open_shop(account)
    begins = START + 10 * DAY
    schedule = await _schedule(shop, _phase(await shop.price(1_000)), start_date=begins)
    assert (schedule.status, schedule.subscription) == ("not_started", None)
    schedules = account.v1.subscription_schedules
    waiting = await schedules.list_async({"scheduled": True, "customer": shop.customer})
    assert [each.id for each in waiting.data] == [schedule.id]
    assert problems(schedule.to_dict(for_json=True)) == []
    await shop.advance(begins + _HOUR)
    subscription = await _subscription(shop, schedule)
    assert (subscription.start_date, subscription.status) == (begins, "active")
    assert (await schedules.list_async({"scheduled": True})).data == []
    assert [invoice.total for invoice in await shop.invoices()] == [1_000]


async def test_phases_follow_each_other_and_let_go(account: Account) -> None:
    shop = await open_shop(account)
    coupon = await account.v1.coupons.create_async({"percent_off": 50, "duration": "forever"})
    fee = await account.v1.prices.create_async(
        {"product": shop.product, "currency": "usd", "unit_amount": 300}
    )
    schedule = await _schedule(
        shop,
        _phase(await shop.price(1_000), trial=True),
        _phase(await shop.price(2_000), discounts=[{"coupon": coupon.id}],
               add_invoice_items=[{"price": fee.id}], metadata={"tier": "two", "old": "x"}),
        _phase(await shop.price(4_000), metadata={"old": ""}),
    )  # fmt: skip
    subscription = await _subscription(shop, schedule)
    assert (subscription.status, subscription.trial_end) == ("trialing", START + 28 * DAY)
    await shop.advance(START + 100 * DAY)
    totals = [invoice.total for invoice in await shop.invoices()]
    # Trial, half of 2,000 and of the fee, 4,000 and, after the last phase, 4,000 again.
    assert totals[::-1] == [0, 1_150, 4_000, 4_000]
    released = await account.v1.subscription_schedules.retrieve_async(schedule.id)
    assert (released.status, released.released_subscription) == ("released", subscription.id)
    subscription = await _subscription(shop, schedule)
    assert _metadata(subscription) == {"tier": "two"}
    events = [event.type for event in await shop.events("subscription_schedule.*")]
    assert events[0] == "subscription_schedule.created"
    assert events[-1] == "subscription_schedule.released"
    assert events.count("subscription_schedule.expiring") == 1


async def test_a_schedule_may_end_its_subscription(account: Account) -> None:
    shop = await open_shop(account)
    ends = START + 14 * DAY
    price = await shop.price(1_000)
    phase: Any = {"items": [{"price": price}], "end_date": ends}
    schedule = await _schedule(shop, phase, end_behavior="cancel")
    assert (await _subscription(shop, schedule)).cancel_at == ends
    await shop.advance(START + 40 * DAY)
    done = await account.v1.subscription_schedules.retrieve_async(schedule.id)
    assert (done.status, done.completed_at) == ("completed", ends)
    subscription = await account.v1.subscriptions.retrieve_async(str(done.subscription))
    assert (subscription.status, subscription.ended_at) == ("canceled", ends)
    assert [invoice.total for invoice in await shop.invoices()] == [500]
    found = await account.v1.subscription_schedules.list_async({"completed_at": {"gte": ends}})
    assert [each.id for each in found.data] == [schedule.id]


@pytest.mark.parametrize(("keeps", "status"), [(True, "canceled"), (False, "active")])
async def test_a_release_may_keep_the_end_that_was_planned(
    account: Account, keeps: bool, status: str
) -> None:
    shop = await open_shop(account)
    schedule = await _schedule(shop, _phase(await shop.price(1_000)), end_behavior="cancel")
    released = await account.v1.subscription_schedules.release_async(
        schedule.id, {"preserve_cancel_date": keeps}
    )
    await shop.advance(START + 40 * DAY)
    assert released.status == "released"
    assert (await _subscription(shop, released)).status == status


@pytest.mark.parametrize("started", [True, False])
async def test_cancelling_a_schedule_ends_what_it_began(account: Account, started: bool) -> None:
    shop = await open_shop(account)
    begins: Any = "now" if started else START + 5 * DAY
    schedule = await _schedule(shop, _phase(await shop.price(2_800)), start_date=begins)
    if started:
        await shop.advance(START + 14 * DAY)
    canceled = await account.v1.subscription_schedules.cancel_async(schedule.id)
    assert canceled.status == "canceled"
    assert canceled.canceled_at == (START + 14 * DAY if started else START)
    totals = [invoice.total for invoice in await shop.invoices()]
    assert totals == ([-1_400, 2_800] if started else [])
    assert len(await shop.events("subscription_schedule.canceled")) == 1


async def test_the_metadata_and_settings_of_a_schedule_can_be_changed(account: Account) -> None:
    shop = await open_shop(account)
    schedule = await _schedule(shop, _phase(await shop.price(1_000)), metadata={"a": "1"})
    changed = await account.v1.subscription_schedules.update_async(
        schedule.id,
        {
            "metadata": {"a": "", "b": "2"},
            "default_settings": {"description": "Later"},
            "end_behavior": "cancel",
        },
    )
    assert (_metadata(changed), changed.default_settings.description) == ({"b": "2"}, "Later")
    assert (await _subscription(shop, schedule)).cancel_at == START + 28 * DAY


@pytest.mark.parametrize(
    ("behavior", "totals"),
    [("always_invoice", [1_000, 2_000]), ("create_prorations", [2_000]), ("none", [2_000])],
)
async def test_a_phase_that_begins_within_a_period_is_prorated_as_it_says(
    account: Account, behavior: str, totals: list[int]
) -> None:
    shop = await open_shop(account)
    cheap, dear = await shop.price(2_000), await shop.price(4_000)
    first: Any = {"items": [{"price": cheap}], "end_date": START + 14 * DAY}
    await _schedule(shop, first, _phase(dear, proration_behavior=behavior))
    await shop.advance(START + 14 * DAY)
    assert [invoice.total for invoice in await shop.invoices()] == totals
    await shop.advance(START + 28 * DAY + _HOUR)
    renewal = (await shop.invoices())[0]
    assert renewal.total == (5_000 if behavior == "create_prorations" else 4_000)


async def test_a_phase_may_begin_a_period_of_its_own(account: Account) -> None:
    shop = await open_shop(account)
    price = await shop.price(2_800)
    first: Any = {"items": [{"price": price}], "end_date": START + 14 * DAY}
    await _schedule(shop, first, _phase(price, billing_cycle_anchor="phase_start"))
    await shop.advance(START + 14 * DAY + _HOUR)
    assert [invoice.total for invoice in await shop.invoices()] == [1_400, 2_800]


async def test_what_a_schedule_cannot_be_is_refused(account: Account) -> None:
    shop = await open_shop(account)
    price = await shop.price(1_000)
    subscription = await shop.subscribe(price)
    wrong: list[tuple[Any, str]] = [
        ({"from_subscription": subscription.id, "phases": [_phase(price)]}, "cannot set `phases`"),
        ({"customer": shop.customer}, "phases"),
        ({"phases": [_phase(price)]}, "customer"),
        ({"customer": shop.customer, "phases": [_phase(price, iterations=2)]}, "iterations"),
        (
            {
                "customer": shop.customer,
                "phases": [_phase(price, trial_end=START + 99 * DAY)],
            },
            "within its phase",
        ),
    ]
    for params, message in wrong:
        with pytest.raises(stripe.InvalidRequestError, match=message):
            await account.v1.subscription_schedules.create_async(params)


async def test_a_schedule_is_aborted_when_its_subscription_is_not_paid(account: Account) -> None:
    shop = await open_shop(account)
    await account.set(after_retries="cancel", retry_days=[1])
    schedule = await _schedule(shop, _phase(await shop.price(1_000)), _phase(await shop.price(1)))
    await shop.advance(START + DAY)
    await shop.refuse_card("stolen_card")
    await shop.advance(START + 30 * DAY)
    aborted = await account.v1.subscription_schedules.retrieve_async(schedule.id)
    assert aborted.status == "canceled"
    assert len(await shop.events("subscription_schedule.aborted")) == 1
