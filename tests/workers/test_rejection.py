"""A provider that turns a tenant away: its background work stops, and nothing of it is lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import msgspec
import pytest
import redis as redis_client
from prometheus_client import REGISTRY

from guichet.db import Database
from guichet.outbox import QUEUE, open_outbox
from guichet.payments.choose import SECRET_KEY, Providers
from guichet.payments.connections import (
    ProviderConnection,
    Rejection,
    key_set_at,
    note_rejected,
    read_connection,
    rejected_tenants,
)
from guichet.payments.errors import ProviderKeyRejected
from guichet.payments.orders import CustomerDetails
from guichet.settings import Settings
from guichet.webhooks.intake import EventIntake
from tenants.vault import Vault
from tests.databases import DatabaseUrls
from tests.deliveries import body_of, chunks, entry, headers
from tests.merchants import AGENCY, add_merchant, registry_for
from tests.shops import Shop, set_secret
from tests.workers.processes import running_worker, until
from workers.changes import resume_changes, sweep_changes
from workers.connections import PROBE_PROVIDER, count_rejections, probe_provider, probe_rejected
from workers.events import handle_events, sweep_events
from workers.office import Office, open_office
from workers.reconciliation import reconcile_all, reconcile_tenant

_AWAY = "redis://127.0.0.1:1"


class Counter:
    """A way to the sandbox that counts requests."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self.requests = 0
        self.url = ""

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Counter"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._target.hostname, self._target.port
        there_reader, there_writer = await asyncio.open_connection(host, port)
        await asyncio.gather(
            self._pass(reader, there_writer, counted=True), self._pass(there_reader, writer)
        )

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counted: bool = False
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                self.requests += data.count(b" HTTP/1.1\r\n") if counted else 0
                writer.write(data)
                await writer.drain()
        writer.close()


@pytest.fixture
async def counter(sandbox: str) -> AsyncIterator[Counter]:
    async with Counter(sandbox).open() as counter:
        yield counter


@pytest.fixture
async def office(settings: Settings, counter: Counter) -> AsyncIterator[Office]:
    async with open_office(msgspec.structs.replace(settings, stripe_url=counter.url)) as office:
        yield office


async def _deliver(settings: Settings, db: Database, tenant: UUID, *customers: str) -> None:
    async with open_outbox(_AWAY) as outbox:
        intake = EventIntake(db, Vault(settings.master_keys), outbox)
        for number, customer in enumerate(customers):
            body = body_of(number, "customer.updated", id=customer, object="customer")
            assert await intake.receive(entry(tenant), headers(body), chunks(body)) == 200


async def _ask_for_a_change(db: Database, tenant: UUID, subscription: str) -> UUID:
    """A cancellation whose caller died a while ago."""
    request = uuid4()
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            insert into change_requests (
              tenant_id, id, customer_id, subscription_id, kind, request, state, claimed_until
            )
            values ($1, $2, 'cus_1', $3, 'cancel', 'null', 'started', now() - interval '1 second')
            """,
            tenant,
            request,
            subscription,
        )
    return request


async def _waiting(db: Database, tenant: UUID) -> tuple[int, int]:
    """Events that were not applied, and changes that were not settled."""
    async with db.unit(tenant) as unit:
        row = await unit.fetchrow(
            """
            select
              (
                select count(1)
                from provider_events
                where tenant_id = $1
                and handled_at is null
              ),
              (
                select count(1)
                from change_requests
                where tenant_id = $1
                and state in ('started', 'unknown')
              )
            """,
            tenant,
        )
    assert row is not None
    return row[0], row[1]


async def _connection(db: Database, tenant: UUID) -> ProviderConnection | None:
    async with db.unit(tenant) as unit:
        return await read_connection(unit)


async def _audited(db: Database, tenant: UUID) -> list[str]:
    async with db.unit(tenant) as unit:
        rows = await unit.fetch(
            """
            select action
            from audit_log
            where tenant_id = $1
            and action like 'provider_key.%'
            order by at
            """,
            tenant,
        )
    return [row["action"] for row in rows]


async def _ripen(db: Database, tenant: UUID) -> None:
    """Let all that waits for a time wait no longer."""
    async with db.unit(tenant) as unit:
        await unit.execute(
            "update provider_events set claimed_until = null where tenant_id = $1", tenant
        )
        await unit.execute(
            "update change_requests set claimed_until = now() where tenant_id = $1", tenant
        )
        await unit.execute(
            """
            update provider_connections
            set checked_at = now() - interval '1 hour'
            where tenant_id = $1
            """,
            tenant,
        )


async def _work(office: Office, tenant: UUID) -> None:
    """All that is done for a tenant in the background, but the rare probe."""
    await handle_events(office, str(tenant))
    await resume_changes(office, str(tenant))
    await reconcile_tenant(office, str(tenant))


async def test_all_work_stops_while_a_key_is_revoked_and_all_arrives_when_it_is_replaced(
    settings: Settings, db: Database, tenant: UUID, shop: Shop, office: Office, counter: Counter
) -> None:
    customer = await shop.add_customer()
    subscription = (await shop.subscribe(customer)).id
    await shop.set(revoked=True)
    await _deliver(settings, db, tenant, customer)
    await _ask_for_a_change(db, tenant, subscription)
    await _work(office, tenant)
    held = await _connection(db, tenant)
    assert held is not None
    assert (held.reason, held.stopped) == ("key_revoked", True)

    asked = counter.requests
    for _ in range(3):
        await _deliver(settings, db, tenant, customer, "cus_more")
        await _ripen(db, tenant)
        await _work(office, tenant)
    assert counter.requests == asked
    assert await _waiting(db, tenant) == (2, 1)

    await shop.set(revoked=False)
    await set_secret(settings, db, tenant, SECRET_KEY, shop.key)
    held = await _connection(db, tenant)
    assert held is not None
    assert held.rejected_at is None
    await _ripen(db, tenant)
    await _work(office, tenant)
    assert await _waiting(db, tenant) == (0, 0)
    present = await shop.port.fetch_subscription(subscription)
    assert present is not None
    assert present.cancel_at_period_end


async def test_a_key_that_works_again_is_noticed_by_an_hourly_question(
    settings: Settings, db: Database, tenant: UUID, shop: Shop, office: Office, counter: Counter
) -> None:
    customer = await shop.add_customer()
    await shop.set(revoked=True)
    await _deliver(settings, db, tenant, customer)
    await _work(office, tenant)
    asked = counter.requests
    for _ in range(3):
        await probe_provider(office, str(tenant))
    assert counter.requests == asked

    await _ripen(db, tenant)
    for _ in range(3):
        await probe_provider(office, str(tenant))
    assert counter.requests == asked + 1
    await shop.set(revoked=False)
    await _ripen(db, tenant)
    await probe_provider(office, str(tenant))
    await _ripen(db, tenant)
    await _work(office, tenant)
    assert await _waiting(db, tenant) == (0, 0)
    assert await _audited(db, tenant) == ["provider_key.rejected", "provider_key.accepted"]


async def test_a_customer_s_page_stops_the_work_too_and_tells_it_once(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    await shop.set(revoked=True)
    async with Providers(settings, db, Vault(settings.master_keys)) as providers:
        for _ in range(3):
            with pytest.raises(ProviderKeyRejected):
                await (await providers.client(tenant)).fetch_customer("cus_1")
    held = await _connection(db, tenant)
    assert held is not None
    assert held.stopped
    assert await _audited(db, tenant) == ["provider_key.rejected"]


async def test_a_key_that_may_not_mirror_stops_the_work_and_says_what_it_may_not(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    await shop.set(fail_next_requests=[{"status": 403, "path": "/v1/customers"}])
    async with Providers(settings, db, Vault(settings.master_keys)) as providers:
        client = await providers.client(tenant)
        with pytest.raises(ProviderKeyRejected):
            await client.fetch_customer("cus_1")
    held = await _connection(db, tenant)
    assert held is not None
    assert (held.reason, held.refused, held.stopped) == ("may_not_mirror", "GET customers", True)


@pytest.mark.parametrize(
    ("path", "refused"),
    [("/v1/customers", "POST customers"), ("/v1/credit_notes", "GET credit_notes")],
)
async def test_a_key_that_may_read_what_is_mirrored_keeps_the_mirror_alive(
    settings: Settings, db: Database, tenant: UUID, shop: Shop, path: str, refused: str
) -> None:
    async with Providers(settings, db, Vault(settings.master_keys)) as providers:
        client = await providers.client(tenant)
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "POST customers": lambda: client.create_customer(CustomerDetails(), "key"),
            "GET credit_notes": lambda: client.list_credit_notes("cus_1"),
        }
        await shop.set(fail_next_requests=[{"status": 403, "path": path}])
        with pytest.raises(ProviderKeyRejected):
            await calls[refused]()
        held = await _connection(db, tenant)
        assert held is not None
        assert (held.reason, held.refused, held.stopped) == ("may_not_act", refused, False)
        # What stops the work stands above it.
        await shop.set(revoked=True)
        with pytest.raises(ProviderKeyRejected):
            await client.fetch_customer("cus_1")
    held = await _connection(db, tenant)
    assert held is not None
    assert (held.reason, held.stopped) == ("key_revoked", True)


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
    await _deliver(settings, db, tenant, "cus_1")
    await _ask_for_a_change(db, tenant, "sub_1")
    await _age(db, tenant)
    assert await knocks() == {"handle_events", "resume_changes", "reconcile_tenant"}
    await _work(office, tenant)
    await _age(db, tenant)
    assert await knocks() == set()
    await _ripen(db, tenant)
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


async def test_a_key_that_may_not_mirror_its_account_is_good_for_all_else(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    await shop.set(fail_next_requests=[{"status": 403, "path": "/v1/account", "count": 1}])
    async with Providers(settings, db, Vault(settings.master_keys)) as providers:
        assert await providers.probe(tenant) is None
    held = await _connection(db, tenant)
    assert held is not None
    assert held.rejected_at is None


async def test_what_is_said_of_a_key_that_was_replaced_meanwhile_is_not_believed(
    settings: Settings, db: Database, tenant: UUID
) -> None:
    async with db.unit(tenant) as unit:
        former = await key_set_at(unit)
    await set_secret(settings, db, tenant, SECRET_KEY, "sk_test_next")
    async with db.unit(tenant) as unit:
        assert not await note_rejected(unit, former, Rejection("key_revoked"))
        assert await note_rejected(unit, await key_set_at(unit), Rejection("key_revoked"))


async def test_a_key_that_is_set_while_its_lack_is_noted_is_believed(
    settings: Settings, database_urls: DatabaseUrls, db: Database
) -> None:
    volta = await add_merchant(registry_for(database_urls, db), "volta", "Volta")
    async with db.unit(volta.id) as unit:
        await Vault(settings.master_keys).store(unit.connection, volta.id, SECRET_KEY, "sk_test_1")
        noting = asyncio.create_task(_note_missing(db, volta.id))
        await until(lambda: _somebody_waits(db), 5)
    assert not await noting
    held = await _connection(db, volta.id)
    assert held is not None
    assert held.rejected_at is None


async def _note_missing(db: Database, tenant: UUID) -> bool:
    async with db.unit(tenant) as unit:
        return await note_rejected(unit, None, Rejection("key_missing"))


async def _somebody_waits(db: Database) -> bool:
    waits = await db.pool.fetchval(
        """
        select exists (
          select
          from pg_stat_activity
          where wait_event_type = 'Lock'
          and datname = current_database()
        )
        """
    )
    return bool(waits)


async def test_an_agency_sees_which_of_its_merchants_are_turned_away(
    settings: Settings, database_urls: DatabaseUrls, db: Database, tenant: UUID, office: Office
) -> None:
    registry = registry_for(database_urls, db)
    volta = await add_merchant(registry, "volta", "Volta")
    with pytest.raises(ProviderKeyRejected):
        await office.deployment.providers.client(volta.id)
    async with db.system() as connection:
        (one,) = await rejected_tenants(connection, AGENCY)
        assert (one.slug, one.reason) == ("volta", "key_missing")
        assert await rejected_tenants(connection, "nobody") == []
    await registry.set_status("volta", "suspended")
    async with db.system() as connection:
        assert await rejected_tenants(connection) == []
    assert tenant


async def test_a_database_that_is_away_does_not_change_what_a_caller_is_told(
    settings: Settings, db: Database, shop: Shop
) -> None:
    assert shop.key
    async with Providers(settings, db, Vault(settings.master_keys)) as providers:
        with pytest.raises(ProviderKeyRejected):
            # There is no such tenant, so no row can be written either.
            await providers.client(uuid4())


@pytest.mark.slow
async def test_a_worker_goes_on_within_seconds_when_the_key_is_replaced(
    settings: Settings, db: Database, tenant: UUID, shop: Shop, tmp_path: Path
) -> None:
    async def handled() -> bool:
        return await _waiting(db, tenant) == (0, 0)

    async def rejected() -> bool:
        held = await _connection(db, tenant)
        return held is not None and held.stopped

    customer = await shop.add_customer()
    await shop.set(revoked=True)
    await _deliver(settings, db, tenant, customer)
    async with running_worker(settings, tmp_path / "worker.log"):
        await until(rejected, 15)
        await shop.set(revoked=False)
        await set_secret(settings, db, tenant, SECRET_KEY, shop.key)
        await until(handled, 15)
