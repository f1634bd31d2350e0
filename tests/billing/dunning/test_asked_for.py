"""What a member of the team asks for by hand: rules by table, and cases carried out."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from guichet.billing.dunning.cases.cases import BUSY
from guichet.billing.dunning.decisions.deciding import decide, obstacles_to_try
from guichet.billing.dunning.decisions.facts import AskedFor, Facts
from guichet.billing.dunning.interventions import ask_for, find_case, why_no_retry, why_no_stop
from guichet.billing.dunning.running import Runner
from guichet.billing.dunning.steps.asking import Asker
from guichet.billing.dunning.steps.beginning import begin
from tenants.retries import DeclineActions, Ending, QuietTimes, RetryPolicy
from tests.billing.dunning.cases import CARD, OPENED, OTHER, a_try, facts
from tests.billing.dunning.stage import DAILY, Stage

_DAY = timedelta(days=1)
_ALWAYS_QUIET = QuietTimes(from_hour=0, until_hour=23, weekdays=())


def _codes(known: Facts, policy: RetryPolicy = DAILY) -> list[str]:
    return [reason.code for reason in obstacles_to_try(known, policy)]


@pytest.mark.parametrize(
    "policy",
    [
        DAILY,
        msgspec.structs.replace(DAILY, quiet=_ALWAYS_QUIET),
        msgspec.structs.replace(DAILY, pay_days=(28,)),
        msgspec.structs.replace(DAILY, waits_days=(9,), tries=1),
    ],
    ids=["spaced", "quiet", "pay day", "used up later"],
)
def test_a_try_that_is_asked_for_is_made_whatever_the_schedule_says(policy: RetryPolicy) -> None:
    known = facts(asked_for="retry")
    assert decide(msgspec.structs.replace(known, asked_for=None), policy).step != "attempt"
    decision = decide(known, policy)
    assert (decision.step, decision.payment_method_id) == ("attempt", CARD.id)
    assert [reason.code for reason in decision.reasons] == ["asked_by_staff"]


def test_a_try_that_is_asked_for_is_none_of_the_schedule_s() -> None:
    spent = facts(*(a_try(day, why=("planned",)) for day in (1, 2, 3)), days=3.1)
    assert decide(spent, DAILY).step == "ask"
    assert decide(msgspec.structs.replace(spent, asked_for="retry"), DAILY).step == "attempt"
    made = facts(a_try(1, why=("planned",)), a_try(1.1, why=("asked_by_staff",)), days=1.2)
    planned = decide(made, DAILY)
    assert planned.reasons[0].facts == {"number": 2, "tries": 3}
    assert planned.at == OPENED + 2.1 * _DAY


@pytest.mark.parametrize(
    ("known", "policy", "code"),
    [
        (facts(methods=()), DAILY, "no_method"),
        (facts(a_try(decline="never")), DAILY, "declined_never"),
        (facts(a_try(decline="new_card")), DAILY, "declined_new_card"),
        (facts(a_try(decline="authenticate")), DAILY, "declined_authenticate"),
        (
            facts(),
            msgspec.structs.replace(DAILY, declines=DeclineActions(later="ask")),
            "declined_later",
        ),
        (
            facts(methods=(msgspec.structs.replace(CARD, is_banned=True, cap="forbidden"),)),
            DAILY,
            "banned",
        ),
        (
            facts(
                methods=(
                    msgspec.structs.replace(CARD, allowed_at=OPENED + _DAY, cap="visa_30_days"),
                )
            ),
            DAILY,
            "cap",
        ),
        (facts(a_try(not_before=OPENED + _DAY)), DAILY, "network_wait"),
        (
            facts(methods=(msgspec.structs.replace(CARD, exp_year=2025, exp_month=1),)),
            DAILY,
            "card_expired",
        ),
        (facts(days=11), DAILY, "window_over"),
        (facts(subscription_status="canceled"), DAILY, "subscription_ended"),
        (facts(), msgspec.structs.replace(DAILY, paused=True), "paused"),
        (facts(), msgspec.structs.replace(DAILY, collector="provider"), "provider_collects"),
        (facts(a_try(decline=None, outcome="under_way")), DAILY, "try_under_way"),
        (facts(a_try(decline=None, outcome="unknown")), DAILY, "try_unknown"),
        (facts(a_try(0.02, decline=None)), DAILY, "settling"),
        (facts(invoice_status="draft"), DAILY, "invoice_draft"),
        (facts(invoice_status="void"), DAILY, "invoice_voided"),
    ],
)
def test_what_no_one_may_override_stays_and_says_why(
    known: Facts, policy: RetryPolicy, code: str
) -> None:
    assert code in _codes(known, policy)
    asked = msgspec.structs.replace(known, asked_for="retry")
    assert decide(asked, policy) == decide(known, policy)
    assert decide(asked, policy).step != "attempt"


def test_of_several_cards_the_first_that_can_be_charged_is() -> None:
    known = facts(a_try(decline="never"), methods=(CARD, OTHER), asked_for="retry")
    assert decide(known, DAILY).payment_method_id == OTHER.id
    without = msgspec.structs.replace(DAILY, fallbacks=False)
    assert _codes(known, without) == ["declined_never", "fallbacks_off"]
    assert _codes(facts()) == []


def test_a_stop_waits_for_the_try_that_is_under_way_and_yields_to_what_is_paid() -> None:
    under_way = a_try(decline=None, outcome="under_way")
    assert decide(facts(under_way, asked_for="stop"), DAILY).step == "rest"
    assert decide(facts(invoice_status="paid", asked_for="stop"), DAILY).outcome == "paid_elsewhere"
    for wish, code in (("stop", "stopped_by_staff"), ("end", "ended_by_staff")):
        decision = decide(facts(asked_for=wish), msgspec.structs.replace(DAILY, paused=True))
        assert decision.reasons[0].code == code
    assert decide(facts(asked_for="end"), DAILY).access == "blocked"


@pytest.mark.parametrize(("days", "access"), [(0.1, "grace"), (8, "restricted")])
def test_a_stop_leaves_access_as_it_is(days: float, access: str) -> None:
    policy = msgspec.structs.replace(DAILY, grace_days=7, block_after_days=None)
    decision = decide(facts(days=days, asked_for="stop"), policy)
    assert (decision.step, decision.outcome, decision.access) == ("close", "given_up", access)


async def ask(stage: Stage, wish: AskedFor) -> None:
    """As a page of the console does, whose own refusals are told elsewhere."""
    [case] = await stage.rows("select customer_id, invoice_id from dunning_cases")
    async with stage.db.unit(stage.tenant) as unit:
        loaded = await find_case(unit, case["customer_id"], case["invoice_id"], is_locked=True)
        await ask_for(unit, loaded, wish)


async def waiting(stage: Stage) -> None:
    """A case that waits for its first try."""
    await stage.owe()
    await stage.work()
    case = await stage.case()
    assert (case["state"], case["step"]) == ("waiting", "wait")


async def test_it_is_tried_at_once_and_once(stage: Stage) -> None:
    await waiting(stage)
    before = len(await stage.charges())
    await ask(stage, "retry")
    other = Runner(stage.db, stage.providers, stage.directory)
    await asyncio.gather(stage.work(), other.run(stage.tenant))
    await stage.work()
    assert len(await stage.charges()) == before + 1
    [attempt] = await stage.attempts()
    assert '"asked_by_staff"' in attempt["reasons"]
    case = await stage.case()
    assert (case["state"], case["asked_for"], case["asked_at"]) == ("waiting", None, None)
    # The schedule goes on as if nobody had asked, after a day's rest.
    assert case["next_attempt_at"] == stage.now + _DAY


async def test_a_killed_worker_leaves_one_try_behind(stage: Stage) -> None:
    await waiting(stage)
    before = len(await stage.charges())
    await ask(stage, "retry")
    async with stage.db.unit(stage.tenant) as unit:
        begun = await begin(unit, await stage.published())
    assert [task.step for task in begun.tasks] == ["charge"]
    case = await stage.case()
    assert (case["state"], case["asked_for"]) == ("attempting", None)
    for _ in range(3):
        await stage.wake()
        await stage.work()
    assert len(await stage.charges()) == before + 1
    assert len(await stage.attempts()) == 1


async def test_a_try_is_asked_for_until_the_provider_s_own_are_switched_off(stage: Stage) -> None:
    await waiting(stage)
    await stage.rows("update dunning_cases set taken = false returning 1")
    before = len(await stage.charges())
    await ask(stage, "retry")
    await stage.work()
    assert len(await stage.charges()) == before + 1
    case = await stage.case()
    assert (case["taken"], case["asked_for"]) == (True, None)


@pytest.mark.parametrize("case", ["an hour ago", "in vain"])
async def test_what_could_not_be_tried_is_not_tried_later(stage: Stage, case: str) -> None:
    await waiting(stage)
    await ask(stage, "retry")
    if case == "in vain":
        await stage.publish(msgspec.structs.replace(DAILY, paused=True))
    else:
        await stage.rows(
            "update dunning_cases set asked_at = now() - interval '61 minutes' returning 1"
        )
    await stage.work()
    assert await stage.attempts() == []
    assert (await stage.case())["asked_for"] is None


async def test_a_stopped_case_is_left_alone_and_its_customer_is_not_written_to(
    stage: Stage,
) -> None:
    await waiting(stage)
    before, mails = len(await stage.charges()), await stage.mails()
    await ask(stage, "stop")
    await stage.work()
    case = await stage.case()
    assert (case["state"], case["access"], case["wake_at"]) == ("given_up", "grace", None)
    assert "stopped_by_staff" in case["decision"]
    await stage.new_card("pm_card_visa")
    await stage.live(12)
    assert len(await stage.charges()) == before
    assert (await stage.mails()) == mails
    assert await stage.access() == "grace"
    [held] = [each async for each in stage.shop.port.list_subscriptions()]
    assert held.status == "past_due"


async def test_who_stops_our_retries_does_not_get_the_provider_s(stage: Stage) -> None:
    await waiting(stage)
    invoice = (await stage.case())["invoice_id"]
    await stage.shop.port.set_automatic_collection(invoice, True, "by hand")
    await stage.rows("update dunning_cases set taken = null returning 1")
    before = len(await stage.charges())
    await ask(stage, "stop")
    await stage.work()
    case = await stage.case()
    assert (case["state"], case["taken"]) == ("given_up", True)
    await stage.pass_time(12)
    assert len(await stage.charges()) == before


async def test_a_stopped_case_opens_again_once_it_is_paid(stage: Stage) -> None:
    await waiting(stage)
    await ask(stage, "stop")
    await stage.work()
    card = await stage.new_card("pm_card_visa")
    await stage.shop.port.charge_invoice((await stage.case())["invoice_id"], "customer", card)
    await stage.learn()
    await stage.work()
    assert (await stage.case())["state"] == "paid_elsewhere"
    assert (await stage.mails())[-1] == "recovered"
    assert await stage.access() == "ok"


async def test_the_policy_s_end_comes_with_the_stop_where_it_is_wanted(stage: Stage) -> None:
    end = Ending(subscription="cancel", invoice="void")
    await stage.publish(msgspec.structs.replace(DAILY, end=end))
    await waiting(stage)
    await ask(stage, "end")
    await stage.work()
    case = await stage.case()
    assert (case["state"], "ended_by_staff" in case["decision"]) == ("given_up", True)
    [held] = [each async for each in stage.shop.port.list_subscriptions()]
    assert held.status == "canceled"
    assert (await stage.mails())[-1] == "given_up"


@pytest.mark.parametrize("is_paid", [True, False])
async def test_a_try_that_is_under_way_is_finished_before_it_is_stopped(
    stage: Stage, is_paid: bool
) -> None:
    customer = await stage.due()
    if is_paid:
        found = await stage.shop.sdk.customers.retrieve_async(customer)
        assert found.invoice_settings is not None
        await stage.decline({str(found.invoice_settings.default_payment_method): ""})
    async with stage.db.unit(stage.tenant) as unit:
        [task] = (await begin(unit, await stage.published())).tasks
    leased = (await stage.case())["wake_at"]
    await ask(stage, "stop")
    case = await stage.case()
    assert (case["state"], case["wake_at"]) == ("attempting", leased)
    await Asker(stage.db, stage.tenant, stage.shop.port, await stage.published()).do(task)
    await stage.learn()
    await stage.work()
    case = await stage.case()
    assert case["state"] == ("recovered" if is_paid else "given_up")
    assert len(await stage.attempts()) == 1


async def test_what_cannot_be_asked_for_says_so(stage: Stage) -> None:
    customer = await stage.owe()
    await stage.work()
    invoice = (await stage.case())["invoice_id"]

    async def told(away: bool = False, **changes: object) -> tuple[list[str], list[str]]:
        async with stage.db.unit(stage.tenant) as unit:
            loaded = await find_case(unit, customer, invoice)
        case = msgspec.structs.replace(loaded.case, **changes)
        known = msgspec.structs.replace(loaded.facts, asked_for=case.wish(loaded.wall_now))
        held = msgspec.structs.replace(loaded, case=case, facts=known)
        retry, stop = why_no_retry(held, DAILY, away), why_no_stop(held, DAILY)
        return [it.code for it in retry], [it.code for it in stop]

    assert await told() == ([], [])
    assert await told(away=True) == (["provider_stopped"], [])
    assert await told(asked_for="retry") == (["retry_asked_for"], [])
    assert await told(asked_for="stop") == (["stop_asked_for"], ["stop_asked_for"])
    assert await told(state="given_up") == (["case_closed"], ["case_closed"])
    for state in BUSY:
        assert [bool(it) for it in await told(state=state)] == [True, False]
    ending = decide(facts(asked_for="end"), DAILY)
    assert await told(state="attempting", decision=ending) == (["ending"], ["ending"])
