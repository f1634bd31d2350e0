"""A merchant's portal for each test that asks for one."""

from collections.abc import AsyncIterator

import pytest

from guichet.settings import Settings
from tests.portal.shop import Shop, open_shop


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    """The merchant Lumen with the demo's people, imported and open."""
    async with open_shop(settings) as opened:
        yield opened
