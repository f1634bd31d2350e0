"""A debt that is paid after its case was given up: what the end has stopped goes on."""

from datetime import timedelta

import pytest

from guichet.billing.dunning.steps.beginning import begin
from guichet.billing.dunning.steps.ending import carry_out
from guichet.payments.copies import PauseCopy
from guichet.payments.orders import Pause
from tests.billing.dunning.stage import Stage
from tests.billing.dunning.test_ending import about_to_end, ending
from tests.payments.faults import fail_requests, lose_answers


async def pay(stage: Stage) -> None:
    """The customer pays the invoice with another card, and the worker hears of it."""
    case = await stage.case()
    card = await stage.shop.set_card(case["customer_id"], "pm_card_mastercard")
    await stage.shop.port.charge_invoice(case["invoice_id"], "customer", card)
    await stage.learn()


async def pause_of(stage: Stage) -> PauseCopy | None:
    [held] = [each async for each in stage.shop.port.list_subscriptions()]
    [row] = await stage.rows("select pause is not null as is_paused from subscriptions")
    assert row["is_paused"] == (held.pause is not None)
    return held.pause


async def resumptions(stage: Stage) -> list[str]:
    rows = await stage.rows(
        "select action from audit_log where action like 'collection.%resumed' order by id"
    )
    return [row["action"] for row in rows]


@pytest.mark.parametrize("subscription", ["pause", "unpaid"])
async def test_a_subscription_that_the_end_has_stopped_goes_on_when_its_debt_is_paid(
    stage: Stage, subscription: str
) -> None:
    await about_to_end(stage, ending(subscription))
    await stage.work()
    assert await pause_of(stage) is not None
    await pay(stage)
    await stage.work()
    case = await stage.case()
    assert (case["state"], case["paused_collection"]) == ("paid_elsewhere", False)
    assert await pause_of(stage) is None
    assert await stage.access() == "ok"
    assert await resumptions(stage) == ["collection.resumed"]
    [held] = [each async for each in stage.shop.port.list_subscriptions()]
    assert held.status == "active"
    assert (await stage.mails()).count("recovered") == 1


@pytest.mark.parametrize("is_paused_by_then", [False, True])
async def test_what_is_paid_while_a_crash_cuts_its_end_off_goes_on(
    stage: Stage, is_paused_by_then: bool
) -> None:
    policy = ending("pause")
    await about_to_end(stage, policy)
    async with stage.db.unit(stage.tenant) as unit:
        [task] = (await begin(unit, await stage.published())).tasks
    if is_paused_by_then:
        await carry_out(stage.shop.port, task.loaded, policy.end)
    await pay(stage)
    await stage.wake()
    await stage.work()
    assert (await stage.case())["state"] == "paid_elsewhere"
    assert await pause_of(stage) is None


async def test_an_end_that_a_crash_repeats_knows_its_own_pause_again(stage: Stage) -> None:
    policy = ending("pause")
    await about_to_end(stage, policy)
    async with stage.db.unit(stage.tenant) as unit:
        [task] = (await begin(unit, await stage.published())).tasks
    await carry_out(stage.shop.port, task.loaded, policy.end)
    await stage.wake()
    await stage.work()
    case = await stage.case()
    assert (case["state"], case["paused_collection"]) == ("given_up", True)


@pytest.mark.parametrize(("status", "days"), [("before", 90), ("before", None), ("after", 90)])
async def test_a_pause_of_somebody_else_s_outlasts_the_debt(
    stage: Stage, status: str, days: int | None
) -> None:
    await about_to_end(stage, ending("pause"))
    [held] = [each async for each in stage.shop.port.list_subscriptions()]
    until = stage.now + timedelta(days=days) if days else None
    theirs = Pause(subscription_id=held.id, behavior="void", resumes_at=until)
    if status == "before":
        await stage.shop.port.pause(theirs, "merchant")
    await stage.work()
    assert (await stage.case())["paused_collection"] == (status == "after")
    if status == "after":
        await stage.shop.port.pause(theirs, "merchant")
    await pay(stage)
    await stage.work()
    assert (await stage.case())["state"] == "paid_elsewhere"
    pause = await pause_of(stage)
    assert pause is not None
    assert pause.resumes_at == until


@pytest.mark.parametrize("is_lost", [False, True])
async def test_a_resumption_that_fails_is_repeated_and_made_once(
    stage: Stage, is_lost: bool
) -> None:
    await about_to_end(stage, ending("pause"))
    await stage.work()
    await pay(stage)
    if is_lost:
        await lose_answers(stage.shop, "/v1/subscriptions/")
    else:
        await fail_requests(stage.shop, 500, "/v1/subscriptions/")
    await stage.work()
    case = await stage.case()
    assert (case["state"], case["paused_collection"]) == ("waiting", True)
    assert 5 < case["sleeps"] <= 10
    # The customer need not wait for it.
    assert await stage.access() == "ok"
    assert "recovered" not in await stage.mails()
    await stage.wake()
    await stage.work()
    assert (await stage.case())["state"] == "paid_elsewhere"
    assert await pause_of(stage) is None
    assert await resumptions(stage) == ["collection.resumed"]


async def test_a_resumption_that_the_provider_refuses_is_written_down_and_not_asked_again(
    stage: Stage,
) -> None:
    await about_to_end(stage, ending("pause"))
    await stage.work()
    await pay(stage)
    await fail_requests(stage.shop, 400, "/v1/subscriptions/")
    await stage.work()
    assert (await stage.case())["state"] == "paid_elsewhere"
    assert await resumptions(stage) == ["collection.not_resumed"]
