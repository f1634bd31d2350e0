"""A case that the team stops while nobody knows whether its charge was ever asked for."""

import pytest

from guichet.billing.dunning.attempts.attempting import charge
from guichet.billing.dunning.decisions.facts import AskedFor
from guichet.billing.dunning.interventions import ask_for, find_case
from guichet.billing.dunning.steps.beginning import Task, begin
from tests.billing.dunning.stage import Stage


async def _killed(stage: Stage, customer: str) -> Task:
    """The charge that was written down, and whose process died before it did anything."""
    async with stage.db.unit(stage.tenant) as unit:
        [task] = (await begin(unit, await stage.published())).tasks
    assert (task.step, task.loaded.case.customer_id) == ("charge", customer)
    return task


async def _ask(stage: Stage, task: Task, wish: AskedFor) -> None:
    case = task.loaded.case
    async with stage.db.unit(stage.tenant) as unit:
        loaded = await find_case(unit, case.customer_id, case.invoice_id, is_locked=True)
        await ask_for(unit, loaded, wish)


async def _look(stage: Stage, times: int = 3) -> None:
    for _ in range(times):
        await stage.wake()
        await stage.work()


async def _grow_old(stage: Stage) -> None:
    await stage.rows(
        "update dunning_attempts set sent_at = sent_at - interval '1 hour' returning 1"
    )


@pytest.mark.parametrize("wish", ["stop", "end"])
async def test_what_was_never_sent_is_not_sent_after_the_stop(stage: Stage, wish: AskedFor) -> None:
    task = await _killed(stage, await stage.due())
    before = len(await stage.charges())
    await _ask(stage, task, wish)
    await _look(stage)
    assert (await stage.case())["state"] == "unknown"
    await _grow_old(stage)
    await _look(stage)
    assert len(await stage.charges()) == before
    assert (await stage.case())["state"] == "given_up"
    assert [it["state"] for it in await stage.attempts()] == ["not_made"]


async def test_what_was_sent_after_all_is_found_after_the_stop(stage: Stage) -> None:
    task = await _killed(stage, await stage.due())
    before = len(await stage.charges())
    await _ask(stage, task, "stop")
    await _look(stage)
    assert task.attempt is not None
    await charge(stage.shop.port, task.attempt)
    await _look(stage)
    assert len(await stage.charges()) == before + 1
    assert (await stage.case())["state"] == "given_up"
    assert [it["state"] for it in await stage.attempts()] == ["declined"]
