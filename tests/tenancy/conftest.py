"""A directory of one merchant, and the acts that change it from elsewhere."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from guichet.db import Database
from guichet.embedded.postgres import EmbeddedPostgres
from guichet.tenancy import Directory, Registry
from tenants.tenant import Tenant
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for, settings_for


@pytest.fixture
def registry(database_urls: DatabaseUrls, db: Database) -> Registry:
    return registry_for(database_urls, db)


@pytest.fixture
async def lumen(registry: Registry) -> Tenant:
    return await add_merchant(registry, "lumen", "Lumen")


@pytest.fixture
async def directory(
    database_urls: DatabaseUrls, db: Database, lumen: Tenant
) -> AsyncIterator[Directory]:
    """The directory of a process that started when there was Lumen."""
    async with Directory(settings_for(database_urls), db) as opened:
        yield opened


@pytest.fixture
async def postgres_superuser(
    postgres: EmbeddedPostgres, database_urls: DatabaseUrls
) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """Who may end other connections and delete what the application may not."""
    database = urlsplit(database_urls.web).path.removeprefix("/")
    connection = await asyncpg.connect(postgres.url("postgres", database))
    yield connection
    await connection.close()
