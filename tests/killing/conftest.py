"""A deployment of processes for all tests of a run, or a tenant with a shop for one test."""

from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import UUID

import pytest

from guichet.db import Database
from guichet.settings import Settings
from tests.databases import DatabaseUrls
from tests.killing.rig import Proxies, Rig, reachable
from tests.shops import Shop, add_portal, open_shop


class Stand(NamedTuple):
    """A running deployment, and what stands between its processes and their servers."""

    rig: Rig
    #: They lead straight to the servers.
    settings: Settings
    proxies: Proxies


@pytest.fixture(scope="session")
async def stand(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    rig = Rig(reachable(tmp_path_factory.mktemp("stand")))
    async with rig.running_behind_proxies() as (settings, proxies):
        yield Stand(rig, settings, proxies)


@pytest.fixture
async def shop(sandbox: str, stripe_key: str) -> AsyncIterator[Shop]:
    async with open_shop(sandbox, stripe_key) as shop:
        yield shop


@pytest.fixture
async def tenant(
    settings: Settings, database_urls: DatabaseUrls, db: Database, stripe_key: str
) -> UUID:
    return await add_portal(settings, database_urls, db, stripe_key)
