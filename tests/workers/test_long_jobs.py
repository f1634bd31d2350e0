"""Accounts that are read whole leave room for what somebody waits for."""

import asyncio
from uuid import UUID

import msgspec

from guichet.billing.books import read_check
from guichet.billing.imports import imported_objects
from guichet.db import Database
from guichet.settings import Settings
from tests.shops import Shop
from workers.books import check_tenant_books
from workers.office import Office, open_office
from workers.reconciliation import reconcile_tenant


def _full(office: Office) -> Office:
    """The office while as many accounts are read as may be."""
    return msgspec.structs.replace(office, long_jobs=asyncio.Semaphore(0))


async def _turn_again(db: Database, tenant: UUID) -> None:
    async with db.unit(tenant) as unit:
        await unit.execute("update reconciliations set checked_at = now() - interval '1 hour'")


async def test_an_import_is_left_to_a_later_round_while_many_are_under_way(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    await shop.add_customer()
    async with open_office(settings) as office:
        await reconcile_tenant(_full(office), str(tenant))
        assert await imported_objects(db, tenant) is None
        await _turn_again(db, tenant)
        await reconcile_tenant(office, str(tenant))
        assert await imported_objects(db, tenant)


async def test_events_are_read_however_many_imports_are_under_way(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    async with open_office(settings) as office:
        await reconcile_tenant(office, str(tenant))
        customer = await shop.add_customer()
        await _turn_again(db, tenant)
        await reconcile_tenant(_full(office), str(tenant))
        async with db.unit(tenant) as unit:
            stored = await unit.fetchval(
                "select count(1) from provider_events where object_id = $1", customer
            )
    assert stored


async def test_books_are_left_to_a_later_round_while_many_are_checked(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    assert shop.key
    async with open_office(settings) as office:
        await check_tenant_books(_full(office), str(tenant))
        async with db.unit(tenant) as unit:
            assert await read_check(unit) is None
