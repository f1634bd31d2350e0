"""A plan that was begun and never made is given up without a trace; the merchant's is kept."""

from datetime import timedelta

import msgspec

from guichet.billing.change_requests import ChangeRequest, carry_out
from guichet.billing.resuming import PATIENCE
from tests.billing.requesting import (
    abandon,
    break_next,
    mend,
    provider,
    resume,
    start,
    state,
    upgrade,
)
from tests.portal.shop import Shop


async def left_begun(shop: Shop) -> ChangeRequest:
    """A change for the end of the period whose schedule was made, and never planned."""
    plan = msgspec.structs.replace(await upgrade(shop), when="period_end", proration="none")
    request = await start(shop, plan)
    await break_next(shop, mode="lost", path="/v1/subscription_schedules")
    made = await carry_out(shop.deployment.db, await provider(shop), shop.tenant_id, request)
    assert made.state == "unknown"
    assert (await shop.subscription("ada")).schedule is not None
    await mend(shop)
    await abandon(shop)
    return request


async def test_a_plan_that_was_begun_and_given_up_leaves_no_schedule(shop: Shop) -> None:
    request = await left_begun(shop)
    # The provider is away still: what it holds is not given up, but looked at again.
    await break_next(shop, mode="error", status=500, path="/v1/subscription_schedules")
    assert await resume(shop, PATIENCE + timedelta(minutes=1)) == 0
    await mend(shop)
    await abandon(shop)
    assert await resume(shop, PATIENCE + timedelta(minutes=1)) == 1
    assert (await state(shop, request)).failure == "change_expired"
    assert (await shop.subscription("ada")).schedule is None


async def test_a_schedule_that_the_merchant_has_planned_with_since_is_kept(shop: Shop) -> None:
    request = await left_begun(shop)
    schedule = str((await shop.subscription("ada")).schedule)
    await shop.stripe.v1.subscription_schedules.update_async(
        schedule, {"metadata": {"campaign": "spring"}}
    )
    assert await resume(shop, PATIENCE + timedelta(minutes=1)) == 1
    assert (await state(shop, request)).failure == "change_expired"
    assert (await shop.subscription("ada")).schedule == schedule


async def test_a_merchant_s_own_schedule_is_kept_when_a_plan_is_given_up(shop: Shop) -> None:
    plan = msgspec.structs.replace(await upgrade(shop), when="period_end", proration="none")
    request = await start(shop, plan)
    await abandon(shop)
    schedule = await shop.stripe.v1.subscription_schedules.create_async(
        {"from_subscription": plan.subscription_id}
    )
    assert await resume(shop, PATIENCE + timedelta(minutes=1)) == 1
    assert (await state(shop, request)).failure == "change_expired"
    assert (await shop.subscription("ada")).schedule == schedule.id
