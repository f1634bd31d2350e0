"""A storm of deliveries: repeated, shuffled, with a worker and a web process killed in the middle.

It goes over the web's real route. Whoever is not answered with 2xx sends again, as a provider does.
`SOAK_EVENTS` sets how many events there are; `make soak` has a thousand.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg
import httpx
import pytest

from guichet.db import Database, connect
from guichet.embedded.postgres import OWNER_ROLE
from guichet.payments.copies import Copy, CustomerCopy, PaymentMethodCopy
from tests.databases import DatabaseUrls
from tests.deliveries import signature
from tests.killing.conftest import Stand
from tests.killing.rig import kill
from tests.mirrors import held, mirrored
from tests.shops import Shop, add_portal, open_shop

pytestmark = pytest.mark.slow

EVENTS = int(os.environ.get("SOAK_EVENTS", "150"))
_TENANTS = 3
_AT_ONCE = 8
#: The promise, and what is left of it for a busy machine.
_APPLIED_SECONDS = 60.0
_DELIVERED_SECONDS = 120.0


class Merchant(NamedTuple):
    """A shop whose events are delivered by the test, and its tenant."""

    shop: Shop
    tenant_id: UUID
    host: str


async def _add_merchants(stack: AsyncExitStack, stand: Stand, db: Database) -> list[Merchant]:
    urls = DatabaseUrls(stand.rig.postgres.url(OWNER_ROLE), stand.settings.database_url)
    found = []
    for number in range(_TENANTS):
        key = f"sk_test_storm{number}"
        shop = await stack.enter_async_context(open_shop(stand.rig.sandbox_url, key))
        slug = f"storm-{number}"
        tenant_id = await add_portal(stand.settings, urls, db, key, slug)
        found.append(Merchant(shop, tenant_id, f"{slug}.{stand.settings.base_domain}"))
    return found


async def _trade(shop: Shop, events: int) -> None:
    """Customers who come, buy, change, cancel and go, until there are so many events."""
    number = 0
    while len([event async for event in _events(shop)]) < events:
        for _ in range(8):
            number += 1
            customer = await shop.add_customer(f"{number}@example.com")
            bought = await shop.subscribe(customer)
            item = bought.items.data[0].id
            await shop.sdk.subscriptions.update_async(
                bought.id, {"items": [{"id": item, "price": shop.larger, "quantity": number}]}
            )
            if number % 3 == 0:
                await shop.sdk.subscriptions.update_async(bought.id, {"cancel_at_period_end": True})
            if number % 4 == 0:
                await shop.sdk.subscriptions.cancel_async(bought.id)
            if number % 5 == 0:
                await shop.sdk.customers.delete_async(customer)


def _events(shop: Shop) -> AsyncIterator[bytes]:
    return (
        event.body async for event in shop.port.list_events(datetime.now(UTC) - timedelta(hours=1))
    )


class Sender:
    """Delivers to several web processes, and again whatever was not acknowledged."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self._client = httpx.AsyncClient(timeout=15, trust_env=False)
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self.tries: Counter[str] = Counter()

    async def close(self) -> None:
        await self._client.aclose()

    async def deliver(self, merchant: Merchant, body: bytes) -> None:
        """Send one event until it is acknowledged."""
        async with self._gate:
            while not await self._is_acknowledged(merchant, body):
                await asyncio.sleep(0.2)

    async def _is_acknowledged(self, merchant: Merchant, body: bytes) -> bool:
        port = random.choice(self._ports)
        try:
            answer = await self._client.post(
                f"http://127.0.0.1:{port}/webhooks/stripe",
                content=body,
                headers={"host": merchant.host, "stripe-signature": signature(body)},
            )
        except httpx.TransportError as error:
            self.tries[type(error).__name__] += 1
            return False
        self.tries[str(answer.status_code)] += 1
        return answer.status_code == 200


async def _count_stamps(owner: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Have the database itself note each time that an event is stamped."""
    await owner.execute(
        """
        create table stamps (tenant_id uuid not null, event_id text not null);
        grant insert on stamps to public;
        create function note_stamp() returns trigger language plpgsql as $$
        begin
          insert into stamps values (new.tenant_id, new.id);
          return null;
        end $$;
        create trigger note_stamp after update on provider_events
          for each row
          when (new.handled_at is distinct from old.handled_at)
          execute function note_stamp();
        """
    )


async def _stamps(
    owner: "asyncpg.Connection[asyncpg.Record]", merchants: list[Merchant]
) -> Counter[tuple[UUID, str]]:
    rows = await owner.fetch(
        "select tenant_id, event_id from stamps where tenant_id = any($1::uuid[])",
        [merchant.tenant_id for merchant in merchants],
    )
    return Counter((row["tenant_id"], row["event_id"]) for row in rows)


async def _await_applied(db: Database, merchants: list[Merchant]) -> None:
    async with asyncio.timeout(_APPLIED_SECONDS):
        for merchant in merchants:
            while await _waiting(db, merchant.tenant_id):
                await asyncio.sleep(0.1)


async def _waiting(db: Database, tenant_id: UUID) -> int:
    async with db.unit(tenant_id) as unit:
        count: int = await unit.fetchval(
            "select count(1) from provider_events where tenant_id = $1 and handled_at is null",
            tenant_id,
        )
    return count


def _is_gone(copy: Copy) -> bool:
    """Whether the mirror knows that the provider lists an object no longer."""
    match copy:
        case CustomerCopy():
            return copy.deleted
        case PaymentMethodCopy():
            return copy.customer_id is None
        case _:
            return False


async def test_a_storm_ends_as_one_delivery_in_order_would(stand: Stand) -> None:
    order = random.Random(20)
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(connect(stand.settings.database_url, 4))
        owner = await asyncpg.connect(stand.rig.postgres.url(OWNER_ROLE))
        stack.push_async_callback(owner.close)
        merchants = await _add_merchants(stack, stand, db)
        await _count_stamps(owner)
        for merchant in merchants:
            await _trade(merchant.shop, EVENTS // _TENANTS)
        events = [(each, body) for each in merchants async for body in _events(each.shop)]
        assert len(events) >= EVENTS
        deliveries = [event for event in events for _ in range(order.randint(1, 5))]
        order.shuffle(deliveries)

        worker = await asyncio.to_thread(stand.rig.start_worker, "second-worker")
        web, port = await asyncio.to_thread(stand.rig.start_web, "second-web")
        sender = Sender([stand.rig.web_port, port])
        stack.push_async_callback(sender.close)
        async with asyncio.timeout(_DELIVERED_SECONDS), asyncio.TaskGroup() as group:
            sending = [group.create_task(sender.deliver(*delivery)) for delivery in deliveries]
            await asyncio.wait(sending[: len(sending) // 2])
            await asyncio.to_thread(kill, worker)
            await asyncio.to_thread(kill, web)
        assert sender.tries["200"] == len(deliveries)
        await _await_applied(db, merchants)
        for merchant in merchants:
            expected = await held(merchant.shop.port)
            found = await mirrored(db, merchant.tenant_id)
            gone = found.keys() - expected.keys()
            assert all(_is_gone(found.pop(each)) for each in gone)
            assert found == expected
        stamps = await _stamps(owner, merchants)
        assert len(stamps) == len(events)
        assert set(stamps.values()) == {1}
