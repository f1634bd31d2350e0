"""A provider that turns a tenant away: its background work stops, and nothing of it is lost."""

from pathlib import Path
from uuid import UUID

import pytest
import redis as redis_client
from prometheus_client import REGISTRY

from guichet.db import Database
from guichet.outbox import QUEUE
from guichet.payments.choose import SECRET_KEY
from guichet.settings import Settings
from tests.databases import DatabaseUrls
from tests.merchants import registry_for
from tests.shops import Shop, set_secret
from tests.workers.processes import running_worker, until
from tests.workers.rejecting import (
    Counter,
    ask_for_a_change,
    audited,
    connection_of,
    deliver,
    ripen,
    waiting,
    work,
)
from workers.changes import sweep_changes
from workers.connections import PROBE_PROVIDER, count_rejections, probe_provider, probe_rejected
from workers.events import sweep_events
from workers.office import Office
from workers.reconciliation import reconcile_all, reconcile_tenant


async def test_all_work_stops_while_a_key_is_revoked_and_all_arrives_when_it_is_replaced(
    settings: Settings, db: Database, tenant: UUID, shop: Shop, office: Office, counter: Counter
) -> None:
    customer = await shop.add_customer()
    subscription = (await shop.subscribe(customer)).id
    await shop.set(revoked=True)
    await deliver(settings, db, tenant, customer)
    await ask_for_a_change(db, tenant, subscription)
    await work(office, tenant)
    held = await connection_of(db, tenant)
    assert held is not None
    assert (held.reason, held.stopped) == ("key_revoked", True)

    asked = counter.requests
    for _ in range(3):
        await deliver(settings, db, tenant, customer, "cus_more")
        await ripen(db, tenant)
        await work(office, tenant)
    assert counter.requests == asked
    assert await waiting(db, tenant) == (2, 1)

    await shop.set(revoked=False)
    await set_secret(settings, db, tenant, SECRET_KEY, shop.key)
    held = await connection_of(db, tenant)
    assert held is not None
    assert held.rejected_at is None
    await ripen(db, tenant)
    await work(office, tenant)
    assert await waiting(db, tenant) == (0, 0)
    present = await shop.port.fetch_subscription(subscription)
    assert present is not None
    assert present.cancel_at_period_end


async def test_a_key_that_works_again_is_noticed_by_an_hourly_question(
    settings: Settings, db: Database, tenant: UUID, shop: Shop, office: Office, counter: Counter
) -> None:
    customer = await shop.add_customer()
    await shop.set(revoked=True)
    await deliver(settings, db, tenant, customer)
    await work(office, tenant)
    asked = counter.requests
    for _ in range(3):
        await probe_provider(office, str(tenant))
    assert counter.requests == asked

    await ripen(db, tenant)
    for _ in range(3):
        await probe_provider(office, str(tenant))
    assert counter.requests == asked + 1
    await shop.set(revoked=False)
    await ripen(db, tenant)
    await probe_provider(office, str(tenant))
    await ripen(db, tenant)
    await work(office, tenant)
    assert await waiting(db, tenant) == (0, 0)
    assert await audited(db, tenant) == ["provider_key.rejected", "provider_key.accepted"]


async def test_the_metric_counts_active_tenants_that_are_turned_away(
    database_urls: DatabaseUrls, db: Database, tenant: UUID, shop: Shop, office: Office
) -> None:
    async def counted() -> float | None:
        await count_rejections(office)
        return REGISTRY.get_sample_value("guichet_tenants_rejected")

    assert await counted() == 0
    await shop.set(revoked=True)
    await reconcile_tenant(office, str(tenant))
    assert await counted() == 1
    await registry_for(database_urls, db).set_status("lumen", "suspended")
    assert await counted() == 0


async def test_nobody_knocks_for_a_tenant_that_is_turned_away_until_an_hour_is_over(
    settings: Settings, db: Database, tenant: UUID, shop: Shop, office: Office
) -> None:
    async def knocks() -> set[str]:
        with redis_client.Redis.from_url(settings.redis_url) as client:
            client.flushall()
            for beat in (sweep_events, sweep_changes, reconcile_all, probe_rejected):
                await beat(office)
            return {job.decode().partition(":")[0] for job in client.zrange(QUEUE, 0, -1)}

    await shop.set(revoked=True)
    await deliver(settings, db, tenant, "cus_1")
    await ask_for_a_change(db, tenant, "sub_1")
    await _age(db, tenant)
    assert await knocks() == {"handle_events", "resume_changes", "reconcile_tenant"}
    await work(office, tenant)
    await _age(db, tenant)
    assert await knocks() == set()
    await ripen(db, tenant)
    assert await knocks() == {PROBE_PROVIDER}


async def _age(db: Database, tenant: UUID) -> None:
    """Let what arrived have waited for a while."""
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            update provider_events
            set
              received_at = now() - interval '1 minute',
              claimed_until = null
            where tenant_id = $1
            """,
            tenant,
        )


@pytest.mark.slow
async def test_a_worker_goes_on_within_seconds_when_the_key_is_replaced(
    settings: Settings, db: Database, tenant: UUID, shop: Shop, tmp_path: Path
) -> None:
    async def handled() -> bool:
        return await waiting(db, tenant) == (0, 0)

    async def rejected() -> bool:
        held = await connection_of(db, tenant)
        return held is not None and held.stopped

    customer = await shop.add_customer()
    await shop.set(revoked=True)
    await deliver(settings, db, tenant, customer)
    async with running_worker(settings, tmp_path / "worker.log"):
        await until(rejected, 15)
        await shop.set(revoked=False)
        await set_secret(settings, db, tenant, SECRET_KEY, shop.key)
        await until(handled, 15)
