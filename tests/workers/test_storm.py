"""A storm of deliveries: duplicated, shuffled, two workers, one of them killed in the middle."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from guichet.db import Database
from guichet.outbox import open_outbox
from guichet.payments.orders import Cancellation
from guichet.settings import Settings
from guichet.webhooks.intake import EventIntake
from tenants.vault import Vault
from tests.deliveries import chunks, entry, headers
from tests.mirrors import held, mirrored
from tests.shops import Shop
from tests.workers.processes import running_worker, until

_CUSTOMERS = 20
_EVENTS = 300


async def _trade(shop: Shop) -> None:
    """A morning at the shop: subscriptions, changes, cancellations, a deleted customer."""

    async def one(number: int) -> None:
        customer = await shop.add_customer(f"{number}@example.com")
        subscription = await shop.subscribe(customer)
        item = subscription.items.data[0].id
        await shop.sdk.subscriptions.update_async(
            subscription.id, {"items": [{"id": item, "price": shop.larger, "quantity": number + 1}]}
        )
        if number % 3 == 0:
            order = Cancellation(subscription_id=subscription.id, when="period_end")
            await shop.port.cancel(order, f"cancel-{number}")
        if number % 4 == 0:
            await shop.sdk.subscriptions.cancel_async(subscription.id)
        await shop.sdk.customers.update_async(customer, {"name": f"Customer {number}"})

    for number in range(_CUSTOMERS):
        await one(number)


@pytest.mark.slow
async def test_a_storm_ends_where_the_provider_is(
    settings: Settings, db: Database, tenant: UUID, shop: Shop, tmp_path: Path
) -> None:
    await _trade(shop)
    since = datetime.now(UTC) - timedelta(hours=1)
    events = [event async for event in shop.port.list_events(since)]
    assert len(events) >= _EVENTS
    order = random.Random(20)
    deliveries = [event.body for event in events for _ in range(order.randint(1, 5))]
    order.shuffle(deliveries)
    async with (
        running_worker(settings, tmp_path / "one.log") as one,
        running_worker(settings, tmp_path / "two.log") as two,
        open_outbox(settings.redis_url) as outbox,
    ):
        intake = EventIntake(db, Vault(settings.master_keys), outbox)
        for start in range(0, len(deliveries), 25):
            await asyncio.gather(
                *(
                    intake.receive(entry(tenant), headers(body), chunks(body))
                    for body in deliveries[start : start + 25]
                )
            )
            if start > len(deliveries) / 2 and one.is_running:
                one.kill()
        await until(lambda: _all_handled(db, tenant), 40)
        assert await two.stop() == 0
    assert await mirrored(db, tenant) == await held(shop.port)
    async with db.unit(tenant) as unit:
        stored = await unit.fetchval(
            "select count(*) from provider_events where tenant_id = $1", tenant
        )
    assert stored == len(events)


async def _all_handled(db: Database, tenant: UUID) -> bool:
    async with db.unit(tenant) as unit:
        waiting = await unit.fetchval(
            """
            select count(*)
            from provider_events
            where tenant_id = $1
            and handled_at is null
            """,
            tenant,
        )
    return bool(waiting == 0)
