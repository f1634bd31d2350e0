"""A shop at the sandbox for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.shops import Shop, open_shop


@pytest.fixture
async def shop(sandbox: str, stripe_key: str) -> AsyncIterator[Shop]:
    async with open_shop(sandbox, stripe_key) as shop:
        yield shop
