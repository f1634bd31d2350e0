"""A customer is told of a change that they asked for, once, whoever finishes it."""

from uuid import UUID, uuid4

import msgspec
from msgspec.structs import replace

from guichet.billing.change_requests import ChangeRequest, Kind, carry_out, start_request
from guichet.billing.news import follow_news
from tenants.configuration import Configuration
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


async def _mails(shop: Shop) -> list[tuple[str, dict[str, object]]]:
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        rows = await unit.fetch(
            """
            select kind, facts::text
            from messages
            where tenant_id = $1
            and kind in ('plan_changed', 'cancelled')
            order by queued_at, key
            """,
            shop.tenant_id,
        )
    return [(row["kind"], msgspec.json.decode(row["facts"])) for row in rows]


async def _carry_out(shop: Shop, request: ChangeRequest) -> ChangeRequest:
    return await carry_out(shop.deployment.db, await provider(shop), shop.tenant_id, request)


async def _ask(shop: Shop, kind: Kind) -> ChangeRequest:
    subscription = await shop.subscription("ada")
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        return await start_request(
            unit, uuid4(), await shop.customer_id("ada"), subscription.id, kind
        )


async def _follow(shop: Shop) -> None:
    await follow_news(shop.deployment.db, shop.tenant_id, Configuration())


async def test_a_plan_that_is_changed_now_is_told_of(shop: Shop) -> None:
    request = await _carry_out(shop, await start(shop, await upgrade(shop)))
    assert request.state == "done"
    await _follow(shop)
    ((kind, facts),) = await _mails(shop)
    assert kind == "plan_changed"
    assert facts["subscription_id"] == request.subscription_id
    assert (facts["previous_plan"], facts["plan"]) == ("Starter", "Scale")
    assert facts["amount"] is not None


async def test_more_seats_of_the_same_plan_replace_none(shop: Shop) -> None:
    plan = await upgrade(shop)
    (item,) = plan.items
    more = replace(plan, items=(replace(item, price_id=shop.prices["starter"], quantity=3),))
    await _carry_out(shop, await start(shop, more))
    ((_, facts),) = await _mails(shop)
    assert (facts["previous_plan"], facts["plan"]) == (None, "Starter")


async def test_a_change_that_is_planned_is_told_of_with_its_time(shop: Shop) -> None:
    plan = replace(await upgrade(shop), when="period_end", proration="none")
    await _carry_out(shop, await start(shop, plan))
    ((_, facts),) = await _mails(shop)
    assert (facts["previous_plan"], facts["plan"]) == ("Starter", "Scale")
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        pending_at = await unit.fetchval(
            """
            select pending_at
            from subscriptions
            where tenant_id = $1
            and id = $2
            """,
            shop.tenant_id,
            plan.subscription_id,
        )
    assert facts["at"] == msgspec.json.decode(msgspec.json.encode(pending_at))


async def test_a_change_that_was_left_unfinished_is_told_of_once(shop: Shop) -> None:
    request = await start(shop, await upgrade(shop))
    await break_next(shop, mode="lost")
    assert (await _carry_out(shop, request)).state == "unknown"
    assert await _mails(shop) == []
    await mend(shop)
    await abandon(shop)
    assert await resume(shop) == 1
    assert (await state(shop, request)).state == "done"
    await abandon(shop)
    await resume(shop)
    assert [kind for kind, _ in await _mails(shop)] == ["plan_changed"]


async def test_a_cancellation_is_told_of_by_the_request_and_not_by_the_news_too(
    shop: Shop,
) -> None:
    await _carry_out(shop, await _ask(shop, "cancel"))
    assert [kind for kind, _ in await _mails(shop)] == ["cancelled"]
    await _follow(shop)
    assert [kind for kind, _ in await _mails(shop)] == ["cancelled"]


async def test_what_is_taken_back_is_told_by_the_page_alone(shop: Shop) -> None:
    await _carry_out(shop, await _ask(shop, "cancel"))
    await _carry_out(shop, await _ask(shop, "keep"))
    await _follow(shop)
    assert [kind for kind, _ in await _mails(shop)] == ["cancelled"]


async def test_a_refused_change_is_not_told_of(shop: Shop) -> None:
    plan = replace(await upgrade(shop), subscription_id="sub_unknown")
    request = await _carry_out(shop, await start(shop, plan, UUID(int=1)))
    assert request.state == "refused"
    assert await _mails(shop) == []
