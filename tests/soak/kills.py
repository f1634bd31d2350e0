"""`kill -9` of each process and server in turn, in an order and at moments that chance chooses."""

import asyncio
from collections.abc import Callable
from random import Random

from tests.killing.rig import kill
from tests.soak.stage import Stage

#: As a service manager notices and starts what has died.
_AWAY_SECONDS = (0.0, 1.5)

VICTIMS = ("web", "second web", "worker", "second worker", "postgres", "valkey")


def plan(changes: int, kills: int, chance: Random) -> list[tuple[int, str]]:
    """After how many changes which victim is killed; each at least once where they suffice."""
    victims = [VICTIMS[number % len(VICTIMS)] for number in range(kills)]
    chance.shuffle(victims)
    step = changes / (kills + 1)
    return [(int((at + chance.uniform(0.4, 1.4)) * step), it) for at, it in enumerate(victims)]


async def kill_as_planned(
    stage: Stage, planned: list[tuple[int, str]], made: Callable[[], int], chance: Random
) -> None:
    """Kill and start again, once as many changes are `made` as was planned."""
    for at, victim in planned:
        while made() < at:
            await asyncio.sleep(0.05)
        away = chance.uniform(*_AWAY_SECONDS)
        if victim.startswith("second "):
            program = stage.second[victim.removeprefix("second ")]
            await asyncio.to_thread(kill, program)
            await asyncio.sleep(away)
            await asyncio.to_thread(program.start)
        else:
            await asyncio.to_thread(stage.rig.kill, victim)
            await asyncio.sleep(away)
            await asyncio.to_thread(stage.rig.restart, victim)
