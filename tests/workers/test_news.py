"""What changed is followed by a worker: knocked for, swept up, and knocked on for."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import redis as redis_client

from guichet.billing.importing import import_tenant
from guichet.db import Database
from guichet.outbox import QUEUE
from guichet.settings import Settings
from guichet.webhooks.storing import EventStore, StoredEvent
from tests.billing.following import Merchant
from tests.databases import DatabaseUrls
from tests.deliveries import body_of
from tests.merchants import registry_for
from tests.payments.clocks import add_clock, advance
from tests.shops import Shop
from workers.events import handle_events
from workers.news import follow_news, sweep_news
from workers.office import Office
from workers.reminders import remind, remind_all

_START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _knocked(settings: Settings) -> set[str]:
    """The jobs that were knocked for since the last time."""
    with redis_client.Redis.from_url(settings.redis_url) as client:
        jobs = client.zrange(QUEUE, 0, -1)
        client.flushall()
    return {job.decode().split(":")[0] for job in jobs}


async def _deliver(db: Database, tenant: UUID, *subjects: tuple[str, str]) -> None:
    """Events about objects, as a provider delivers them."""
    store = EventStore(db, lambda _: None)
    for number, (kind, identifier) in enumerate(subjects):
        body = body_of(number, f"{kind}.updated", object=kind, id=identifier)
        event_id = f"evt_{identifier}_{datetime.now(UTC).timestamp()}"
        at = datetime.now(UTC)
        await store.store(StoredEvent(tenant, event_id, kind, identifier, at, body))


@pytest.fixture
async def merchant(db: Database, tenant: UUID, office: Office) -> Merchant:
    """The tenant, once the office knows it."""
    while office.deployment.directory.by_id(tenant) is None:
        await asyncio.sleep(0.01)
    return Merchant(db, tenant)


async def test_a_renewal_that_fails_becomes_a_case_of_its_time(
    settings: Settings, merchant: Merchant, shop: Shop, office: Office
) -> None:
    clock = await add_clock(shop, _START)
    customer = await shop.add_customer(clock=clock)
    subscription = await shop.subscribe(customer)
    await import_tenant(merchant.db, shop.port, merchant.tenant_id)
    await follow_news(office, str(merchant.tenant_id))
    await shop.set_card(customer, "pm_card_chargeCustomerFail")
    renews_at = datetime(2026, 4, 1, 12, tzinfo=UTC)
    await advance(shop, clock, renews_at + timedelta(hours=2))
    (invoice,) = [
        each async for each in shop.port.list_invoices() if each.attempt_count and not each.paid_at
    ]
    (attempt,) = [each async for each in shop.port.list_attempts() if each.status == "failed"]
    await _deliver(
        merchant.db,
        merchant.tenant_id,
        ("test_helpers.test_clock", clock),
        ("invoice", invoice.id),
        ("subscription", subscription.id),
        ("charge", attempt.id),
    )
    _knocked(settings)
    await handle_events(office, str(merchant.tenant_id))
    assert "follow_news" in _knocked(settings)
    await follow_news(office, str(merchant.tenant_id))
    assert "run_dunning" in _knocked(settings)
    case = await merchant.case()
    assert (case["invoice_id"], case["test_clock_id"]) == (invoice.id, clock)
    assert case["opened_at"] == attempt.created_at
    assert renews_at <= case["opened_at"] <= renews_at + timedelta(hours=2)


async def test_a_clock_that_moves_has_its_customers_reminded(
    settings: Settings, merchant: Merchant, shop: Shop, office: Office
) -> None:
    clock = await add_clock(shop, _START)
    await shop.subscribe(await shop.add_customer(clock=clock))
    await import_tenant(merchant.db, shop.port, merchant.tenant_id)
    await follow_news(office, str(merchant.tenant_id))
    assert "renewal_coming" not in await merchant.told()
    await advance(shop, clock, _START + timedelta(days=25))
    await _deliver(merchant.db, merchant.tenant_id, ("test_helpers.test_clock", clock))
    await handle_events(office, str(merchant.tenant_id))
    _knocked(settings)
    await follow_news(office, str(merchant.tenant_id))
    assert "renewal_coming" in await merchant.told()
    assert "send_messages" in _knocked(settings)


async def test_the_sweep_knocks_for_active_tenants_with_news(
    settings: Settings, database_urls: DatabaseUrls, merchant: Merchant, office: Office
) -> None:
    await merchant.execute(
        """
        insert into mirror_news (tenant_id, kind, object_id, set_aside_at, failure)
        values ($1, 'customer', 'cus_9', now(), 'ValueError')
        """
    )
    await sweep_news(office)
    assert _knocked(settings) == set()
    await merchant.execute(
        """
        insert into mirror_news (tenant_id, kind, object_id)
        values ($1, 'customer', 'cus_1')
        """
    )
    await sweep_news(office)
    assert _knocked(settings) == {"follow_news"}
    await registry_for(database_urls, merchant.db).set_status("lumen", "suspended")
    await sweep_news(office)
    assert _knocked(settings) == set()
    while (entry := office.deployment.directory.by_id(merchant.tenant_id)) is None or (
        entry.status == "active"
    ):
        await asyncio.sleep(0.01)
    await follow_news(office, str(merchant.tenant_id))
    assert await merchant.news() == ["customer"]


async def test_every_active_tenant_s_customers_are_reminded(
    settings: Settings, merchant: Merchant, shop: Shop, office: Office
) -> None:
    await shop.subscribe(await shop.add_customer(), trial_days=2)
    await import_tenant(merchant.db, shop.port, merchant.tenant_id)
    await remind_all(office)
    assert _knocked(settings) == {"remind"}
    await remind(office, str(merchant.tenant_id))
    assert await merchant.told() == ["trial_ending"]
    assert _knocked(settings) == {"send_messages"}
