"""A shop at the sandbox, the tenant whose provider it is, and an office that works for it."""

from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import pytest

from guichet.db import Database
from guichet.settings import Settings
from tests.databases import DatabaseUrls
from tests.shops import Shop, add_portal, open_shop
from tests.workers.rejecting import Counter
from workers.office import Office, open_office


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


@pytest.fixture
async def counter(sandbox: str) -> AsyncIterator[Counter]:
    async with Counter(sandbox).open() as counter:
        yield counter


@pytest.fixture
async def office(settings: Settings, counter: Counter) -> AsyncIterator[Office]:
    async with open_office(msgspec.structs.replace(settings, stripe_url=counter.url)) as office:
        yield office
