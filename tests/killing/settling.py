"""What became of everything, once nothing is waiting any more."""

import asyncio
import time

from guichet.outbox import QUEUE, make_redis
from tests.portal.shop import Shop

#: The promise for whatever was lost, killed or forgotten: it goes on within a minute.
SETTLED_SECONDS = 60.0


async def await_settled(shop: Shop) -> float:
    """Wait until no event and no change is unfinished; answers how many seconds it took.

    Raises `TimeoutError` after a minute.
    """
    began_at = time.monotonic()
    async with asyncio.timeout(SETTLED_SECONDS):
        while await _unfinished(shop):
            await asyncio.sleep(0.1)
    return time.monotonic() - began_at


async def await_empty_queue(redis_url: str) -> None:
    """Wait until no knock is left that is due; raises `TimeoutError` after a minute."""
    redis = make_redis(redis_url)
    try:
        async with asyncio.timeout(SETTLED_SECONDS):
            while await redis.zcount(QUEUE, 0, time.time() * 1000):
                await asyncio.sleep(0.25)
    finally:
        await redis.aclose(close_connection_pool=True)


async def _unfinished(shop: Shop) -> int:
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        count: int = await unit.fetchval(
            """
            select
              (select count(1) from provider_events where tenant_id = $1 and handled_at is null)
              + (
                select count(1)
                from change_requests
                where tenant_id = $1
                and state in ('started', 'unknown')
              )
            """,
            shop.tenant_id,
        )
    return count


async def events_applied(shop: Shop) -> set[str]:
    """The ids of all events that are stored and stamped."""
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        rows = await unit.fetch(
            "select id from provider_events where tenant_id = $1 and handled_at is not null",
            shop.tenant_id,
        )
    return {row["id"] for row in rows}


async def changes_by_state(shop: Shop) -> dict[str, set[str]]:
    """The ids of all change requests by the state that they are in."""
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        rows = await unit.fetch(
            "select id::text, state from change_requests where tenant_id = $1", shop.tenant_id
        )
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["state"], set()).add(row["id"])
    return found


async def charges(shop: Shop, who: str) -> int:
    """How many invoices the provider has made for changes of somebody's plan."""
    found = await shop.stripe.v1.invoices.list_async(
        {"customer": await shop.customer_id(who), "limit": 100}
    )
    return sum(
        [
            invoice.billing_reason == "subscription_update"
            async for invoice in found.auto_paging_iter()
        ]
    )
