"""A worker that dies at the n-th await on the way of money, for each n: nothing lost, none twice.

A worker of its own for each n claims one due retry and is ended by SIGKILL, or asked to stop by
SIGTERM, as a deploy does. `make soak` has every n; elsewhere it is a sample.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import redis as redis_client

from guichet.db import Database, connect
from guichet.embedded.programs import Program
from guichet.settings import Settings
from tests.killing import retries
from tests.killing.rig import Rig, reachable
from tests.years.merchant import Merchant

pytestmark = pytest.mark.slow

#: How many moments are tried of all there are; 0 is all.
SAMPLE = int(os.environ.get("SOAK_CRASHES", "6"))
_NEVER = 10**9
_DIED_SECONDS = 30.0
#: Merchants who are made ready at a time: the leases of the first must not have to wait.
_BATCH = 12


class Platform:
    """A deployment whose worker is the test's own."""

    def __init__(self, rig: Rig, settings: Settings, db: Database, directory: Path) -> None:
        self.rig = rig
        self.settings = settings
        self.db = db
        self.record = directory / "count"
        self._stack = AsyncExitStack()
        self._made = 0

    async def merchants(self, count: int) -> list[Merchant]:
        """As many merchants, each with a failed payment that is due tomorrow; no worker works."""
        self.rig.worker.start()
        made = []
        for _ in range(count):
            self._made += 1
            merchant = retries.merchant_of(self.rig, self.settings, self.db, f"crash-{self._made}")
            made.append(await self._stack.enter_async_context(merchant))
        await retries.fail_renewals(made)
        await asyncio.to_thread(self.rig.worker.stop)
        return made

    async def close(self) -> None:
        await self._stack.aclose()

    def crashing(self, merchant: Merchant, at: int, signal: str) -> Program:
        """A worker that works until its n-th await for this merchant."""
        self.record.write_text("0")
        environ = {
            "CRASH_TENANT": str(merchant.tenant_id),
            "CRASH_AT": str(at),
            "CRASH_SIGNAL": signal,
            "CRASH_COUNT": str(self.record),
        }
        arguments = ["-m", "tests.killing.crashing"]
        return self.rig.start_worker("crashing", environ, arguments)

    def count(self) -> int:
        return int(self.record.read_text() or "0")


@pytest.fixture(scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    directory = reachable(tmp_path_factory.mktemp("crashes"))
    rig = Rig(directory)
    running = rig.running()
    settings = await asyncio.to_thread(running.__enter__)
    try:
        async with connect(settings.database_url, 4) as db:
            await asyncio.to_thread(rig.worker.stop)
            platform = Platform(rig, settings, db, directory)
            yield platform
            await platform.close()
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


async def _moments(platform: Platform) -> int:
    """How often a worker waits on the way of one payment, from its claim to its settlement."""
    [merchant] = await platform.merchants(1)
    program = await asyncio.to_thread(platform.crashing, merchant, _NEVER, "SIGKILL")
    await retries.pass_days(merchant, 1.1)
    while await retries.faults(merchant):
        await asyncio.sleep(0.2)
        assert program.pid is not None, program.last_words()
    count = platform.count()
    await asyncio.to_thread(program.stop)
    return count


async def _die(platform: Platform, merchant: Merchant, at: int, signal: str) -> bool:
    """Have a worker die at that moment; answers whether it came to it."""
    program = await asyncio.to_thread(platform.crashing, merchant, at, signal)
    await retries.pass_days(merchant, 1.1)
    give_up_at = time.monotonic() + _DIED_SECONDS
    while program.pid is not None and time.monotonic() < give_up_at:
        await asyncio.sleep(0.5)
        if not await retries.faults(merchant):
            break
    died = program.pid is None
    await asyncio.to_thread(program.stop)
    return died


def _sample(count: int) -> list[int]:
    """All moments, or some that lie evenly between the first and the last."""
    if not SAMPLE or count <= SAMPLE:
        return list(range(1, count + 1))
    return sorted({round(1 + it * (count - 1) / (SAMPLE - 1)) for it in range(SAMPLE)})


async def test_a_worker_may_die_at_any_await(platform: Platform) -> None:
    # Of two runs the shorter one: a worker that waits for the machine looks for work more often.
    count = min([await _moments(platform) for _ in range(2)])
    assert count > 10
    signals = ("SIGKILL", "SIGTERM")
    deaths = [(at, signals[at % 2]) for at in _sample(count)]
    if not SAMPLE:
        deaths = [(at, signal) for at in range(1, count + 1) for signal in signals]
    died = 0
    wrong: list[str] = []
    for start in range(0, len(deaths), _BATCH):
        batch = deaths[start : start + _BATCH]
        merchants = await platform.merchants(len(batch))
        for merchant, (at, signal) in zip(merchants, batch, strict=True):
            died += await _die(platform, merchant, at, signal)
        await asyncio.to_thread(platform.rig.worker.start)
        seconds = await retries.rest(merchants, retries.RESUMED_SECONDS)
        sys.stdout.write(f"{batch}: {died} died so far, at rest after {seconds:.1f} s\n")
        for merchant, death in zip(merchants, batch, strict=True):
            wrong += [f"{death}: {it}" for it in await retries.faults(merchant)]
        await asyncio.to_thread(platform.rig.worker.stop)
    assert not wrong, "\n".join(wrong[:20])
    # A busy machine makes the counted run longer than the others, which lack its last moments.
    assert died >= len(deaths) * 0.5


async def test_every_due_retry_is_made_although_the_queue_is_emptied(platform: Platform) -> None:
    rig = platform.rig
    await asyncio.to_thread(rig.worker.start)
    async with retries.merchant_of(
        rig, platform.settings, platform.db, "emptied", people=20
    ) as merchant:
        await retries.fail_renewals([merchant])
        await merchant.shop.set(latency_ms=200)
        await retries.pass_days(merchant, 1.1)
        while not await retries.attempts_in_doubt(merchant):
            await asyncio.sleep(0.005)
        with redis_client.Redis.from_url(rig.valkey.url()) as client:
            client.flushall()
        emptied_at = time.monotonic()
        assert await retries.attempts_in_doubt(merchant)
        await merchant.shop.set(latency_ms=0)
        while wrong := await retries.faults(merchant):
            assert time.monotonic() < emptied_at + retries.RESUMED_SECONDS, wrong
            await asyncio.sleep(0.5)
    await asyncio.to_thread(rig.worker.stop)
