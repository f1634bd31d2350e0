"""A key that is turned away: what its tenant's row tells, and what is not believed of it."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from guichet.db import Database
from guichet.payments.choose import SECRET_KEY, Providers
from guichet.payments.connections import Rejection, key_set_at, note_rejected, rejected_tenants
from guichet.payments.errors import ProviderKeyRejected
from guichet.payments.orders import CustomerDetails
from guichet.settings import Settings
from tenants.vault import Vault
from tests.databases import DatabaseUrls
from tests.merchants import AGENCY, add_merchant, registry_for
from tests.shops import Shop, set_secret
from tests.workers.processes import until
from tests.workers.rejecting import audited, connection_of
from workers.office import Office


async def test_a_customer_s_page_stops_the_work_too_and_tells_it_once(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    await shop.set(revoked=True)
    async with Providers(settings, db, Vault(settings.master_keys)) as providers:
        for _ in range(3):
            with pytest.raises(ProviderKeyRejected):
                await (await providers.client(tenant)).fetch_customer("cus_1")
    held = await connection_of(db, tenant)
    assert held is not None
    assert held.stopped
    assert await audited(db, tenant) == ["provider_key.rejected"]


async def test_a_key_that_may_not_mirror_stops_the_work_and_says_what_it_may_not(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    await shop.set(fail_next_requests=[{"status": 403, "path": "/v1/customers"}])
    async with Providers(settings, db, Vault(settings.master_keys)) as providers:
        client = await providers.client(tenant)
        with pytest.raises(ProviderKeyRejected):
            await client.fetch_customer("cus_1")
    held = await connection_of(db, tenant)
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
        held = await connection_of(db, tenant)
        assert held is not None
        assert (held.reason, held.refused, held.stopped) == ("may_not_act", refused, False)
        # What stops the work stands above it.
        await shop.set(revoked=True)
        with pytest.raises(ProviderKeyRejected):
            await client.fetch_customer("cus_1")
    held = await connection_of(db, tenant)
    assert held is not None
    assert (held.reason, held.stopped) == ("key_revoked", True)


async def test_a_key_that_may_not_mirror_its_account_is_good_for_all_else(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    await shop.set(fail_next_requests=[{"status": 403, "path": "/v1/account", "count": 1}])
    async with Providers(settings, db, Vault(settings.master_keys)) as providers:
        assert await providers.probe(tenant) is None
    held = await connection_of(db, tenant)
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
    held = await connection_of(db, volta.id)
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
