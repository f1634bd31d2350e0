"""The doctor on payment providers: each tenant whose provider does not let us in is named."""

import re
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import pytest

from guichet.billing.reconciling import reconcile
from guichet.cli.provider_checks import check_providers
from guichet.db import Database
from guichet.payments.connections import Rejection, key_set_at, note_rejected
from guichet.payments.errors import ProviderError
from guichet.settings import Settings
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, master_key, registry_for
from tests.shops import Shop, add_portal, open_shop


@pytest.fixture
async def shop(sandbox: str, stripe_key: str) -> AsyncIterator[Shop]:
    async with open_shop(sandbox, stripe_key) as shop:
        yield shop


@pytest.fixture
async def tenant(settings: Settings, database_urls: DatabaseUrls, db: Database, shop: Shop) -> UUID:
    return await add_portal(settings, database_urls, db, shop.key)


async def _remedies(settings: Settings) -> dict[str, str]:
    return {finding.subject: finding.remedy for finding in await check_providers(settings)}


@pytest.mark.usefixtures("tenant")
async def test_a_tenant_whose_provider_lets_us_in_is_well(settings: Settings) -> None:
    assert await _remedies(settings) == {"provider of lumen": ""}


@pytest.mark.usefixtures("tenant")
async def test_a_revoked_key_is_a_fault(settings: Settings, shop: Shop) -> None:
    await shop.set(revoked=True)
    (finding,) = await check_providers(settings)
    assert re.fullmatch(
        r"the provider does not accept its key, since 20\d\d-\d\d-\d\d \d\d:\d\d UTC; "
        "work in the background waits",
        finding.text,
    )
    assert "set-key lumen stripe_secret_key" in finding.remedy
    await shop.set(revoked=False)
    assert await _remedies(settings) == {"provider of lumen": ""}


async def test_a_key_that_may_not_do_enough_is_a_fault_that_says_what(
    settings: Settings, db: Database, tenant: UUID
) -> None:
    async with db.unit(tenant) as unit:
        rejection = Rejection("may_not_mirror", "GET invoices")
        await note_rejected(unit, await key_set_at(unit), rejection)
    for _ in range(2):
        (finding,) = await check_providers(settings)
        assert "its key may not GET invoices" in finding.text
        assert "Allow it at the provider" in finding.remedy


async def test_a_key_of_another_master_key_is_a_fault_that_says_so(
    settings: Settings, tenant: UUID
) -> None:
    assert tenant
    other = msgspec.structs.replace(settings, master_keys=(master_key(),))
    assert "GUICHET_MASTER_KEY" in (await _remedies(other))["provider of lumen"]
    assert await _remedies(settings) == {"provider of lumen": ""}


async def test_a_tenant_without_keys_is_a_fault_unless_it_is_suspended(
    settings: Settings, database_urls: DatabaseUrls, db: Database
) -> None:
    registry = registry_for(database_urls, db)
    await add_merchant(registry, "volta", "Volta")
    assert "set-key volta" in (await _remedies(settings))["provider of volta"]
    await registry.set_status("volta", "suspended")
    assert await _remedies(settings) == {}


async def test_a_reconciliation_that_failed_is_a_fault(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    await shop.set(revoked=True)
    with pytest.raises(ProviderError):
        await reconcile(db, shop.port, tenant)
    await shop.set(revoked=False)
    assert "guichet sync lumen" in (await _remedies(settings))["provider of lumen"]


@pytest.mark.usefixtures("tenant")
async def test_a_provider_that_is_away_is_a_fault(settings: Settings) -> None:
    away = msgspec.structs.replace(settings, stripe_url="http://127.0.0.1:1")
    assert "Try again" in (await _remedies(away))["provider of lumen"]


async def test_a_database_that_is_away_is_left_to_its_own_check(settings: Settings) -> None:
    away = msgspec.structs.replace(settings, database_url="postgresql://x@127.0.0.1:1/x")
    assert await check_providers(away) == []
