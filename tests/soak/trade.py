"""The trade of all tenants at once: merchants and customers change things side by side."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from random import Random

import stripe

from guichet.db import LOST
from guichet.errors import GuichetError
from tests.soak import kills, weather
from tests.soak.account import Account, NothingThere
from tests.soak.changes import OURS, THEIRS, Change, name_of
from tests.soak.people import add_clock, add_customer
from tests.soak.requesting import Refused
from tests.soak.stage import Stage
from tests.soak.subscribing import subscribe

#: Changes that are under way at the same time.
_AT_ONCE = 16
#: A tenant's weather changes after so many of its changes.
_WEATHER_LASTS = 3
#: So that there is somebody to trade with.
_BEGINNING = (add_clock, add_customer, subscribe, add_customer, subscribe)


class Trade:
    """What was tried, and what came of it."""

    def __init__(self) -> None:
        self.tried: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.why: Counter[str] = Counter()
        self.faults = 0
        self.kills: Counter[str] = Counter()
        self._gate = asyncio.Semaphore(_AT_ONCE)

    @property
    def made(self) -> int:
        return self.tried.total()

    async def run(self, stage: Stage, changes: int, kill_count: int, seed: int) -> None:
        """So many changes, half of them through us."""
        chance = Random(f"{seed}/kills")
        planned = kills.plan(changes, kill_count, chance)
        self.kills.update(victim for _, victim in planned)
        async with asyncio.TaskGroup() as group:
            group.create_task(kills.kill_as_planned(stage, planned, lambda: self.made, chance))
            for number, account in enumerate(stage.accounts):
                share = _share(changes, len(stage.accounts), number)
                group.create_task(self._live(account, share, seed))

    async def _live(self, account: Account, changes: int, seed: int) -> None:
        for change in _BEGINNING:
            async with self._gate:
                await self._make(account, change)
        ours = changes // 2
        async with asyncio.TaskGroup() as group:
            group.create_task(self._change(account, OURS, ours, f"{seed}/ours"))
            group.create_task(self._change(account, THEIRS, changes - ours, f"{seed}/theirs"))

    async def _change(
        self, account: Account, kinds: Mapping[Change, int], changes: int, seed: str
    ) -> None:
        # Each side chooses by itself, so that its choices do not hang on who comes first.
        account = account.seen_by(Random(f"{account.shop.key}/{seed}"))
        done = 0
        while done < changes:
            if done % _WEATHER_LASTS == 0:
                self.faults += await weather.worsen(account.shop, account.chance)
            [change] = account.chance.choices(list(kinds), list(kinds.values()))
            async with self._gate:
                done += await self._make(account, change)

    async def _make(self, account: Account, change: Change) -> bool:
        """Try one change; False where there was nothing to change."""
        name = name_of(change)
        try:
            await change(account)
        except NothingThere:
            return False
        except (GuichetError, Refused, stripe.StripeError, OSError, *LOST) as error:
            self.refused[name] += 1
            self.why[_reason(error)] += 1
        self.tried[name] += 1
        return True


def _share(changes: int, accounts: int, number: int) -> int:
    return changes // accounts + (number < changes % accounts)


def _reason(error: Exception) -> str:
    match error:
        case GuichetError():
            return error.code
        case Refused():
            return f"request: {error}"
        case stripe.StripeError():
            return f"stripe: {error.code or type(error).__name__}"
        case _:
            return type(error).__name__
