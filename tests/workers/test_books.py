"""Books checked by the workers: each tenant once a day, and what is harmless is mended."""

from uuid import UUID

import pytest
import redis as redis_client
from prometheus_client import REGISTRY

from guichet.billing.books import read_check
from guichet.billing.reconciling import reconcile
from guichet.db import Database
from guichet.outbox import QUEUE
from guichet.settings import Settings
from tests.mirrors import held, mirrored
from tests.shops import Shop
from workers.books import CHECK_BOOKS, check_due_books, check_tenant_books, count_differences
from workers.office import Office, open_office


async def _due(db: Database, tenant: UUID) -> None:
    async with db.unit(tenant) as unit:
        await unit.execute("update book_checks set due_at = now() where tenant_id = $1", tenant)


async def _knocked(settings: Settings, office: Office) -> set[str]:
    with redis_client.Redis.from_url(settings.redis_url) as client:
        client.flushall()
        await check_due_books(office)
        return {job.decode().rpartition(":")[0] for job in client.zrange(QUEUE, 0, -1)}


@pytest.mark.slow
async def test_a_tenant_is_checked_and_mended_once_a_day(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    job = f"{CHECK_BOOKS}:{tenant}"
    async with open_office(settings) as office:
        assert await _knocked(settings, office) == set()
        await reconcile(db, shop.port, tenant)
        await shop.add_customer("dropped@example.com")
        assert await _knocked(settings, office) == {job}
        await check_tenant_books(office, str(tenant))
        assert await mirrored(db, tenant) == await held(shop.port)
        async with db.unit(tenant) as unit:
            first = await read_check(unit)
        assert first is not None
        assert (first.differences, first.repaired) == (0, 2)

        assert await _knocked(settings, office) == set()
        await check_tenant_books(office, str(tenant))
        async with db.unit(tenant) as unit:
            assert await read_check(unit) == first
        await _due(db, tenant)
        assert await _knocked(settings, office) == {job}


async def test_the_metric_counts_tenants_whose_books_differ(
    settings: Settings, db: Database, tenant: UUID
) -> None:
    async with open_office(settings) as office:
        for differences in (0, 3):
            async with db.unit(tenant) as unit:
                await unit.execute(
                    """
                    insert into book_checks (tenant_id, due_at, differences)
                    values ($1, now(), $2)
                    on conflict (tenant_id) do update
                    set differences = excluded.differences
                    """,
                    tenant,
                    differences,
                )
            await count_differences(office)
            counted = REGISTRY.get_sample_value("guichet_tenants_with_book_differences")
            assert counted == min(1, differences)
