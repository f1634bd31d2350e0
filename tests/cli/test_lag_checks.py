"""The doctor on the mirror: whoever is behind is named, with what to do about it."""

from datetime import timedelta
from uuid import UUID

import pytest

from guichet.cli.lag_checks import check_lag
from guichet.db import Database
from guichet.settings import Settings
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for


@pytest.fixture
async def lumen(database_urls: DatabaseUrls, db: Database) -> UUID:
    return (await add_merchant(registry_for(database_urls, db))).id


async def _read_ago(db: Database, tenant: UUID, ago: timedelta) -> None:
    async with db.system() as connection:
        await connection.execute("update tenants set created_at = now() - interval '1 year'")
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            insert into reconciliations (tenant_id, read_until, checked_at)
            values ($1, now() - $2::interval, now())
            """,
            tenant,
            ago,
        )


async def _event_since(db: Database, tenant: UUID, ago: timedelta) -> None:
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            insert into provider_events (tenant_id, id, type, created_at, received_at, body)
            values ($1, 'evt_1', 'customer.updated', now(), now() - $2::interval, '')
            """,
            tenant,
            ago,
        )


async def test_a_mirror_that_keeps_up_is_well(
    settings_without_sandbox: Settings, db: Database, lumen: UUID
) -> None:
    await _read_ago(db, lumen, timedelta(minutes=4.5))
    await _event_since(db, lumen, timedelta(seconds=30))
    lists, events = await check_lag(settings_without_sandbox)
    assert (lists.text, lists.remedy) == ("all were read within 5 min", "")
    assert (events.text, events.remedy) == ("1 wait, the oldest for 1 min", "")


async def test_a_tenant_that_is_behind_is_a_fault(
    settings_without_sandbox: Settings, db: Database, lumen: UUID
) -> None:
    await _read_ago(db, lumen, timedelta(hours=3.5))
    await _event_since(db, lumen, timedelta(minutes=10.5))
    lists, events = await check_lag(settings_without_sandbox)
    assert lists.text == "that of lumen was read 3 h ago"
    assert "guichet sync lumen" in lists.remedy
    assert events.text == "1 wait, the oldest for 11 min"
    assert "guichet worker" in events.remedy


async def test_an_empty_deployment_is_well(settings_without_sandbox: Settings) -> None:
    assert [finding.remedy for finding in await check_lag(settings_without_sandbox)] == ["", ""]
