"""A shop at the sandbox, and the tenant whose provider it is."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from guichet.db import Database
from guichet.settings import Settings
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
    """The tenant *lumen* with the key of `shop`."""
    return await add_portal(settings, database_urls, db, stripe_key)
