"""A whole account imported, once, and on from where it was cut off."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from guichet.billing.books import check_books
from guichet.billing.customers import bring_customers
from guichet.billing.importing import import_tenant
from guichet.billing.imports import Import, ImportAtWork, save_import, take_import
from guichet.billing.mirror import Reference, write_copy
from guichet.billing.reconciling import reconcile
from guichet.db import Database
from guichet.payments.choose import Providers
from guichet.payments.copies import CustomerCopy
from guichet.payments.errors import ProviderBusy, ProviderUnreachable
from guichet.settings import Settings
from tenants.vault import Vault
from tests.databases import DatabaseUrls
from tests.mirrors import held, mirrored
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
    assert done.counts == {
        "products": 1,
        "prices": 3,
        "payment_methods": 2,
        "customers": 2,
        "subscriptions": 2,
        "invoices": 2,
        "attempts": 2,
    }
    assert await mirrored(db, tenant) == await held(shop.port)


async def test_an_import_notices_what_the_lists_no_longer_show(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    customer = await shop.add_customer()
    await import_tenant(db, shop.port, tenant)
    await shop.sdk.customers.delete_async(customer)
    done = await import_tenant(db, shop.port, tenant)
    assert done.counts["looked_up"] == 2
    assert (await _one(db, tenant, "select deleted from customers"))["deleted"]
    assert (await _one(db, tenant, "select customer_id from payment_methods"))[0] is None


async def test_what_cannot_be_written_keeps_nothing_else_from_being_imported_and_checked(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    # No column holds so large a package.
    package = await shop.sdk.prices.create_async(
        {
            "product": shop.product,
            "unit_amount": 1,
            "currency": "eur",
            "recurring": {"interval": "month"},
            "transform_quantity": {"divide_by": 3_000_000_000, "round": "up"},
        }
    )
    await shop.subscribe(await shop.add_customer())
    done = await reconcile(db, shop.port, tenant)
    assert done is not None
    assert done.imported is not None
    assert (done.imported.counts["prices"], done.imported.counts["not_written"]) == (4, 1)
    present = await held(shop.port)
    del present[Reference("price", package.id)]
    assert await mirrored(db, tenant) == present
    await shop.add_customer("dropped@example.com")
    books = await check_books(db, shop.port, tenant, repair=True, settle_s=0)
    assert books is not None
    assert [(it.rule, it.id) for it in books.remaining] == [("not_here", package.id)]
    assert {it.kind for it in books.differences} == {"price", "customer", "payment_method"}


async def test_an_import_that_fails_among_the_payment_methods_says_so(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    for _ in range(6):
        await shop.add_customer()
    fault = {"mode": "error", "status": 500, "count": 20, "path": "/v1/payment_methods"}
    await shop.set(fail_next_requests=[fault])
    with pytest.raises(ProviderUnreachable):
        await reconcile(db, shop.port, tenant)
    row = await _one(db, tenant, "select failure from reconciliations")
    assert row["failure"] == "provider_unreachable"


@pytest.mark.parametrize("path", ["/v1/payment_methods", "/v1/subscriptions", "/v1/customers"])
async def test_a_provider_that_is_too_busy_is_waited_for(
    db: Database, tenant: UUID, shop: Shop, path: str
) -> None:
    await shop.subscribe(await shop.add_customer())
    fault = {"mode": "error", "status": 429, "count": 8, "path": path}
    await shop.set(fail_next_requests=[fault])
    done = await import_tenant(db, shop.port, tenant, pauses=[0.0] * 8)
    assert (done.counts["customers"], done.counts["payment_methods"]) == (1, 1)
    assert await mirrored(db, tenant) == await held(shop.port)


async def test_a_provider_that_stays_too_busy_is_not_waited_for_for_ever(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    fault = {"mode": "error", "status": 429, "count": 1000, "path": "/v1/prices"}
    await shop.set(fail_next_requests=[fault])
    with pytest.raises(ProviderBusy):
        await import_tenant(db, shop.port, tenant, pauses=[0.0, 0.0])


async def _deleted_customer(db: Database, tenant: UUID, shop: Shop) -> str:
    """One that the mirror holds and the provider's lists no longer show."""
    customer = await shop.add_customer()
    await import_tenant(db, shop.port, tenant)
    await shop.sdk.customers.delete_async(customer)
    return customer


async def test_what_is_looked_up_waits_for_a_busy_provider(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    customer = await _deleted_customer(db, tenant, shop)
    fault = {"mode": "error", "status": 429, "count": 8, "path": f"/v1/customers/{customer}"}
    await shop.set(fail_next_requests=[fault])
    await import_tenant(db, shop.port, tenant, pauses=[0.0] * 8)
    assert (await _one(db, tenant, "select deleted from customers"))["deleted"]


async def test_an_object_that_is_refused_is_left_out_and_the_import_ends(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    customer = await _deleted_customer(db, tenant, shop)
    other = await shop.add_customer("other@example.com")
    paths = (f"/v1/customers/{customer}", "/v1/payment_methods")
    await shop.set(
        fail_next_requests=[
            {"mode": "error", "status": 400, "method": "GET", "path": path, "count": 1}
            for path in paths
        ]
    )
    done = await reconcile(db, shop.port, tenant, full=True)
    assert done is not None
    assert done.imported is not None
    assert done.imported.counts["not_written"] == 2
    assert Reference("customer", other) in await mirrored(db, tenant)
    events = await reconcile(db, shop.port, tenant)
    assert events is not None
    assert events.imported is None


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


class _CutOff(Exception):
    pass


def _cut_off(_: Import) -> None:
    raise _CutOff


async def _customers(shop: Shop, number: int) -> None:
    await asyncio.gather(
        *(shop.sdk.customers.create_async({"email": f"{it}@example.com"}) for it in range(number))
    )


async def test_an_import_that_is_cut_off_anywhere_goes_on_where_it_was(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    await shop.subscribe(await shop.add_customer())
    await _customers(shop, 110)
    numbers, pages = set(), 0
    done = None
    while done is None:
        # Whoever is told of a page that is written ends the import.
        with contextlib.suppress(_CutOff):
            done = await import_tenant(db, shop.port, tenant, rate=1000, told=_cut_off)
        numbers.add((await _one(db, tenant, "select copy_no from imports"))["copy_no"])
        pages += 1
        assert pages < 20
    assert done.counts["customers"] == 111
    assert (len(numbers), pages > 7) == (1, True)
    assert await mirrored(db, tenant) == await held(shop.port)
    again = await import_tenant(db, shop.port, tenant, rate=1000)
    assert again.copy_no not in numbers


async def test_an_import_that_is_at_work_is_left_alone_until_its_lease_ends(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    killed = await take_import(db, tenant, timedelta(minutes=1))
    with pytest.raises(ImportAtWork):
        await import_tenant(db, shop.port, tenant)
    async with db.unit(tenant) as unit:
        await unit.execute("update imports set held_until = now() - interval '1 second'")
    successor = await take_import(db, tenant, timedelta(minutes=1))
    assert successor.copy_no == killed.copy_no
    with pytest.raises(ImportAtWork):
        async with db.unit(tenant) as unit:
            await save_import(unit, killed)


async def test_a_list_whose_last_read_object_is_gone_is_read_anew(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    await _customers(shop, 3)
    work = await take_import(db, tenant, timedelta(0))
    work.step, work.after = "customers", "cus_gone"
    async with db.unit(tenant) as unit:
        await save_import(unit, work)
    done = await import_tenant(db, shop.port, tenant)
    assert done.counts["customers"] == 3


async def test_what_copies_hold_more_of_is_imported_anew(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    first = await import_tenant(db, shop.port, tenant)
    await take_import(db, tenant, timedelta(0))
    async with db.unit(tenant) as unit:
        await unit.execute("update imports set edition = edition - 1, step = 'attempts'")
    anew = await import_tenant(db, shop.port, tenant)
    assert anew.copy_no > first.copy_no
    assert anew.counts["prices"] == 3
