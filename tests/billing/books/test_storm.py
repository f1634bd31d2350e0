"""Books that are checked while everything changes: what is on its way is no difference."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from guichet.db import Database
from guichet.payments.choose import Providers
from guichet.settings import Settings
from guichet.webhooks.apply import Applier
from guichet.webhooks.storing import EventStore, StoredEvent
from tenants.vault import Vault
from tests.billing.books.conftest import Check
from tests.shops import Shop

#: The longest that a delivery is on its way, and well above that what books wait for.
_LATE_SECONDS = 0.8
_SETTLE_SECONDS = 4.0
_CUSTOMERS = 12


class Deliveries:
    """Every event of the shop delivered late, out of order, some of them twice."""

    def __init__(self, db: Database, tenant: UUID, shop: Shop, applier: Applier) -> None:
        self._store = EventStore(db, lambda _: None)
        self._tenant, self._shop, self._applier = tenant, shop, applier
        self._since = datetime.now(UTC) - timedelta(hours=1)
        self._order = random.Random(5)
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Deliver whatever happens, until cancelled."""
        while True:
            async for event in self._shop.port.list_events(self._since):
                if event.id not in self._under_way:
                    stored = StoredEvent(
                        self._tenant,
                        event.id,
                        event.type,
                        event.object_id or "",
                        event.created_at,
                        event.body,
                    )
                    task = asyncio.create_task(self._deliver(stored))
                    self._under_way[event.id] = task
            await asyncio.sleep(0.1)

    async def _deliver(self, event: StoredEvent) -> None:
        for _ in range(self._order.randint(1, 2)):
            await asyncio.sleep(self._order.uniform(0, _LATE_SECONDS))
            await self._store.store(event)
            await self._applier.handle_events(self._tenant)

    async def end(self) -> int:
        """Let what is under way arrive; answers how many events there were."""
        await asyncio.gather(*self._under_way.values())
        return len(self._under_way)


@pytest.fixture
async def deliveries(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> AsyncIterator[Deliveries]:
    async with Providers(settings, db, Vault(settings.master_keys)) as providers:
        deliveries = Deliveries(db, tenant, shop, Applier(db, providers))
        delivering = asyncio.create_task(deliveries.run())
        yield deliveries
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)


async def _trade(shop: Shop) -> None:
    for number in range(_CUSTOMERS):
        customer = await shop.add_customer(f"storm-{number}@example.com")
        subscription = await shop.subscribe(customer)
        item = subscription.items.data[0].id
        await shop.sdk.subscriptions.update_async(
            subscription.id, {"items": [{"id": item, "price": shop.larger, "quantity": number + 1}]}
        )
        for name in ("Ada", "Grace", "Linus"):
            await shop.sdk.customers.update_async(customer, {"name": f"{name} {number}"})
            await asyncio.sleep(0.05)
        if number % 3 == 0:
            await shop.sdk.subscriptions.cancel_async(subscription.id)
        if number % 4 == 0:
            await shop.sdk.customers.delete_async(customer)


@pytest.mark.slow
async def test_books_in_a_storm_of_changes_tell_nothing_that_is_on_its_way(
    check: Check, shop: Shop, deliveries: Deliveries
) -> None:
    trading = asyncio.create_task(_trade(shop))
    while not trading.done():
        books = await check(settle_s=_SETTLE_SECONDS)
        assert books.differences == []
    await trading
    books = await check(settle_s=_SETTLE_SECONDS)
    assert books.differences == []
    assert await deliveries.end() > 10 * _CUSTOMERS
