"""Changes that were left unfinished are settled: once, truly, and not for ever."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import msgspec
import pytest

from guichet.billing.change_requests import (
    ChangeRequest,
    carry_out,
    start_request,
)
from guichet.billing.resuming import PATIENCE, resume_unfinished
from guichet.billing.subscriptions import find_subscription
from guichet.payments.choose import Providers
from guichet.payments.errors import ProviderAway, ProviderKeyRejected
from guichet.payments.orders import SubscriptionChange
from guichet.payments.port import PaymentProvider
from tests.billing.requesting import (
    abandon,
    break_next,
    mend,
    plan_held,
    provider,
    resume,
    start,
    state,
    upgrade,
)
from tests.portal.shop import Shop


async def lose_the_answer(shop: Shop) -> ChangeRequest:
    """An upgrade that was made and charged, whose answer never arrived."""
    request = await start(shop, await upgrade(shop))
    await break_next(shop, mode="lost")
    made = await carry_out(shop.deployment.db, await provider(shop), shop.tenant_id, request)
    assert made.state == "unknown"
    await mend(shop)
    await abandon(shop)
    return request


@pytest.mark.parametrize("status", [401, 429])
async def test_a_repetition_that_is_turned_away_does_not_deny_what_was_made(
    shop: Shop, status: int
) -> None:
    request = await lose_the_answer(shop)
    await break_next(shop, mode="error", status=status)
    assert await resume(shop) == 1
    assert (await state(shop, request)).state == "done"


@pytest.mark.parametrize("status", [401, 429])
async def test_a_repetition_that_is_turned_away_refuses_nothing(shop: Shop, status: int) -> None:
    request = await start(shop, await upgrade(shop))
    await abandon(shop)
    await break_next(shop, mode="error", status=status)
    assert await resume(shop) == 0
    assert (await state(shop, request)).state == "unknown"
    await mend(shop)
    await abandon(shop)
    # Work for a tenant whose key was turned away waits until it is seen to be let in again.
    await shop.deployment.providers.probe(shop.tenant_id)
    assert await resume(shop) == 1
    assert await plan_held(shop) == shop.prices["scale"]


class Away:
    """A provider that lets nothing be changed, because it was not to be reached just before."""

    def __init__(self, reached: PaymentProvider) -> None:
        self._reached = reached

    def __getattr__(self, name: str) -> object:
        return getattr(self._reached, name)

    async def change_subscription(self, *_: object) -> None:
        raise ProviderAway

    async def client(self, _tenant_id: UUID) -> "Away":
        return self


async def test_a_repetition_that_was_never_sent_refuses_nothing(shop: Shop) -> None:
    request = await start(shop, await upgrade(shop))
    await abandon(shop)
    away = cast(Providers, Away(await provider(shop)))
    settled = await resume_unfinished(shop.deployment.db, away, shop.tenant_id, datetime.now(UTC))
    assert settled == 0
    assert (await state(shop, request)).state == "unknown"
    await abandon(shop)
    assert await resume(shop) == 1
    assert await plan_held(shop) == shop.prices["scale"]


async def test_a_repeated_call_s_old_answer_does_not_turn_the_mirror_back(shop: Shop) -> None:
    request = await lose_the_answer(shop)
    # The merchant acts between the change and its repetition.
    await shop.stripe.v1.subscriptions.update_async(
        request.subscription_id, {"cancel_at_period_end": True}
    )
    assert await resume(shop) == 1
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        held = await find_subscription(unit, request.customer_id, request.subscription_id)
    assert held.cancel_at_period_end


async def test_a_request_that_cannot_be_settled_does_not_hold_up_the_others(shop: Shop) -> None:
    stuck = await start(shop, await upgrade(shop))
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await unit.execute(
            "update change_requests set request = 'null' where tenant_id = $1", shop.tenant_id
        )
    linus = await shop.subscription("linus")
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        other = await start_request(
            unit, uuid4(), await shop.customer_id("linus"), linus.id, "cancel"
        )
    await abandon(shop)
    assert await resume(shop) == 1
    assert (await state(shop, stuck)).state == "started"
    assert (await state(shop, other)).state == "done"


async def test_a_tenant_without_a_key_is_not_asked_for_again_and_again(shop: Shop) -> None:
    await start(shop, await upgrade(shop))
    await abandon(shop)
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await unit.execute("delete from secrets where tenant_id = $1", shop.tenant_id)
    shop.deployment.providers.forget(shop.tenant_id)
    with pytest.raises(ProviderKeyRejected):
        await resume(shop)
    assert await resume(shop) == 0


async def test_no_number_of_tries_is_too_many(shop: Shop) -> None:
    request = await start(shop, await upgrade(shop))
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await unit.execute(
            "update change_requests set tries = 32767 where tenant_id = $1", shop.tenant_id
        )
    await abandon(shop)
    assert await resume(shop) == 1
    assert (await state(shop, request)).state == "done"


async def test_a_request_that_earlier_code_wrote_down_is_made(shop: Shop) -> None:
    plan = await upgrade(shop)
    request = await start(shop, plan)
    written = msgspec.to_builtins(plan)
    (item,) = written.pop("items")
    earlier = {
        **{name: item[name] for name in ("item_id", "price_id", "quantity")},
        **{name: written[name] for name in ("subscription_id", "when", "proration", "as_of")},
    }
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await unit.execute(
            "update change_requests set request = $2::jsonb where tenant_id = $1",
            shop.tenant_id,
            msgspec.json.encode(earlier).decode(),
        )
    assert (await state(shop, request)).plan == plan
    await abandon(shop)
    assert await resume(shop) == 1
    assert await plan_held(shop) == shop.prices["scale"]


async def test_an_old_request_that_was_never_made_is_given_up_not_made(shop: Shop) -> None:
    request = await start(shop, await upgrade(shop))
    await abandon(shop)
    assert await resume(shop, PATIENCE + timedelta(minutes=1)) == 1
    settled = await state(shop, request)
    assert (settled.state, settled.failure) == ("refused", "change_expired")
    assert await plan_held(shop) == shop.prices["starter"]


async def test_an_old_request_that_was_made_is_found_to_be_done(shop: Shop) -> None:
    plan = await upgrade(shop)
    request = await start(shop, plan)
    await (await provider(shop)).change_subscription(plan, f"guichet-{request.id}")
    await abandon(shop)
    assert await resume(shop, PATIENCE + timedelta(minutes=1)) == 1
    assert (await state(shop, request)).state == "done"


async def without_items(shop: Shop, **terms: Any) -> SubscriptionChange:
    """A change of the terms alone."""
    return msgspec.structs.replace(await upgrade(shop), items=(), **terms)


async def add_code(shop: Shop) -> str:
    coupon = await shop.stripe.v1.coupons.create_async(
        {"percent_off": 50, "duration": "repeating", "duration_in_months": 3}
    )
    code = await shop.stripe.v1.promotion_codes.create_async(
        {"promotion": {"type": "coupon", "coupon": coupon.id}}
    )
    return code.id


async def lost_terms(shop: Shop, name: str) -> SubscriptionChange:
    if name == "code":
        return await without_items(shop, promotion_code_id=await add_code(shop))
    if name == "anchor":
        return await without_items(shop, anchor="now")
    end = (datetime.now(UTC) + timedelta(days=9)).replace(microsecond=0)
    return await without_items(shop, trial_end=end)


async def terms_held(shop: Shop) -> tuple[object, ...]:
    held = await shop.subscription("ada")
    return (held.latest_invoice, held.trial_end, len(held.discounts))


@pytest.mark.parametrize("name", ["code", "anchor", "trial"])
async def test_a_lost_change_without_items_is_made(shop: Shop, name: str) -> None:
    plan = await lost_terms(shop, name)
    before = await terms_held(shop)
    request = await start(shop, plan)
    await abandon(shop)
    assert await resume(shop) == 1
    assert (await state(shop, request)).state == "done"
    assert await terms_held(shop) != before


@pytest.mark.parametrize(
    ("name", "failure"),
    [("code", "change_unseen"), ("anchor", "change_unseen"), ("trial", "change_expired")],
)
async def test_an_old_change_without_items_is_not_told_as_made(
    shop: Shop, name: str, failure: str
) -> None:
    request = await start(shop, await lost_terms(shop, name))
    await abandon(shop)
    before = await terms_held(shop)
    assert await resume(shop, PATIENCE + timedelta(minutes=1)) == 1
    settled = await state(shop, request)
    assert (settled.state, settled.failure) == ("refused", failure)
    assert await terms_held(shop) == before


@pytest.mark.parametrize("name", ["code", "trial"])
async def test_an_old_change_of_terms_that_was_made_is_found_to_be_done(
    shop: Shop, name: str
) -> None:
    plan = await lost_terms(shop, name)
    request = await start(shop, plan)
    await (await provider(shop)).change_subscription(plan, f"guichet-{request.id}")
    await abandon(shop)
    assert await resume(shop, PATIENCE + timedelta(minutes=1)) == 1
    assert (await state(shop, request)).state == "done"
