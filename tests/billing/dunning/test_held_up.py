"""Time in which nobody could act: a case ends later by that, and not at once when all goes on."""

from datetime import timedelta

import msgspec

from tenants.retries import Ending
from tests.billing.dunning.stage import DAILY, Stage

_DAY = timedelta(days=1)
#: What would be missed is the subscription itself.
_CANCELLING = msgspec.structs.replace(DAILY, end=Ending(subscription="cancel"))
_PAUSED = msgspec.structs.replace(_CANCELLING, paused=True)


async def _goes_on(stage: Stage) -> bool:
    """Whether the one case was tried just now, and is tried again."""
    await stage.work()
    [attempt] = await stage.attempts()
    case = await stage.case()
    assert attempt["started_at"] == stage.now
    return bool(case["step"] == "wait" and case["next_attempt_at"] == stage.now + _DAY)


async def test_a_pause_longer_than_the_window_ends_no_case(stage: Stage) -> None:
    await stage.due()
    await stage.publish(_PAUSED)
    await stage.work()
    before = (await stage.case())["held_up"]
    await stage.pass_time(20)
    await stage.publish(_CANCELLING)
    assert await _goes_on(stage)
    assert (await stage.case())["held_up"] == before + 20 * _DAY


async def test_a_pause_counts_once_however_often_somebody_looks(stage: Stage) -> None:
    await stage.due()
    await stage.publish(_PAUSED)
    await stage.work()
    before = (await stage.case())["held_up"]
    for _ in range(20):
        # Of two looks the second finds nothing that the first one has not counted.
        await stage.live(1 / 48, step=1 / 48)
        await stage.live(47 / 48, step=47 / 48)
        await stage.wake()
        await stage.work()
    await stage.publish(_CANCELLING)
    assert await _goes_on(stage)
    assert (await stage.case())["held_up"] == before + 20 * _DAY


async def test_access_changes_while_retries_are_paused(stage: Stage) -> None:
    await stage.due()
    await stage.publish(_PAUSED)
    await stage.work()
    assert await stage.access() == "grace"
    assert (await stage.case())["sleeps"] is None
    await stage.pass_time(7)
    await stage.work()
    assert await stage.access() == "restricted"


async def test_a_planned_attempt_that_nobody_was_there_for_is_made_up_for(stage: Stage) -> None:
    await stage.publish(_CANCELLING)
    await stage.due()
    await stage.pass_time(20)
    assert await _goes_on(stage)


async def test_a_case_that_nobody_could_look_at_begins_with_a_try(stage: Stage) -> None:
    await stage.publish(_CANCELLING)
    await stage.owe()
    await stage.pass_time(20)
    assert await _goes_on(stage)


async def test_a_customer_who_is_asked_has_no_more_time_because_of_us(stage: Stage) -> None:
    await stage.publish(msgspec.structs.replace(_CANCELLING, waits_days=(1,), tries=1))
    await stage.due()
    await stage.work()
    case = await stage.case()
    assert case["step"] == "ask"
    await stage.pass_time(20)
    await stage.work()
    ended = await stage.case()
    assert (ended["state"], ended["held_up"]) == ("given_up", case["held_up"])


async def test_an_hour_of_busy_workers_is_nobody_s_loss(stage: Stage) -> None:
    await stage.due()
    await stage.work()
    case = await stage.case()
    await stage.pass_time(1 + 1 / 48)
    await stage.work()
    assert len(await stage.attempts()) == 2
    assert (await stage.case())["held_up"] == case["held_up"]
