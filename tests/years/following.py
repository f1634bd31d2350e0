"""Whether the workers have followed: nothing waits any more but what waits for time."""

import httpx

from guichet.db import LOST
from guichet.errors import Unavailable
from tests.loopback import NO_AUTHORITIES
from tests.years.merchant import Merchant


async def left_to_do(merchant: Merchant) -> dict[str, int]:
    """As `under_way`, for whoever asks in a storm: servers that are away count too."""
    try:
        return await under_way(merchant)
    except (Unavailable, OSError, httpx.TransportError, *LOST):
        return {"servers": 1}


async def under_way(merchant: Merchant) -> dict[str, int]:
    """What has to be done now and is not done yet, and how much of it."""
    counts = {"deliveries": await _deliveries(merchant), **await _rows(merchant)}
    return {name: count for name, count in counts.items() if count}


async def _deliveries(merchant: Merchant) -> int:
    async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITIES) as client:
        answer = await client.get(
            f"{merchant.shop.url}/_control/deliveries",
            headers={"authorization": f"Bearer {merchant.shop.key}"},
            timeout=30,
        )
    waiting: int = answer.raise_for_status().json()["waiting"]
    return waiting


async def _rows(merchant: Merchant) -> dict[str, int]:
    async with merchant.db.unit(merchant.tenant_id) as unit:
        row = await unit.fetchrow(
            """
            select
              (
                select count(1) from provider_events where tenant_id = $1 and handled_at is null
              ) as events,
              (select count(1) from mirror_news where tenant_id = $1) as news,
              (
                select count(1)
                from dunning_cases as held
                join tenants as tenant
                  on tenant.id = held.tenant_id
                where held.tenant_id = $1
                and held.wake_at is not null
                and (
                  held.wake_at <= now()
                  or held.state in ('attempting', 'unknown')
                  or held.policy_version is distinct from tenant.published_version
                )
              ) as cases,
              (
                select count(1)
                from messages
                where tenant_id = $1
                and (due_at <= now() or state = 'sending')
              ) as messages
            """,
            merchant.tenant_id,
        )
    assert row is not None
    return {name: int(count) for name, count in row.items()}
