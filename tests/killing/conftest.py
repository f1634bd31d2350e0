"""One deployment for all tests of a run; each has a merchant of its own there."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from guichet.settings import Settings
from tests.killing.rig import Proxies, Rig, reachable


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
