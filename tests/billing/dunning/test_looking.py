"""A charge of which nobody knows is looked for, and nothing else is tried before."""

import msgspec
import pytest

from guichet.billing.dunning.attempts.outcomes import NOT_MADE
from guichet.billing.dunning.steps.beginning import begin
from guichet.billing.dunning.steps.settling import Shown, settle_attempt
from tests.billing.dunning.stage import DAILY, Stage
from tests.payments.faults import fail_requests, lose_answers


async def lose_the_answer(stage: Stage) -> None:
    """A charge that was made and of which no answer came, nor a word by webhook."""
    await stage.due()
    [case] = await stage.cases()
    await lose_answers(stage.shop, f"/v1/invoices/{case['invoice_id']}/pay")
    await stage.work()
    await stage.shop.set(fail_next_requests=[])
    assert (await stage.case())["state"] == "unknown"
    [attempt] = await stage.attempts()
    assert (attempt["state"], attempt["charge_id"]) == ("unknown", None)


async def grow_old(stage: Stage) -> None:
    """As if the charge had been asked for two hours ago."""
    await stage.rows(
        "update dunning_attempts set sent_at = sent_at - interval '2 hours' returning 1"
    )


async def test_a_charge_whose_answer_was_lost_is_found(stage: Stage) -> None:
    await stage.due()
    await stage.decline({})
    [case] = await stage.cases()
    await lose_answers(stage.shop, f"/v1/invoices/{case['invoice_id']}/pay")
    await stage.work()
    await stage.shop.set(fail_next_requests=[])
    before = len(await stage.charges())
    await stage.wake()
    await stage.work()
    [attempt] = await stage.attempts()
    charges = await stage.charges()
    assert (attempt["state"], attempt["charge_id"]) == ("succeeded", charges[-1].id)
    assert len(charges) == before
    assert (await stage.case())["state"] == "recovered"


async def test_a_charge_is_looked_for_as_soon_as_the_news_tell_of_it(stage: Stage) -> None:
    await stage.due()
    await stage.decline({})
    [case] = await stage.cases()
    await lose_answers(stage.shop, f"/v1/invoices/{case['invoice_id']}/pay")
    await stage.work()
    await stage.shop.set(fail_next_requests=[])
    # The provider was away for so long that nobody would look before tomorrow.
    await stage.rows("update dunning_cases set wake_at = now() + interval '1 day' returning 1")
    await stage.learn()
    await stage.work()
    assert (await stage.case())["state"] == "recovered"


@pytest.mark.parametrize("is_old", [False, True])
async def test_a_decline_whose_answer_was_lost_is_found(stage: Stage, is_old: bool) -> None:
    await lose_the_answer(stage)
    before = len(await stage.charges())
    # Even where the provider has forgotten the key.
    await stage.shop.set(idempotency_key_seconds=0)
    if is_old:
        await grow_old(stage)
    await stage.wake()
    await stage.work()
    [attempt] = await stage.attempts()
    assert (attempt["state"], attempt["decline_code"]) == ("declined", "insufficient_funds")
    assert len(await stage.charges()) == before
    assert (await stage.case())["state"] == "waiting"


async def test_a_charge_is_found_although_our_clock_is_ahead_of_the_provider_s(
    stage: Stage,
) -> None:
    await lose_the_answer(stage)
    await grow_old(stage)
    await stage.rows(
        "update dunning_attempts set started_at = started_at + interval '2 seconds' returning 1"
    )
    await stage.wake()
    await stage.work()
    [attempt] = await stage.attempts()
    assert (attempt["state"], attempt["charge_id"]) == ("declined", (await stage.charges())[-1].id)


async def test_a_charge_that_never_arrived_is_asked_for_again_with_its_key(stage: Stage) -> None:
    await stage.due()
    before = len(await stage.charges())
    await fail_requests(stage.shop, 500, "/v1/invoices/")
    await stage.work()
    assert (await stage.case())["state"] == "unknown"
    assert len(await stage.charges()) == before
    await stage.wake()
    await stage.work()
    [attempt] = await stage.attempts()
    assert attempt["state"] == "declined"
    assert len(await stage.charges()) == before + 1


async def test_an_old_charge_that_never_arrived_is_given_up_and_not_made(stage: Stage) -> None:
    await stage.due()
    before = len(await stage.charges())
    await fail_requests(stage.shop, 500, "/v1/invoices/")
    await stage.work()
    await grow_old(stage)
    await stage.wake()
    await stage.work()
    [attempt] = await stage.attempts()
    assert attempt["state"] == "not_made"
    assert attempt["finished_at"] is not None
    assert len(await stage.charges()) == before
    # It is none of the policy's tries, so the next one follows.
    await stage.pass_time(0.5)
    await stage.wake()
    await stage.work()
    assert [it["state"] for it in await stage.attempts()] == ["not_made", "declined"]


async def test_looks_that_tell_nothing_come_ever_later(stage: Stage) -> None:
    await stage.due()
    waits = []
    for _ in range(6):
        await stage.shop.set(
            fail_next_requests=[{"mode": "error", "status": 500, "count": 99, "path": "/v1/"}]
        )
        await stage.wake()
        await stage.work()
        waits.append(round((await stage.case())["sleeps"]))
        stage.runner.forget(stage.tenant)
    assert waits == [10, 60, 300, 3600, 86400, 86400]
    assert len(await stage.attempts()) == 1


async def test_what_a_dead_worker_left_is_looked_for_when_its_lease_ends(stage: Stage) -> None:
    await stage.due()
    async with stage.db.unit(stage.tenant) as unit:
        begun = await begin(unit, await stage.published())
    assert [task.step for task in begun.tasks] == ["charge"]
    case = await stage.case()
    assert case["state"] == "attempting"
    assert 20 < case["sleeps"] <= 30
    # Nobody comes near before.
    await stage.work()
    [attempt] = await stage.attempts()
    assert attempt["state"] == "started"
    await stage.wake()
    await stage.work()
    [attempt] = await stage.attempts()
    assert (attempt["number"], attempt["state"]) == (1, "declined")


async def test_nothing_is_tried_while_a_charge_is_unknown(stage: Stage) -> None:
    await lose_the_answer(stage)
    charged = len(await stage.charges())
    await stage.shop.set(
        fail_next_requests=[{"mode": "error", "status": 500, "count": 99, "path": "/v1/"}]
    )
    await stage.publish(msgspec.structs.replace(DAILY, waits_days=(0.01,)))
    await stage.wake()
    await stage.work()
    await stage.work()
    await stage.shop.set(fail_next_requests=[])
    assert (await stage.case())["state"] == "unknown"
    assert len(await stage.attempts()) == 1
    assert len(await stage.charges()) == charged


async def test_an_outcome_that_comes_late_changes_nothing(stage: Stage) -> None:
    await lose_the_answer(stage)
    await stage.wake()
    async with stage.db.unit(stage.tenant) as unit:
        begun = await begin(unit, await stage.published())
    [task] = begun.tasks
    assert task.attempt is not None
    await stage.wake()
    await stage.work()
    found = await stage.attempts()
    async with stage.db.unit(stage.tenant) as unit:
        shown = Shown(copy_no=task.copy_no)
        await settle_attempt(unit, task.attempt, NOT_MADE, shown, await stage.published())
    assert await stage.attempts() == found
