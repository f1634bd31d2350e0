"""Waiting for what happens elsewhere, within bounds."""

import asyncio
from collections.abc import Awaitable, Callable

#: Far above what is promised, since the machine of a test may be busy.
PATIENCE_SECONDS = 10


async def until(condition: Callable[[], object]) -> None:
    """Return once the condition holds; raises TimeoutError when it never does."""

    async def ask() -> object:
        return condition()

    await until_awaited(ask)


async def until_awaited(condition: Callable[[], Awaitable[object]]) -> None:
    """As `until`, for a condition that has to be asked for."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():
            await asyncio.sleep(0.005)
