"""A suspended tenant's background work stops, and goes on when the tenant is resumed."""

from uuid import UUID

import redis as redis_client

from guichet.db import Database
from guichet.outbox import QUEUE, open_outbox
from guichet.settings import Settings
from guichet.webhooks.intake import EventIntake
from tenants.vault import Vault
from tests.databases import DatabaseUrls
from tests.deliveries import body_of, chunks, entry, headers
from tests.merchants import registry_for
from tests.shops import Shop
from tests.workers.processes import until
from workers.changes import sweep_changes
from workers.events import handle_events, sweep_events
from workers.office import Office, open_office

_AWAY = "redis://127.0.0.1:1"


async def _deliver(settings: Settings, db: Database, tenant: UUID, customer: str) -> None:
    body = body_of(1, "customer.updated", id=customer, object="customer")
    async with open_outbox(_AWAY) as outbox:
        intake = EventIntake(db, Vault(settings.master_keys), outbox)
        assert await intake.receive(entry(tenant), headers(body), chunks(body)) == 200


async def _abandon(db: Database, tenant: UUID) -> None:
    """Leave one event and one change for whoever comes by next."""
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            update provider_events
            set received_at = now() - interval '1 minute'
            where tenant_id = $1
            """,
            tenant,
        )
        await unit.execute(
            """
            insert into change_requests (
              tenant_id, id, customer_id, subscription_id, kind, request, state, claimed_until
            )
            values ($1, gen_random_uuid(), 'cus_1', 'sub_1', 'cancel', 'null', 'started', now())
            """,
            tenant,
        )


async def _knocks(settings: Settings, office: Office) -> int:
    """How many jobs the sweeps ask for."""
    with redis_client.Redis.from_url(settings.redis_url) as client:
        client.flushall()
        await sweep_events(office)
        await sweep_changes(office)
        return int(client.zcard(QUEUE))


async def _is_handled(db: Database, tenant: UUID) -> bool:
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


async def test_a_suspended_tenant_s_work_waits_until_it_is_resumed(
    settings: Settings, database_urls: DatabaseUrls, db: Database, tenant: UUID, shop: Shop
) -> None:
    await _deliver(settings, db, tenant, await shop.add_customer())
    await _abandon(db, tenant)
    registry = registry_for(database_urls, db)
    async with open_office(settings) as office:

        async def knows(status: str) -> bool:
            known = office.deployment.directory.by_id(tenant)
            return known is not None and known.status == status

        await registry.set_status("lumen", "suspended")
        await until(lambda: knows("suspended"), 10)
        assert await _knocks(settings, office) == 0
        await handle_events(office, str(tenant))
        assert not await _is_handled(db, tenant)

        await registry.set_status("lumen", "active")
        await until(lambda: knows("active"), 10)
        assert await _knocks(settings, office) == 2
        await handle_events(office, str(tenant))
        assert await _is_handled(db, tenant)
