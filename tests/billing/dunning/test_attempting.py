"""Charges that the worker asks for: written down first, counted by their cards, never hot."""

import asyncio
from datetime import timedelta

import msgspec

from guichet.billing.dunning.steps.beginning import Begun, begin
from guichet.payments.choose import SECRET_KEY
from tenants.retries import RetryPolicy
from tests.billing.dunning.stage import DAILY, Stage
from tests.payments.faults import lose_answers
from tests.shops import set_secret


async def test_an_attempt_keeps_what_was_said_of_it(stage: Stage) -> None:
    await stage.owe("stolen_card")
    await stage.work()
    card = await stage.new_card("pm_card_mastercard")
    await stage.decline({card: "insufficient_funds"})
    await stage.learn()
    await stage.work()
    [attempt] = await stage.attempts()
    assert attempt["idempotency_key"] == f"guichet-dunning:{attempt['invoice_id']}:1"
    assert (attempt["state"], attempt["decline_class"]) == ("declined", "later")
    assert (attempt["decline_code"], attempt["network_decline_code"]) == (
        "insufficient_funds",
        "51",
    )
    assert (attempt["network"], attempt["payment_method_id"]) == ("mastercard", card)
    assert None not in (attempt["fingerprint"], attempt["request_id"], attempt["finished_at"])
    assert "new_method" in attempt["reasons"]
    assert attempt["started_at"] == stage.now
    assert attempt["charge_id"] == (await stage.charges())[-1].id


async def test_what_was_asked_for_stands_in_a_row_whatever_becomes_of_it(stage: Stage) -> None:
    await stage.due()
    await lose_answers(stage.shop, "/v1/invoices/", 99)
    await stage.work()
    [attempt] = await stage.attempts()
    assert (attempt["state"], attempt["number"]) == ("unknown", 1)
    case = await stage.case()
    assert case["state"] == "unknown"
    assert 5 < case["sleeps"] <= 10


async def test_a_card_s_cap_is_kept_across_invoices(stage: Stage) -> None:
    customer = await stage.due()
    await stage.charge_before(customer, 20)
    await stage.publish(msgspec.structs.replace(DAILY, window_days=60))
    await stage.wake()
    await stage.work()
    assert await stage.attempts() == []
    case = await stage.case()
    assert (case["state"], "cap" in case["decision"]) == ("waiting", True)


async def test_a_cap_leaves_room_for_one_of_two_that_are_due_together(stage: Stage) -> None:
    customer = await stage.due()
    # The first failure is one of the twenty.
    await stage.charge_before(customer, 18)
    other = await stage.another_case(customer)
    await stage.publish(msgspec.structs.replace(DAILY, window_days=60))
    await stage.wake()
    await stage.work()
    [attempt] = await stage.attempts()
    assert attempt["state"] == "declined"
    states = {row["invoice_id"]: row["state"] for row in await stage.cases()}
    assert states[other] == "waiting"


async def test_a_cap_s_last_room_is_not_used_by_two_workers(stage: Stage) -> None:
    customer = await stage.due()
    await stage.charge_before(customer, 18)
    other = await stage.another_case(customer)
    published = await stage.published()
    set_wake = "update dunning_cases set wake_at = $2 where invoice_id = $1 returning 1"
    await stage.rows(set_wake, other, stage.now + timedelta(days=99))

    async def begin_too() -> Begun:
        async with stage.db.unit(stage.tenant) as unit:
            return await begin(unit, published)

    async with stage.db.unit(stage.tenant) as unit:
        first = await begin(unit, published)
        await stage.rows(set_wake, other, stage.now - timedelta(days=99))
        second = asyncio.create_task(begin_too())
        # It has read what the card was charged, and waits for whoever is charging it.
        waiting = "select from pg_locks where locktype = 'advisory' and not granted"
        async with asyncio.timeout(10):
            while not await stage.rows(waiting):
                await asyncio.sleep(0.01)
    assert [task.step for task in first.tasks] == ["charge"]
    assert (await second).tasks == ()


async def test_a_method_that_is_gone_is_refused_once_and_not_again_and_again(stage: Stage) -> None:
    customer = await stage.due()
    [card] = [it.id async for it in stage.shop.port.list_payment_methods(customer)]
    await stage.shop.sdk.payment_methods.detach_async(card)
    await stage.work()
    [attempt] = await stage.attempts()
    assert attempt["state"] == "refused"
    case = await stage.case()
    assert (case["state"], case["looks"]) == ("asking", 1)
    # Until the window is over, by the customer's clock.
    assert case["sleeps"] is None
    # What the refusal was about is known now.
    [method] = await stage.rows("select customer_id from payment_methods")
    assert method["customer_id"] is None
    await stage.wake()
    await stage.work()
    assert len(await stage.attempts()) == 1


async def test_a_rejected_key_stops_the_tenant_and_loses_nothing(stage: Stage) -> None:
    await stage.due()
    await set_secret(stage.settings, stage.db, stage.tenant, SECRET_KEY, "sk_test_")
    stage.providers.forget(stage.tenant)
    await stage.work()
    before = len(await stage.charges())
    await stage.wake()
    await stage.work()
    assert all(it["state"] == "not_made" for it in await stage.attempts())
    assert len(await stage.charges()) == before
    await set_secret(stage.settings, stage.db, stage.tenant, SECRET_KEY, stage.shop.key)
    stage.providers.forget(stage.tenant)
    stage.runner.forget(stage.tenant)
    await stage.pass_time(0.1)
    await stage.wake()
    await stage.work()
    assert len(await stage.charges()) == before + 1


async def test_a_provider_that_was_away_for_long_is_asked_again_within_the_hour(
    stage: Stage,
) -> None:
    await stage.due()
    # By the wall's time, since a clock that stands still has nobody wait.
    await stage.rows("update customers set test_clock_id = null returning 1")
    await stage.rows(
        """
        update dunning_cases
        set
          test_clock_id = null,
          opened_at = now() - interval '30 hours',
          looks = 9
        returning 1
        """
    )
    await stage.rows(
        "update payment_attempts set created_at = now() - interval '30 hours' returning 1"
    )
    await stage.shop.set(
        fail_next_requests=[{"mode": "error", "status": 429, "count": 99, "path": "/v1/"}]
    )
    await stage.wake()
    await stage.work()
    assert [it["state"] for it in await stage.attempts()] == ["not_made"]
    assert 3500 < (await stage.case())["sleeps"] <= 3600


async def test_an_invoice_that_was_paid_meanwhile_is_not_charged(stage: Stage) -> None:
    customer = await stage.due()
    case = await stage.case()
    card = await stage.shop.set_card(customer, "pm_card_mastercard")
    await stage.shop.port.charge_invoice(case["invoice_id"], "customer", card)
    charged = len(await stage.charges())
    await stage.work()
    [attempt] = await stage.attempts()
    assert attempt["state"] == "not_made"
    assert len(await stage.charges()) == charged
    assert (await stage.case())["state"] == "paid_elsewhere"


async def test_a_paused_policy_charges_nothing(stage: Stage) -> None:
    await stage.due()
    await stage.publish(msgspec.structs.replace(DAILY, paused=True))
    await stage.wake()
    await stage.work()
    assert await stage.attempts() == []
    await stage.publish(DAILY)
    await stage.work()
    assert len(await stage.attempts()) == 1


async def test_a_policy_that_leaves_it_to_the_provider_only_follows(stage: Stage) -> None:
    await stage.publish(RetryPolicy(collector="provider"))
    await stage.owe()
    await stage.live(3)
    case = await stage.case()
    assert (case["state"], case["taken"]) == ("provider", False)
    assert await stage.attempts() == []
    assert "payment_failed" in await stage.mails()
