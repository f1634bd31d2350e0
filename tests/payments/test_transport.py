"""The connections to the provider, which all tenants share."""

import asyncio
import secrets

from guichet.payments.stripe.adapter import Stripe, Transport
from tests.shops import Shop

#: More than there are connections.
_CALLS = 550
#: So many accounts hang at once, each asked more often than it has connections.
_HANGING, _CALLS_EACH = 20, 15


async def test_a_tenant_whose_provider_hangs_leaves_the_others_their_connections(
    shop: Shop,
) -> None:
    transport = Transport()
    slow = Stripe(shop.key, shop.url, transport)
    quick = Stripe(f"sk_test_{secrets.token_hex(12)}", shop.url, transport)
    await shop.set(latency_ms=8000)
    waiting = [asyncio.create_task(slow.account()) for _ in range(_CALLS)]
    await asyncio.sleep(0)
    assert (await quick.account()).id
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await transport.close_async()


async def test_many_tenants_whose_providers_hang_leave_the_others_theirs(shop: Shop) -> None:
    transport = Transport()
    others = f"sk_test_{secrets.token_hex(12)}"
    await shop.set(latency_ms=8000)
    hanging = [Stripe(shop.key, shop.url, transport) for _ in range(_HANGING)]
    waiting = [asyncio.create_task(slow.account()) for slow in hanging for _ in range(_CALLS_EACH)]
    await asyncio.sleep(0)
    quick = [Stripe(others, shop.url, transport) for _ in range(_HANGING)]
    answers = await asyncio.gather(*(each.account() for each in quick))
    assert len(answers) == _HANGING
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await transport.close_async()
