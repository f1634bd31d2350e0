"""Two merchants of one agency."""

import pytest

from guichet.db import Database
from guichet.tenancy import Registry
from tenants.tenant import Tenant
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for


@pytest.fixture
def registry(database_urls: DatabaseUrls, db: Database) -> Registry:
    return registry_for(database_urls, db)


@pytest.fixture
async def lumen(registry: Registry) -> Tenant:
    return await add_merchant(registry, "lumen", "Lumen")


@pytest.fixture
async def volta(registry: Registry) -> Tenant:
    return await add_merchant(registry, "volta", "Volta")
