"""`kill -9` of processes and servers over a year: workers while a charge is under way."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from random import Random

import asyncpg
import redis as redis_client

from guichet.embedded.programs import Program
from tests.killing.rig import kill
from tests.years.stage import Stage

_AWAY_SECONDS = (0.0, 1.0)
#: How long a killer waits for a charge to be under way.
_WAIT_SECONDS = 5.0
_POLL_SECONDS = 0.004

VICTIMS = (
    "worker",
    "postgres",
    "skewed worker",
    "queue",
    "worker",
    "web",
    "both workers",
    "valkey",
)


class Killer:
    """Kills as planned, and counts what was hit."""

    def __init__(self, stage: Stage, tally: Counter[str], chance: Random) -> None:
        self._stage = stage
        self._tally = tally
        self._chance = chance
        #: Which of the two skewed workers works.
        self._turn = 0

    async def run(self, days: int, kills: int, today: Callable[[], int]) -> None:
        """So many kills, spread over the days; `today` says which day it is."""
        for number in range(kills):
            while today() < (number + 0.5) * days / kills:
                await asyncio.sleep(0.05)
            victim = VICTIMS[number % len(VICTIMS)]
            await self._kill(victim)
            self._tally[f"killed: {victim}"] += 1

    async def _kill(self, victim: str) -> None:
        rig = self._stage.rig
        if victim in ("worker", "skewed worker", "both workers"):
            await self._kill_in_mid_charge(victim)
        elif victim == "queue":
            with redis_client.Redis.from_url(rig.valkey.url()) as client:
                await asyncio.to_thread(client.flushall)
        else:
            await asyncio.to_thread(rig.kill, victim)
            await self._stay_away()
            await asyncio.to_thread(rig.restart, victim)

    async def _kill_in_mid_charge(self, victim: str) -> None:
        rig, skewed = self._stage.rig, self._stage.skewed
        programs: list[Program] = []
        if victim != "skewed worker":
            programs.append(rig.worker)
        if victim != "worker":
            programs.append(skewed[self._turn])
        # Of two workers either may be the one that charges.
        if await self._is_charging():
            self._tally["killed while a charge was under way"] += 1
        for program in programs:
            await asyncio.to_thread(kill, program)
        await self._stay_away()
        if victim != "worker":
            self._turn = 1 - self._turn
            await asyncio.to_thread(skewed[self._turn].start)
        if victim != "skewed worker":
            await asyncio.to_thread(rig.worker.start)

    async def _is_charging(self) -> bool:
        """Wait until some attempt is written down and has no answer; False when none is."""
        with contextlib.suppress(TimeoutError, OSError, asyncpg.PostgresError):
            connection = await asyncpg.connect(self._stage.rig.postgres.url("postgres"))
            try:
                async with asyncio.timeout(_WAIT_SECONDS):
                    while not await connection.fetchval(
                        "select exists (select from dunning_attempts where state = 'started')"
                    ):
                        await asyncio.sleep(_POLL_SECONDS)
                return True
            finally:
                await connection.close()
        return False

    async def _stay_away(self) -> None:
        await asyncio.sleep(self._chance.uniform(*_AWAY_SECONDS))
