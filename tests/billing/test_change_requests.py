"""A change that was written down is made once, whatever happens to whoever was making it."""

from uuid import uuid4

import msgspec
import pytest

from guichet.billing.change_requests import (
    carry_out,
    start_request,
)
from guichet.billing.changes import ChangeUnfinished
from guichet.errors import Conflict
from tests.billing.requesting import (
    abandon,
    break_next,
    mend,
    paid,
    plan_held,
    provider,
    resume,
    start,
    state,
    upgrade,
)
from tests.portal.shop import Shop


async def test_a_request_whose_caller_died_before_the_call_is_made_once(shop: Shop) -> None:
    before = await paid(shop)
    request = await start(shop, await upgrade(shop))
    await abandon(shop)
    assert await resume(shop) == 1
    assert (await state(shop, request)).state == "done"
    assert await plan_held(shop) == shop.prices["scale"]
    assert await paid(shop) == before + 1
    assert await resume(shop) == 0


async def test_a_request_whose_caller_died_after_the_call_is_not_charged_again(shop: Shop) -> None:
    before = await paid(shop)
    plan = await upgrade(shop)
    request = await start(shop, plan)
    await (await provider(shop)).change_subscription(plan, f"guichet-{request.id}")
    await abandon(shop)
    assert await resume(shop) == 1
    assert (await state(shop, request)).state == "done"
    assert await paid(shop) == before + 1


async def test_a_living_callers_request_is_left_alone(shop: Shop) -> None:
    request = await start(shop, await upgrade(shop))
    assert await resume(shop) == 0
    assert (await state(shop, request)).state == "started"
    assert await plan_held(shop) == shop.prices["starter"]


async def test_a_lost_answer_is_unknown_until_it_is_found_out(shop: Shop) -> None:
    before = await paid(shop)
    request = await start(shop, await upgrade(shop))
    await break_next(shop, mode="lost")
    made = await carry_out(shop.deployment.db, await provider(shop), shop.tenant_id, request)
    assert made.state == "unknown"
    await mend(shop)
    await abandon(shop)
    assert await resume(shop) == 1
    assert (await state(shop, request)).state == "done"
    assert await paid(shop) == before + 1


async def test_a_provider_that_is_away_leaves_the_change_unknown_and_then_makes_it(
    shop: Shop,
) -> None:
    before = await paid(shop)
    request = await start(shop, await upgrade(shop))
    await break_next(shop, mode="refused")
    made = await carry_out(shop.deployment.db, await provider(shop), shop.tenant_id, request)
    assert made.state == "unknown"
    assert await plan_held(shop) == shop.prices["starter"]
    await mend(shop)
    await abandon(shop)
    assert await resume(shop) == 1
    assert await plan_held(shop) == shop.prices["scale"]
    assert await paid(shop) == before + 1


async def test_a_cancellation_that_dropped_a_plan_is_not_called_refused(shop: Shop) -> None:
    planned = msgspec.structs.replace(await upgrade(shop), when="period_end")
    client, customer = await provider(shop), await shop.customer_id("ada")
    assert (await client.schedule_change(planned, "plan")).pending is not None
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        request = await start_request(unit, uuid4(), customer, planned.subscription_id, "cancel")
    await break_next(shop, mode="error", status=400, path="/v1/subscriptions/")
    made = await carry_out(shop.deployment.db, client, shop.tenant_id, request)
    assert (made.state, made.failure) == ("unknown", "change_half_made")
    await mend(shop)
    await abandon(shop)
    assert await resume(shop) == 1
    assert (await state(shop, request)).state == "done"
    assert (await shop.subscription("ada")).cancel_at_period_end


async def test_what_the_merchant_planned_refuses_a_request(shop: Shop) -> None:
    plan = await upgrade(shop)
    await shop.stripe.v1.subscription_schedules.create_async(
        {"from_subscription": plan.subscription_id}
    )
    before = await paid(shop)
    request = await start(shop, plan)
    made = await carry_out(shop.deployment.db, await provider(shop), shop.tenant_id, request)
    assert (made.state, made.failure) == ("refused", "scheduled_by_merchant")
    assert await paid(shop) == before


async def test_a_subscription_has_one_unfinished_request(shop: Shop) -> None:
    plan = await upgrade(shop)
    first = await start(shop, plan)
    with pytest.raises(ChangeUnfinished):
        await start(shop, plan)
    with pytest.raises(ChangeUnfinished):
        await start(shop, plan, first.id)


async def test_an_amount_worked_out_before_another_change_is_not_charged(shop: Shop) -> None:
    plan = await upgrade(shop)
    read_at = await shop.deployment.db.read("select now()")
    await carry_out(
        shop.deployment.db, await provider(shop), shop.tenant_id, await start(shop, plan)
    )
    team = msgspec.structs.replace(plan.items[0], price_id=shop.prices["team"])
    other = msgspec.structs.replace(plan, items=(team,))
    with pytest.raises(Conflict):
        await start(shop, other, read_at=read_at)
    await start(shop, other, read_at=await shop.deployment.db.read("select now()"))


async def test_a_settled_request_is_not_settled_again(shop: Shop) -> None:
    request = await start(shop, await upgrade(shop))
    client = await provider(shop)
    first = await carry_out(shop.deployment.db, client, shop.tenant_id, request)
    second = await carry_out(shop.deployment.db, client, shop.tenant_id, request)
    assert first == second
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        rows = await unit.fetchval(
            "select count(*) from audit_log where tenant_id = $1 and action like 'subscription.%'",
            shop.tenant_id,
        )
    assert rows == 1
