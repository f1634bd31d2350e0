"""Going back to a former version while a charge of the present one is on its way."""

import asyncio
from datetime import timedelta

import msgspec

from tenants.history import roll_back
from tests.billing.dunning.stage import DAILY, Stage


async def test_a_roll_back_while_a_retry_is_at_work_charges_once_and_counts_from_then(
    stage: Stage,
) -> None:
    await stage.due()
    later = msgspec.structs.replace(DAILY, waits_days=(1, 4, 4))
    await stage.publish(later)
    before = len(await stage.charges())
    await stage.shop.set(latency_ms=700)
    retry = asyncio.create_task(stage.work())
    while not await stage.rows("select from dunning_attempts where state = 'started'"):
        assert not retry.done()
        await asyncio.sleep(0.02)
    async with stage.db.unit(stage.tenant) as unit:
        made = await roll_back(unit.connection, stage.tenant, 1, "noor", "Too slow.", 2)
    await retry
    await stage.shop.set(latency_ms=0)
    while (await stage.published()).version < made:
        await asyncio.sleep(0.01)
    await stage.learn()
    await stage.work()
    assert len(await stage.charges()) == before + 1
    [attempt] = await stage.attempts()
    case = await stage.case()
    assert case["policy_version"] == made == 3
    assert case["next_attempt_at"] - attempt["started_at"] < timedelta(days=2)
