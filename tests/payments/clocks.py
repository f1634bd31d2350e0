"""The sandbox's test clocks: what a renewal charges is seen by letting time pass."""

import asyncio
from datetime import datetime

from tests.shops import Shop


async def add_clock(shop: Shop, at: datetime) -> str:
    clock = await shop.sdk.test_helpers.test_clocks.create_async(
        {"frozen_time": int(at.timestamp())}
    )
    return clock.id


async def advance(shop: Shop, clock: str, to: datetime) -> None:
    clocks = shop.sdk.test_helpers.test_clocks
    await clocks.advance_async(clock, {"frozen_time": int(to.timestamp())})
    while (await clocks.retrieve_async(clock)).status != "ready":
        await asyncio.sleep(0.02)
