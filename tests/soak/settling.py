"""The time after the storm: nothing fails any more, and everything comes to rest by itself."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx

from guichet.billing.reconciling import OVERLAP, RECONCILE_TENANT
from guichet.outbox import open_outbox
from tests.soak import weather
from tests.soak.account import Account
from tests.soak.stage import Stage
from workers.reconciliation import EVERY

#: Far more than the longest wait of a delivery, a lease or a change in doubt.
PATIENCE_SECONDS = 300.0
_PAUSE_SECONDS = 0.5


async def settle(stage: Stage) -> None:
    """End all faults and wait until nothing is under way.

    Raises `TimeoutError`, which says what is under way still.
    """
    for account in stage.accounts:
        await weather.calm(account.shop)
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    async with httpx.AsyncClient(trust_env=False) as client:
        # What came to rest last may have moved what was at rest before.
        for account in stage.accounts * 2:
            while busy := await _busy(account, client):
                if time.monotonic() > give_up_at:
                    raise TimeoutError(f"{account.shop.key}: {busy}")
                await asyncio.sleep(_PAUSE_SECONDS)


async def _busy(account: Account, client: httpx.AsyncClient) -> dict[str, int]:
    """What is under way, and how much of it."""
    clocks = await account.sdk.test_helpers.test_clocks.list_async({"limit": 100})
    counts = {
        "clocks": sum(clock.status == "advancing" for clock in clocks.data),
        "deliveries": await _deliveries_waiting(account, client),
        "events": await _waiting_events(account),
        "changes": await _unsettled_changes(account),
    }
    return {name: count for name, count in counts.items() if count}


async def _deliveries_waiting(account: Account, client: httpx.AsyncClient) -> int:
    answer = await client.get(
        f"{account.shop.url}/_control/deliveries",
        headers={"authorization": f"Bearer {account.shop.key}"},
        timeout=30,
    )
    waiting: int = answer.raise_for_status().json()["waiting"]
    return waiting


async def _waiting_events(account: Account) -> int:
    async with account.db.unit(account.tenant_id) as unit:
        count: int = await unit.fetchval(
            "select count(1) from provider_events where tenant_id = $1 and handled_at is null",
            account.tenant_id,
        )
    return count


async def _unsettled_changes(account: Account) -> int:
    async with account.db.unit(account.tenant_id) as unit:
        count: int = await unit.fetchval(
            """
            select count(1)
            from change_requests
            where tenant_id = $1
            and state in ('started', 'unknown')
            """,
            account.tenant_id,
        )
    return count


async def reconcile(stage: Stage) -> dict[Account, datetime]:
    """Have the workers read every tenant's list of events, as if five minutes had passed.

    Answers before which time no event was read for. Raises `TimeoutError`.
    """
    horizons = {account: await _let_time_pass(account) for account in stage.accounts}
    knocked_at = datetime.now(UTC)
    async with open_outbox(stage.settings.redis_url) as outbox:
        for account in stage.accounts:
            await outbox.knock(RECONCILE_TENANT, str(account.tenant_id))
    async with asyncio.timeout(PATIENCE_SECONDS):
        for account in stage.accounts:
            while await _read_until(account) < knocked_at - timedelta(seconds=1):
                await asyncio.sleep(_PAUSE_SECONDS)
    await settle(stage)
    return horizons


async def _let_time_pass(account: Account) -> datetime:
    async with account.db.unit(account.tenant_id) as unit:
        read_until: datetime = await unit.fetchval(
            """
            update reconciliations
            set checked_at = checked_at - $2::interval
            where tenant_id = $1
            returning read_until
            """,
            account.tenant_id,
            EVERY,
        )
    return read_until - OVERLAP


async def _read_until(account: Account) -> datetime:
    async with account.db.unit(account.tenant_id) as unit:
        read_until: datetime = await unit.fetchval(
            "select read_until from reconciliations where tenant_id = $1", account.tenant_id
        )
    return read_until
