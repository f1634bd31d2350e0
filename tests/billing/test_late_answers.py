"""The answer to a change of ours arrives when the mirror knows of something newer already."""

import asyncio

from guichet.billing.change_requests import ChangeRequest, carry_out
from guichet.billing.mirror import draw_copy_no, held_copies, write_copy
from guichet.payments.copies import Copy
from tests.billing.requesting import break_next, mend, provider, start, upgrade
from tests.portal.shop import Shop

_LATE_SECONDS = 1.5


async def _carry_out_late(shop: Shop, request: ChangeRequest) -> "asyncio.Task[ChangeRequest]":
    """Have a change made whose answer takes its time; answers once it is made."""
    await break_next(shop, mode="slow", seconds=_LATE_SECONDS, count=1, path="/v1/subscriptions")
    client = await provider(shop)
    making = asyncio.create_task(carry_out(shop.deployment.db, client, shop.tenant_id, request))
    while not _is_made(shop, request, await client.fetch_subscription(request.subscription_id)):
        await asyncio.sleep(0.05)
    await mend(shop)
    return making


def _is_made(shop: Shop, request: ChangeRequest, copy: Copy | None) -> bool:
    return bool(copy and shop.prices["scale"] in str(copy))


async def _held(shop: Shop, identifier: str) -> Copy:
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        return (await held_copies(unit, "subscription", [identifier]))[identifier]


async def test_what_the_merchant_changed_meanwhile_stays(shop: Shop) -> None:
    request = await start(shop, await upgrade(shop))
    making = await _carry_out_late(shop, request)
    client, identifier = await provider(shop), request.subscription_id
    await shop.stripe.v1.subscriptions.update_async(identifier, {"cancel_at_period_end": True})
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        copy_no = await draw_copy_no(unit)
    newer = await client.fetch_subscription(identifier)
    assert newer is not None
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        assert await write_copy(unit, newer, copy_no)
    assert not making.done()
    assert (await making).state == "done"
    assert await _held(shop, identifier) == newer


async def test_who_looked_before_the_change_does_not_hide_it(shop: Shop) -> None:
    request = await start(shop, await upgrade(shop))
    client, identifier = await provider(shop), request.subscription_id
    before = await client.fetch_subscription(identifier)
    assert before is not None
    making = await _carry_out_late(shop, request)
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        assert await write_copy(unit, before, await draw_copy_no(unit))
    assert not making.done()
    assert (await making).state == "done"
    assert await _held(shop, identifier) == await client.fetch_subscription(identifier)
