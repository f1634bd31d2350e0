"""A whole account imported, and what was never delivered found again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from guichet.billing.customers import bring_customers
from guichet.billing.importing import import_tenant
from guichet.billing.mirror import write_copy
from guichet.billing.reconciling import reconcile
from guichet.db import Database
from guichet.payments.choose import Providers
from guichet.payments.copies import CustomerCopy
from guichet.payments.errors import ProviderBusy, ProviderKeyRejected
from guichet.settings import Settings
from tenants.vault import Vault
from tests.databases import DatabaseUrls
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


async def test_an_import_reads_everything(db: Database, tenant: UUID, shop: Shop) -> None:
    for email in ("ada@example.com", "grace@example.com"):
        await shop.subscribe(await shop.add_customer(email))
    done = await import_tenant(db, shop.port, tenant)
    counts = (done.products, done.prices, done.customers, done.payment_methods)
    assert counts == (1, 3, 2, 2)
    assert (done.subscriptions, done.invoices, done.looked_up) == (2, 2, 0)
    row = await _one(
        db,
        tenant,
        """
        select
          (select count(*) from customers) as customers,
          (select count(*) from payment_methods) as payment_methods,
          (select count(*) from subscription_items) as items,
          (select count(*) from invoices where status = 'paid') as invoices,
          (select count(*) from prices) as prices,
          (select count(*) from products) as products
        """,
    )
    assert tuple(row) == (2, 2, 2, 2, 3, 1)


async def test_an_import_notices_what_the_lists_no_longer_show(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    customer = await shop.add_customer()
    await import_tenant(db, shop.port, tenant)
    await shop.sdk.customers.delete_async(customer)
    done = await import_tenant(db, shop.port, tenant)
    assert done.looked_up == 2
    assert (await _one(db, tenant, "select deleted from customers"))["deleted"]
    assert (await _one(db, tenant, "select customer_id from payment_methods"))[0] is None


async def test_an_import_that_fails_among_the_payment_methods_says_so(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    for _ in range(6):
        await shop.add_customer()
    fault = {"mode": "error", "status": 429, "count": 20, "path": "/v1/payment_methods"}
    await shop.set(fail_next_requests=[fault])
    with pytest.raises(ProviderBusy):
        await reconcile(db, shop.port, tenant)
    row = await _one(db, tenant, "select failure from reconciliations")
    assert row["failure"] == "provider_busy"


async def test_customers_are_brought_without_a_deadlock(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    ids = [await shop.add_customer()]
    # The provider lists the newest first; what is written in that order must not matter.
    while ids[-1] == min(ids):
        ids.append(await shop.add_customer())
    first, last = (CustomerCopy(id=each, deleted=True) for each in (min(ids), ids[-1]))
    async with Providers(settings, db, Vault(settings.master_keys)) as providers:
        bring = bring_customers(db, providers)
        async with db.unit(tenant) as unit:
            await write_copy(unit, first, 0)
            bringing = asyncio.ensure_future(bring(tenant, "ada@example.com"))
            while not await unit.fetchval("select exists (select from pg_locks where not granted)"):
                await asyncio.sleep(0.01)
            await write_copy(unit, last, 0)
        await bringing
    row = await _one(db, tenant, "select count(*) from customers where not deleted")
    assert row["count"] == len(ids)


async def test_the_first_reconciliation_imports(db: Database, tenant: UUID, shop: Shop) -> None:
    await shop.add_customer()
    done = await reconcile(db, shop.port, tenant)
    assert done is not None
    assert done.imported is not None
    assert done.imported.customers == 1
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
