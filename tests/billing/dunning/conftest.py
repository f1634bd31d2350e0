"""A merchant whose customers' payments fail."""

from collections.abc import AsyncIterator

import pytest

from guichet.db import Database
from guichet.settings import Settings
from tests.billing.dunning.stage import Stage, open_stage
from tests.databases import DatabaseUrls
from tests.shops import open_shop


@pytest.fixture
async def stage(
    settings: Settings, database_urls: DatabaseUrls, db: Database, sandbox: str, stripe_key: str
) -> AsyncIterator[Stage]:
    async with (
        open_shop(sandbox, stripe_key) as shop,
        open_stage(settings, database_urls, db, shop) as stage,
    ):
        yield stage
