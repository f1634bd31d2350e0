"""Cancellations at once that a dead process or a lost answer left: made once, and told."""

from uuid import uuid4

from guichet.billing.change_requests import ChangeRequest, carry_out, start_request
from guichet.payments.orders import Cancellation
from tests.billing.requesting import abandon, break_next, mend, provider, resume, state
from tests.portal.shop import Shop


async def _start(shop: Shop) -> ChangeRequest:
    order = Cancellation(
        subscription_id=(await shop.subscription("ada")).id,
        when="now",
        feedback="unused",
        comment="Thank you",
    )
    customer_id = await shop.customer_id("ada")
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        return await start_request(
            unit, uuid4(), customer_id, order.subscription_id, "cancel", order
        )


async def test_a_cancellation_whose_process_died_is_made_as_it_was_asked_for(shop: Shop) -> None:
    request = await _start(shop)
    await abandon(shop)
    assert await resume(shop) == 1
    settled = await state(shop, request)
    assert (settled.state, settled.cancellation) == ("done", request.cancellation)
    ended = await shop.subscription("ada")
    assert ended.status == "canceled"
    assert ended.cancellation_details is not None
    assert ended.cancellation_details.comment == "Thank you"


async def test_a_cancellation_whose_answer_was_lost_is_found_done(shop: Shop) -> None:
    request = await _start(shop)
    await break_next(shop, mode="lost")
    await carry_out(shop.deployment.db, await provider(shop), shop.tenant_id, request)
    await mend(shop)
    await abandon(shop)
    await resume(shop)
    assert (await state(shop, request)).state == "done"
    assert (await shop.subscription("ada")).status == "canceled"


async def test_one_that_ends_later_is_not_taken_for_one_that_ends_at_once(shop: Shop) -> None:
    request = await _start(shop)
    await (await provider(shop)).cancel(
        Cancellation(subscription_id=request.subscription_id, when="period_end"), "by-merchant"
    )
    await abandon(shop)
    assert await resume(shop) == 1
    assert (await shop.subscription("ada")).status == "canceled"


async def test_a_cancellation_that_earlier_code_wrote_down_ends_with_its_period(
    shop: Shop,
) -> None:
    request = await _start(shop)
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await unit.execute(
            """
            update change_requests
            set request = 'null'::jsonb
            where tenant_id = $1
            and id = $2
            """,
            shop.tenant_id,
            request.id,
        )
    await abandon(shop)
    assert await resume(shop) == 1
    ended = await shop.subscription("ada")
    assert (ended.status, ended.cancel_at_period_end) == ("active", True)
