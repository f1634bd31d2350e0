"""The time after the storms of a year: nothing fails any more, and the workers come to rest."""

import asyncio
import time
from collections import Counter

from tests.soak import weather
from tests.years.following import under_way
from tests.years.merchant import Merchant
from tests.years.stage import Stage

#: A lease and the looks after it; unknown outcomes are looked at again after five minutes at most.
PATIENCE_SECONDS = 400.0
_PAUSE_SECONDS = 0.25


async def settle(stage: Stage, tally: Counter[str]) -> None:
    """End all faults and wait until nothing is under way; tallies for what, in seconds.

    Raises `TimeoutError`, which says what is under way still.
    """
    began_at = time.monotonic()
    stage.catcher.behave()
    for merchant in stage.merchants:
        await weather.calm(merchant.shop)
    # What came to rest last may have moved what was at rest before.
    for merchant in stage.merchants * 2:
        while busy := await under_way(merchant) or await _let_time_pass(merchant):
            if time.monotonic() > began_at + PATIENCE_SECONDS:
                raise TimeoutError(f"{merchant.plan.name}: {busy}")
            tally.update(f"looks that waited for {what}" for what in busy)
            await asyncio.sleep(_PAUSE_SECONDS)
    tally["seconds to settle"] = round(time.monotonic() - began_at)


async def _let_time_pass(merchant: Merchant) -> dict[str, int]:
    """End the waits of mails and of looks, as hours do; answers how many there were."""
    async with merchant.db.unit(merchant.tenant_id) as unit:
        mails = await unit.fetch(
            """
            update messages
            set due_at = now()
            where tenant_id = $1
            and state = 'queued'
            returning id
            """,
            merchant.tenant_id,
        )
        await unit.execute(
            """
            update dunning_cases
            set wake_at = now()
            where tenant_id = $1
            and state = 'unknown'
            """,
            merchant.tenant_id,
        )
        # Who lives by a clock is due at once or not at all: a time of the wall's is a back-off.
        cases = await unit.fetch(
            """
            update dunning_cases
            set wake_at = now()
            where tenant_id = $1
            and test_clock_id is not null
            and wake_at > now()
            and wake_at < 'infinity'
            returning invoice_id
            """,
            merchant.tenant_id,
        )
    put_off = {"mails put off": len(mails), "cases put off": len(cases)}
    return {name: count for name, count in put_off.items() if count}
