"""How a case ends: as the policy says, once, and only if nothing was paid meanwhile."""

import msgspec
import pytest

from guichet.billing.dunning.steps.asking import Asker
from guichet.billing.dunning.steps.beginning import begin
from guichet.billing.dunning.steps.ending import carry_out
from guichet.billing.mirror import Reference, draw_copy_no, write_copies
from guichet.billing.news import follow_news
from guichet.messages.facts import read_facts
from tenants.retries import Ending, RetryPolicy
from tests.billing.dunning.stage import DAILY, Stage
from tests.payments.faults import fail_requests


def ending(subscription: str = "leave", invoice: str = "leave") -> RetryPolicy:
    """One try, and two days until the end."""
    end = msgspec.convert({"subscription": subscription, "invoice": invoice}, Ending)
    return msgspec.structs.replace(DAILY, waits_days=(1,), tries=1, window_days=2, end=end)


async def about_to_end(stage: Stage, policy: RetryPolicy) -> str:
    """A case whose window is over by now; answers its customer."""
    await stage.publish(policy)
    customer = await stage.due()
    await stage.work()
    await stage.pass_time(2)
    return customer


@pytest.mark.parametrize(
    ("subscription", "status", "pause"),
    [
        ("cancel", "canceled", None),
        ("pause", "past_due", "void"),
        ("unpaid", "past_due", "keep_as_draft"),
        ("leave", "past_due", None),
    ],
)
async def test_the_subscription_becomes_what_the_policy_says(
    stage: Stage, subscription: str, status: str, pause: str | None
) -> None:
    await about_to_end(stage, ending(subscription))
    await stage.work()
    case = await stage.case()
    assert case["state"] == "given_up"
    assert case["closed_at"] == stage.now
    [held] = [each async for each in stage.shop.port.list_subscriptions()]
    assert (held.status, held.pause.behavior if held.pause else None) == (status, pause)
    assert (await stage.mails())[-1] == "given_up"
    assert await stage.access() == "blocked"
    # The mirror need not wait for the provider's events.
    [row] = await stage.rows("select status, pause ->> 'behavior' as pause from subscriptions")
    assert (row["status"], row["pause"]) == (status, pause)


@pytest.mark.parametrize(
    ("invoice", "status", "access"),
    [
        ("leave", "open", "blocked"),
        ("uncollectible", "uncollectible", "blocked"),
        ("void", "void", "ok"),
    ],
)
async def test_the_invoice_becomes_what_the_policy_says(
    stage: Stage, invoice: str, status: str, access: str
) -> None:
    await about_to_end(stage, ending("leave", invoice))
    await stage.work()
    case = await stage.case()
    assert case["state"] == "given_up"
    held = await stage.shop.port.fetch_invoice(case["invoice_id"])
    assert held is not None
    assert held.status == status
    assert await stage.access() == access


@pytest.mark.parametrize("steps", ["none", "some", "all"])
async def test_an_end_that_a_crash_cut_off_is_brought_to_its_end(stage: Stage, steps: str) -> None:
    policy = ending("cancel", "void")
    await about_to_end(stage, policy)
    async with stage.db.unit(stage.tenant) as unit:
        begun = await begin(unit, await stage.published())
    [task] = begun.tasks
    assert task.step == "end"
    done = {"none": None, "some": ending("cancel").end, "all": policy.end}[steps]
    if done is not None:
        await carry_out(stage.shop.port, task.loaded, done)
    await stage.learn()
    assert (await stage.case())["state"] == "attempting"
    await stage.wake()
    await stage.work()
    case = await stage.case()
    assert (case["state"], case["step"]) == ("given_up", "close")
    held = await stage.shop.port.fetch_invoice(case["invoice_id"])
    assert held is not None
    assert held.status == "void"
    [subscription] = [each async for each in stage.shop.port.list_subscriptions()]
    assert subscription.status == "canceled"
    assert (await stage.mails()).count("given_up") == 1


async def test_an_end_whose_answer_is_lost_is_made_once(stage: Stage) -> None:
    await about_to_end(stage, ending("cancel"))
    lost = {"mode": "lost", "count": 2, "method": "DELETE", "path": "/v1/subscriptions/"}
    await stage.shop.set(fail_next_requests=[lost])
    await stage.work()
    case = await stage.case()
    assert case["state"] == "attempting"
    assert 5 < case["sleeps"] <= 10
    await stage.wake()
    await stage.work()
    assert (await stage.case())["state"] == "given_up"


async def test_what_is_paid_before_its_end_is_not_given_up(stage: Stage) -> None:
    customer = await about_to_end(stage, ending("leave", "uncollectible"))
    case = await stage.case()
    async with stage.db.unit(stage.tenant) as unit:
        await begin(unit, await stage.published())
    card = await stage.shop.set_card(customer, "pm_card_mastercard")
    await stage.shop.port.charge_invoice(case["invoice_id"], "customer", card)
    await stage.learn()
    await stage.wake()
    await stage.work()
    assert (await stage.case())["state"] == "paid_elsewhere"
    assert await stage.access() == "ok"
    assert (await stage.mails())[-1] == "recovered"


async def test_what_is_paid_while_its_end_is_under_way_is_not_given_up(stage: Stage) -> None:
    customer = await about_to_end(stage, ending())
    async with stage.db.unit(stage.tenant) as unit:
        begun = await begin(unit, await stage.published())
    [task] = begun.tasks
    card = await stage.shop.set_card(customer, "pm_card_mastercard")
    await stage.shop.port.charge_invoice(task.loaded.case.invoice_id, "customer", card)
    await stage.learn()
    asker = Asker(stage.db, stage.tenant, stage.shop.port, await stage.published())
    assert await asker.do(task)
    assert (await stage.case())["state"] == "paid_elsewhere"
    assert "given_up" not in await stage.mails()


async def test_what_the_provider_refuses_at_the_end_is_written_down_and_not_asked_again(
    stage: Stage,
) -> None:
    await about_to_end(stage, ending("leave", "void"))
    await fail_requests(stage.shop, 400, "/v1/invoices/", "POST")
    await stage.work()
    assert (await stage.case())["state"] == "given_up"
    [row] = await stage.rows("select details from audit_log where action = 'dunning_end.refused'")
    assert "code" in row["details"]


async def test_a_subscription_that_has_ended_is_not_charged_any_more(stage: Stage) -> None:
    await stage.due()
    [held] = [each async for each in stage.shop.port.list_subscriptions()]
    await stage.shop.sdk.subscriptions.cancel_async(held.id)
    await stage.learn()
    await stage.work()
    assert await stage.attempts() == []
    assert (await stage.case())["state"] == "given_up"


async def test_a_debt_that_is_paid_after_all_gives_access_again(stage: Stage) -> None:
    customer = await about_to_end(stage, ending())
    await stage.work()
    assert await stage.access() == "blocked"
    case = await stage.case()
    card = await stage.shop.set_card(customer, "pm_card_mastercard")
    await stage.shop.port.charge_invoice(case["invoice_id"], "customer", card)
    await stage.learn()
    await stage.work()
    assert (await stage.case())["state"] == "paid_elsewhere"
    assert await stage.access() == "ok"


async def test_a_debt_that_is_forgiven_after_all_gives_access_again(stage: Stage) -> None:
    await about_to_end(stage, ending())
    await stage.work()
    assert await stage.access() == "blocked"
    await stage.shop.port.void_invoice((await stage.case())["invoice_id"], "merchant")
    await stage.learn()
    assert await stage.access() == "ok"
    assert (await stage.case())["state"] == "given_up"


@pytest.mark.parametrize(
    ("invoice", "can_be_paid"), [("leave", True), ("void", False), ("uncollectible", False)]
)
async def test_the_last_mail_asks_to_pay_only_what_is_open(
    stage: Stage, invoice: str, can_be_paid: bool
) -> None:
    await about_to_end(stage, ending("leave", invoice))
    await stage.work()
    [row] = await stage.rows("select facts::text from messages where kind = 'given_up'")
    assert read_facts(row["facts"]).can_be_paid == can_be_paid


@pytest.mark.parametrize("invoice", ["leave", "void"])
async def test_a_case_ends_with_the_test_clock_that_its_customer_lived_by(
    stage: Stage, invoice: str
) -> None:
    await stage.publish(ending("cancel", invoice))
    await stage.due()
    charged = len(await stage.charges())
    await stage.shop.sdk.test_helpers.test_clocks.delete_async(stage.clock)
    async with stage.db.unit(stage.tenant) as unit:
        copy_no = await draw_copy_no(unit)
        gone = Reference("test_clock", stage.clock)
        assert await write_copies(unit, [], copy_no, [gone]) == {gone}
    await follow_news(stage.db, stage.tenant, (await stage.published()).configuration)
    await stage.work()
    case = await stage.case()
    assert (case["state"], case["step"], case["wake_at"]) == ("given_up", "close", None)
    assert '"customer_gone"' in case["decision"]
    assert len(await stage.charges()) == charged
    # Nobody is left to be told.
    [row] = await stage.rows("select state from messages where kind = 'given_up'")
    assert row["state"] == "suppressed"
