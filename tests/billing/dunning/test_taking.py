"""Who collects: we or the provider, never both."""

import msgspec
import pytest

from guichet.billing.dunning.steps.asking import Asker
from guichet.billing.dunning.steps.beginning import begin
from tenants.retries import RetryPolicy
from tests.billing.dunning.stage import DAILY, Stage
from tests.payments.faults import fail_requests, lose_answers

PROVIDER = RetryPolicy(collector="provider")


async def next_of_provider(stage: Stage) -> object:
    """When the provider itself tries next."""
    case = await stage.case()
    held = await stage.shop.port.fetch_invoice(case["invoice_id"])
    assert held is not None
    return held.next_payment_attempt_at


async def test_the_provider_s_own_retries_are_off_before_our_first(stage: Stage) -> None:
    await stage.owe()
    assert await next_of_provider(stage) is not None
    await stage.work()
    assert await next_of_provider(stage) is None
    case = await stage.case()
    assert (case["taken"], case["state"]) == (True, "waiting")
    [row] = await stage.rows("select object from audit_log where action = 'collection.taken_over'")
    assert row["object"] == case["invoice_id"]
    # The first failure, and our three tries: nobody else's.
    await stage.live(9)
    assert len(await stage.charges()) == 1 + 1 + len(await stage.attempts())


async def test_nothing_is_charged_before_the_provider_stands_back(stage: Stage) -> None:
    await stage.owe()
    await stage.pass_time(1)
    charged = len(await stage.charges())
    await fail_requests(stage.shop, 500, "/v1/invoices/")
    await stage.work()
    case = await stage.case()
    assert (case["taken"], case["looks"]) == (None, 1)
    assert await stage.attempts() == []
    assert len(await stage.charges()) == charged
    await stage.wake()
    await stage.work()
    assert (await stage.case())["taken"]
    assert len(await stage.attempts()) == 1


async def test_a_taking_over_whose_answer_is_lost_is_repeated(stage: Stage) -> None:
    await stage.owe()
    await lose_answers(stage.shop, "/v1/invoices/")
    await stage.work()
    assert not (await stage.case())["taken"]
    assert await next_of_provider(stage) is None
    await stage.wake()
    await stage.work()
    assert (await stage.case())["taken"]


async def test_cases_go_back_to_the_provider_and_come_again_with_the_policy(stage: Stage) -> None:
    await stage.owe()
    await stage.work()
    for _ in range(2):
        await stage.publish(PROVIDER)
        await stage.work()
        case = await stage.case()
        assert (case["state"], case["taken"]) == ("provider", False)
        assert await next_of_provider(stage) is not None
        await stage.publish(DAILY)
        await stage.work()
        case = await stage.case()
        assert (case["state"], case["taken"]) == ("waiting", True)
        assert await next_of_provider(stage) is None
    assert await stage.attempts() == []


@pytest.mark.parametrize("was_heard", [False, True])
async def test_nobody_is_left_collecting_nothing_by_a_crash_and_another_policy(
    stage: Stage, was_heard: bool
) -> None:
    await stage.owe()
    async with stage.db.unit(stage.tenant) as unit:
        [task] = (await begin(unit, await stage.published())).tasks
    assert task.step == "take"
    if was_heard:
        await stage.shop.port.set_automatic_collection(task.loaded.case.invoice_id, False, "take")
    await stage.publish(PROVIDER)
    await stage.wake()
    await stage.work()
    case = await stage.case()
    assert (case["state"], case["taken"]) == ("provider", False)
    assert await next_of_provider(stage) is not None


async def test_nothing_is_charged_while_the_provider_may_be_taking_over(stage: Stage) -> None:
    await stage.due()
    await stage.publish(PROVIDER)
    async with stage.db.unit(stage.tenant) as unit:
        [task] = (await begin(unit, await stage.published())).tasks
    assert task.step == "hand_back"
    await stage.publish(DAILY)
    await fail_requests(stage.shop, 500, "/v1/invoices/")
    await stage.wake()
    await stage.work()
    assert await stage.attempts() == []
    # Whoever was to hand it back is late.
    asker = Asker(stage.db, stage.tenant, stage.shop.port, await stage.published())
    await asker.do(task)
    await stage.wake()
    await stage.work()
    assert (await stage.case())["taken"]
    assert await next_of_provider(stage) is None
    assert len(await stage.attempts()) == 1


async def test_what_the_provider_tries_by_itself_is_told(stage: Stage) -> None:
    await stage.publish(PROVIDER)
    await stage.owe()
    await stage.live(9)
    assert await stage.attempts() == []
    failed = [it for it in await stage.charges() if it.status == "failed"]
    assert len(failed) > 1
    keys = await stage.rows("select key from messages where kind = 'payment_failed'")
    assert len(keys) == len(failed)


async def test_a_policy_that_is_published_is_the_one_that_counts(stage: Stage) -> None:
    await stage.owe()
    await stage.work()
    planned = (await stage.case())["next_attempt_at"]
    await stage.publish(msgspec.structs.replace(DAILY, waits_days=(3, 3, 3)))
    await stage.work()
    case = await stage.case()
    assert (case["next_attempt_at"] - planned).days == 2
    assert case["policy_version"] == (await stage.published()).version
