"""From a tenant to its provider: the vault's key, kept until it changes."""

import subprocess
import sys
from uuid import uuid4

import msgspec
import pytest

from guichet.db import Database
from guichet.payments.choose import SECRET_KEY, Providers
from guichet.payments.errors import ProviderKeyRejected, ProviderUnreachable
from guichet.settings import Settings
from tenants.vault import Vault
from tests.databases import DatabaseUrls
from tests.merchants import master_key
from tests.shops import Shop, add_portal, set_secret


async def test_a_tenant_s_client_opens_its_own_account(
    settings: Settings, database_urls: DatabaseUrls, db: Database, shop: Shop
) -> None:
    tenant = await add_portal(settings, database_urls, db, shop.key)
    async with Providers(settings, db, Vault(settings.master_keys)) as providers:
        client = await providers.client(tenant)
        assert await client.account() == await shop.port.account()
        assert await providers.client(tenant) is client


async def test_a_tenant_without_a_key_has_no_access(settings: Settings, db: Database) -> None:
    async with Providers(settings, db, Vault(settings.master_keys)) as providers:
        with pytest.raises(ProviderKeyRejected):
            await providers.client(uuid4())


async def test_a_key_that_does_not_open_gives_no_access(
    settings: Settings, database_urls: DatabaseUrls, db: Database, shop: Shop
) -> None:
    tenant = await add_portal(settings, database_urls, db, shop.key)
    async with Providers(settings, db, Vault([master_key()])) as providers:
        with pytest.raises(ProviderKeyRejected):
            await providers.client(tenant)


async def test_a_replaced_key_is_used_once_the_tenant_is_forgotten(
    settings: Settings, database_urls: DatabaseUrls, db: Database, shop: Shop
) -> None:
    tenant = await add_portal(settings, database_urls, db, "sk_test_former")
    async with Providers(settings, db, Vault(settings.master_keys)) as providers:
        former = await (await providers.client(tenant)).account()
        await set_secret(settings, db, tenant, SECRET_KEY, shop.key)
        providers.forget(tenant)
        assert await (await providers.client(tenant)).account() != former


async def test_the_provider_answers_at_the_address_of_the_settings(
    settings: Settings, database_urls: DatabaseUrls, db: Database, shop: Shop
) -> None:
    tenant = await add_portal(settings, database_urls, db, shop.key)
    nowhere = msgspec.structs.replace(settings, stripe_url="http://127.0.0.1:1")
    async with Providers(nowhere, db, Vault(settings.master_keys)) as providers:
        client = await providers.client(tenant)
        with pytest.raises(ProviderUnreachable):
            await client.account()


def test_the_sdk_is_not_loaded_before_a_client_is_asked_for() -> None:
    code = "import sys, guichet.app, workers.running; sys.exit('stripe' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], check=False, timeout=30)
    assert ended.returncode == 0
