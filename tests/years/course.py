"""The course of a year, day by day: cards fall ill, people act, clocks go on, workers follow."""

import asyncio
import time
from collections import Counter
from random import Random
from typing import Any

from tests.mail_catcher import MailCatcher
from tests.soak import weather
from tests.years import deeds, mailbox
from tests.years.following import left_to_do
from tests.years.merchant import FAILURES, Merchant

_HOUR = 3600
#: A day of the clock is so many hours long: over time it stands at each hour of the day.
_STEP_HOURS = (17, 21, 23, 24, 24, 25, 30)
#: So long the workers may take for a day; in a storm the days go on without them.
PATIENCE_SECONDS = 6.0
_POLL_SECONDS = 0.05
_WEATHER_DAYS = 4


class Course:
    """One merchant's year, and what happened in it."""

    def __init__(self, merchant: Merchant, catcher: MailCatcher, tally: Counter[str]) -> None:
        self.merchant = merchant
        self.catcher = catcher
        self.tally = tally
        self.day = 0

    async def run(self, days: int) -> None:
        """Live so many days, in weather that changes."""
        merchant = self.merchant
        later = dict(merchant.plan.later)
        for self.day in range(days):
            for share in [it for it in later if it * days <= self.day]:
                await merchant.publish(later.pop(share))
            for person in merchant.people:
                person.live(self.day, merchant.chance)
            await merchant.set_cards()
            await deeds.act(merchant, self.tally)
            if self.day % _WEATHER_DAYS == 0:
                self.tally["faults of the provider"] += await self._worsen()
            await self._pass()
        self.day = days

    async def _worsen(self) -> int:
        faults = provider_faults(self.merchant.chance)
        late = deliveries(self.merchant.chance)
        await weather.turn(self.merchant.shop, deliveries=late, fail_next_requests=faults)
        self.tally["faults of the mail server"] += mailbox.worsen(
            self.catcher, self.merchant.chance
        )
        return sum(int(fault["count"]) for fault in faults)

    async def _pass(self) -> None:
        """A day passes, and the workers follow, if they can."""
        merchant = self.merchant
        merchant.now += merchant.chance.choice(_STEP_HOURS) * _HOUR
        await advance(merchant)
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while waiting := await left_to_do(merchant):
            # A mail server that is away is left alone for a while, and nobody waits for that.
            if list(waiting) == ["messages"]:
                break
            if time.monotonic() > give_up_at:
                self.tally.update(f"days that did not wait for {what}" for what in waiting)
                break
            await asyncio.sleep(_POLL_SECONDS)


async def advance(merchant: Merchant) -> None:
    """Advance the clock to the merchant's present; a provider that fails is asked again."""
    clocks = merchant.sdk.test_helpers.test_clocks
    while True:
        try:
            held = await clocks.retrieve_async(merchant.clock)
            if held.status == "ready":
                if held.frozen_time >= merchant.now:
                    return
                await clocks.advance_async(merchant.clock, {"frozen_time": merchant.now})
        except FAILURES:
            pass
        await asyncio.sleep(0.01)


def deliveries(chance: Random) -> dict[str, Any]:
    """How the provider tells of what happens: twice, late, in another order; in the end it does."""
    return {
        "duplicate": chance.choice([0, 0, 0, 1]),
        "delay_ms": chance.choice([0, 0, 0, 400]),
        "reorder_ms": chance.choice([0, 0, 300, 1500]),
    }


def provider_faults(chance: Random) -> list[dict[str, Any]]:
    """What goes wrong with the next charges: mostly nothing, at times an answer that is lost."""
    path = {"path": "/v1/invoices", "method": "POST"}
    match chance.choice(["", "", "lost", "lost", "refused", "busy", "error", "locked", "slow"]):
        case "lost":
            # Whoever asks twice gets no answer either.
            return [{"mode": "lost", "count": chance.choice([1, 2, 2, 3, 4]), **path}]
        case "refused":
            return [{"mode": "refused", "count": chance.choice([1, 2, 3]), **path}]
        case "busy":
            return [{"mode": "error", "status": 429, "count": chance.choice([1, 3]), **path}]
        case "error":
            return [{"mode": "error", "status": 500, "count": chance.choice([1, 2, 3]), **path}]
        case "locked":
            locked = {"status": 429, "code": "lock_timeout"}
            return [{"mode": "error", "count": chance.choice([1, 2]), **locked, **path}]
        case "slow":
            return [
                {"mode": "slow", "count": 1, "seconds": chance.choice([1.0, 3.0, 11.0]), **path}
            ]
        case _:
            return []
