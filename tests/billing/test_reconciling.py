"""What was never delivered is found again in the provider's list of events."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from guichet.billing.imports import ImportAtWork, take_import
from guichet.billing.lag import Lag, measure_lag
from guichet.billing.reconciling import reconcile
from guichet.db import Database
from guichet.payments.choose import SECRET_KEY
from guichet.payments.errors import ProviderKeyRejected
from guichet.settings import Settings
from tenants.vault import Vault
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for
from tests.shops import Shop, add_portal, open_shop


@pytest.fixture
async def shop(sandbox: str, stripe_key: str) -> AsyncIterator[Shop]:
    async with open_shop(sandbox, stripe_key) as shop:
        yield shop


@pytest.fixture
async def tenant(
    settings: Settings, database_urls: DatabaseUrls, db: Database, stripe_key: str
) -> UUID:
    return await add_portal(settings, database_urls, db, stripe_key)


async def _one(db: Database, tenant: UUID, sql: str) -> asyncpg.Record:
    async with db.unit(tenant) as unit:
        row = await unit.fetchrow(sql)
    assert row is not None
    return row


async def test_the_first_reconciliation_imports(db: Database, tenant: UUID, shop: Shop) -> None:
    await shop.add_customer()
    done = await reconcile(db, shop.port, tenant)
    assert done is not None
    assert done.imported is not None
    assert done.imported.counts["customers"] == 1
    row = await _one(db, tenant, "select read_until, failure from reconciliations")
    assert row["failure"] is None
    assert row["read_until"] > datetime.now(UTC) - timedelta(minutes=1)


async def test_events_that_were_never_delivered_are_stored(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    await reconcile(db, shop.port, tenant)
    customer = await shop.add_customer()
    done = await reconcile(db, shop.port, tenant)
    assert done is not None
    assert done.imported is None
    assert done.events > 0
    row = await _one(
        db,
        tenant,
        """
        select object_id, handled_at
        from provider_events
        where type = 'customer.created'
        """,
    )
    assert (row["object_id"], row["handled_at"]) == (customer, None)
    stored = await _one(db, tenant, "select count(*) from provider_events")
    await reconcile(db, shop.port, tenant)
    assert await _one(db, tenant, "select count(*) from provider_events") == stored


async def test_a_silence_longer_than_the_provider_remembers_is_an_import(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    await reconcile(db, shop.port, tenant)
    async with db.unit(tenant) as unit:
        await unit.execute("update reconciliations set read_until = now() - interval '30 days'")
    done = await reconcile(db, shop.port, tenant)
    assert done is not None
    assert done.imported is not None


async def test_more_events_than_there_are_objects_are_an_import(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    await reconcile(db, shop.port, tenant)
    for _ in range(3):
        await shop.add_customer()
    done = await reconcile(db, shop.port, tenant, few_events=5)
    assert done is not None
    assert done.imported is not None
    assert done.imported.counts["customers"] == 3


async def test_a_busy_account_is_not_imported_for_fewer_events_than_it_has_objects(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    for _ in range(8):
        await shop.add_customer()
    await reconcile(db, shop.port, tenant)
    for _ in range(3):
        await shop.add_customer()
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            update imports
            set counts = '{"customers": 1000, "payment_methods": 1000}'
            where tenant_id = $1
            """,
            tenant,
        )
    done = await reconcile(db, shop.port, tenant, few_events=5)
    assert done is not None
    assert done.imported is None
    assert done.events > 5


async def _replace_key(settings: Settings, db: Database, tenant: UUID, key: str) -> None:
    async with db.unit(tenant) as unit:
        await Vault(settings.master_keys).store(unit.connection, tenant, SECRET_KEY, key)


@pytest.mark.parametrize("finished", [True, False])
async def test_a_key_that_is_replaced_may_be_of_another_account_so_it_is_imported(
    settings: Settings, sandbox: str, db: Database, tenant: UUID, shop: Shop, finished: bool
) -> None:
    await shop.add_customer()
    await reconcile(db, shop.port, tenant)
    if not finished:
        # An import that was cut off among the invoices of the former account.
        async with db.unit(tenant) as unit:
            await unit.execute("update imports set finished_at = null, step = 'invoices'")
    async with open_shop(sandbox, f"{shop.key}live") as live:
        customer = await live.add_customer("live@example.com")
        await _replace_key(settings, db, tenant, live.key)
        done = await reconcile(db, live.port, tenant)
        assert done is not None
        assert done.imported is not None
        row = await _one(db, tenant, "select id from customers where not deleted")
        assert row["id"] == customer
        again = await reconcile(db, live.port, tenant)
    assert again is not None
    assert again.imported is None


async def test_of_several_callers_one_gets_the_turn(db: Database, tenant: UUID, shop: Shop) -> None:
    every = timedelta(minutes=5)
    turns = [reconcile(db, shop.port, tenant, every=every) for _ in range(5)]
    done = await asyncio.gather(*turns)
    assert sum(each is not None for each in done) == 1
    assert await reconcile(db, shop.port, tenant, every=every) is None
    assert await reconcile(db, shop.port, tenant) is not None


async def test_a_failure_is_noted_and_what_was_read_is_kept(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    await reconcile(db, shop.port, tenant)
    before = await _one(db, tenant, "select read_until from reconciliations")
    await shop.set(revoked=True)
    with pytest.raises(ProviderKeyRejected):
        await reconcile(db, shop.port, tenant)
    row = await _one(db, tenant, "select read_until, failure from reconciliations")
    assert row["failure"] == "provider_key_rejected"
    assert row["read_until"] == before["read_until"]


async def test_what_happened_since_a_cut_off_import_began_is_read_after_it(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    work = await take_import(db, tenant, timedelta(0))
    async with db.unit(tenant) as unit:
        await unit.execute("update imports set started_at = now() - interval '3 days'")
        await unit.execute("update provider_connections set key_set_at = now() - interval '1 year'")
    done = await reconcile(db, shop.port, tenant)
    assert done is not None
    assert done.imported is not None
    assert done.imported.copy_no == work.copy_no
    row = await _one(db, tenant, "select now() - read_until as behind from reconciliations")
    assert row["behind"] > timedelta(days=2)


async def test_an_import_that_another_is_at_is_left_to_them(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    await take_import(db, tenant, timedelta(minutes=1))
    with pytest.raises(ImportAtWork):
        await reconcile(db, shop.port, tenant)
    row = await _one(db, tenant, "select read_until = 'epoch' as unread from reconciliations")
    assert row["unread"]


async def _lag(db: Database) -> Lag:
    async with db.system() as connection:
        return await measure_lag(connection)


async def test_the_lag_is_that_of_the_tenant_that_was_read_the_longest_ago(
    database_urls: DatabaseUrls, db: Database, tenant: UUID, shop: Shop
) -> None:
    await add_merchant(registry_for(database_urls, db), "volta", "Volta")
    await reconcile(db, shop.port, tenant)
    assert (await _lag(db)).tenant == "volta"
    async with db.system() as connection:
        await connection.execute("update tenants set created_at = now() - interval '1 year'")
    async with db.unit(tenant) as unit:
        await unit.execute("update reconciliations set read_until = now() - interval '1 hour'")
    lag = await _lag(db)
    assert (lag.tenant, lag.unread_seconds > 360 * 86400) == ("volta", True)
    async with db.system() as connection:
        await connection.execute("update tenants set status = 'suspended' where slug = 'volta'")
    lag = await _lag(db)
    assert (lag.tenant, 3600 <= lag.unread_seconds < 7200) == ("lumen", True)


async def test_events_that_wait_are_counted(db: Database, tenant: UUID, shop: Shop) -> None:
    await reconcile(db, shop.port, tenant)
    assert (await _lag(db)).waiting == 0
    await shop.add_customer()
    done = await reconcile(db, shop.port, tenant)
    assert done is not None
    lag = await _lag(db)
    assert lag.waiting == done.events
    assert lag.waiting_seconds > 0
