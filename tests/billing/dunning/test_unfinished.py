"""Payments that customers left unfinished: found by a worker that looks, never charged again."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from guichet.billing.dunning.cases.cases import Attempt
from guichet.billing.dunning.concluding import settle_customer_payment
from guichet.billing.dunning.paying import start_customer_payment, wake_unknown
from guichet.billing.dunning.throttling import TooManyPayments
from guichet.billing.dunning.unfinished import settle_unfinished
from tests.billing.dunning.stage import Stage
from tests.billing.dunning.test_looking import lose_the_answer
from tests.billing.dunning.test_paying import BACK, come_back, confirm, failing, start
from tests.payments.debts import owe
from tests.payments.faults import fail_requests, lose_answers
from tests.payments.hosted import confirm_at_the_bank


async def settle(stage: Stage) -> int:
    """What the worker's job does."""
    return await settle_unfinished(stage.db, stage.providers, stage.directory, stage.tenant)


async def let_pass(stage: Stage, minutes: int = 1) -> None:
    """Let all payments, and what was looked for, be so much older."""
    await stage.rows(
        """
        update dunning_attempts
        set sent_at = sent_at - $1::interval, looked_at = looked_at - $1::interval
        returning 1
        """,
        timedelta(minutes=minutes),
    )


async def begun(stage: Stage, card: str = "pm_card_visa") -> Attempt:
    """A payment of an invoice that never failed, written down and not asked for yet."""
    owed = await owe(stage.shop, card)
    await stage.learn()
    [method] = [it.id async for it in stage.shop.port.list_payment_methods(owed.customer_id)]
    return await start(stage, owed.customer_id, owed.id, method)


async def ask(stage: Stage, payment: Attempt) -> None:
    """Ask for it, and die before the answer is written down."""
    await stage.shop.port.confirm_payment(
        payment.invoice_id, BACK, payment.idempotency_key, payment.payment_method_id
    )


async def state(stage: Stage) -> str:
    [attempt] = await stage.attempts()
    return str(attempt["state"])


async def paid(stage: Stage) -> int:
    return [it.status for it in await stage.charges()].count("succeeded")


async def test_what_a_killed_process_has_charged_is_found(stage: Stage) -> None:
    await ask(stage, await begun(stage))
    assert await settle(stage) == 0, "its process may still be at work"
    await let_pass(stage)
    assert await settle(stage) == 1
    assert (await state(stage), await paid(stage)) == ("succeeded", 1)
    [invoice] = await stage.rows("select status from invoices")
    assert invoice["status"] == "paid"
    assert await stage.cases() == []


async def test_what_a_killed_process_never_asked_for_is_not_asked_for(stage: Stage) -> None:
    await begun(stage)
    await let_pass(stage)
    assert await settle(stage) == 1
    assert (await state(stage), await paid(stage)) == ("not_made", 0)


@pytest.mark.parametrize("confirmed", [False, True])
async def test_who_closes_the_browser_at_the_bank_has_half_an_hour(
    stage: Stage, confirmed: bool
) -> None:
    waiting, url = await confirm(stage, await begun(stage, "pm_card_authenticationRequired"))
    assert (waiting.state, await paid(stage)) == ("needs_authentication", 0)
    if confirmed:
        assert url is not None
        await confirm_at_the_bank(url)
    await let_pass(stage, 29)
    assert await settle(stage) == 0
    await let_pass(stage, 2)
    assert await settle(stage) == 1
    expected = ("succeeded", 1) if confirmed else ("not_made", 0)
    assert (await state(stage), await paid(stage)) == expected


async def test_who_comes_back_after_the_payment_was_given_up_has_paid(stage: Stage) -> None:
    waiting, url = await confirm(stage, await begun(stage, "pm_card_authenticationRequired"))
    await let_pass(stage, 31)
    await settle(stage)
    assert await state(stage) == "not_made"
    assert url is not None
    await confirm_at_the_bank(url)
    assert (await come_back(stage, waiting)).state == "succeeded"
    assert (await state(stage), await paid(stage)) == ("succeeded", 1)


async def test_what_the_provider_does_not_tell_is_asked_again_later_each_time(
    stage: Stage,
) -> None:
    await ask(stage, await begun(stage))
    await let_pass(stage)
    await fail_requests(stage.shop, 500, method="GET")
    assert await settle(stage) == 0
    assert await state(stage) == "unknown"
    await stage.shop.set(fail_next_requests=[])
    # Somebody else may be looking, and whoever was not told a minute after is not so at once.
    assert await settle(stage) == 0
    assert await state(stage) == "unknown"
    await let_pass(stage, 2)
    assert await settle(stage) == 1
    assert (await state(stage), await paid(stage)) == ("succeeded", 1)


async def test_two_workers_do_not_look_for_the_same_payment(stage: Stage) -> None:
    for _ in range(3):
        await ask(stage, await begun(stage))
    await let_pass(stage)
    assert sum(await asyncio.gather(settle(stage), settle(stage), settle(stage))) == 3
    assert await paid(stage) == 3
    assert {it["state"] for it in await stage.attempts()} == {"succeeded"}


async def test_nobody_waits_for_a_payment_that_somebody_has_in_hand(stage: Stage) -> None:
    held, free = await begun(stage), await begun(stage)
    await let_pass(stage)
    async with stage.db.unit(stage.tenant) as unit:
        await unit.fetch(
            """
            select
            from dunning_attempts
            where invoice_id = $1
            for update
            """,
            held.invoice_id,
        )
        assert await settle(stage) == 1
    states = {it["invoice_id"]: it["state"] for it in await stage.attempts()}
    assert states == {held.invoice_id: "started", free.invoice_id: "not_made"}


async def test_the_last_try_within_an_hour_is_given_once(stage: Stage) -> None:
    first = await begun(stage)
    [row] = await stage.rows("select customer_id from invoices")
    customer, card = row["customer_id"], first.payment_method_id
    await stage.rows(
        """
        insert into dunning_attempts (
          tenant_id, invoice_id, number, initiator, idempotency_key, state, started_at, finished_at
        )
        select $1, $2, number, 'customer', 'tried ' || number, 'declined', now(), now()
        from generate_series(2, 9) as number
        returning 1
        """,
        stage.tenant,
        first.invoice_id,
    )
    others = [await owe_again(stage, customer) for _ in range(2)]
    async with stage.db.unit(stage.tenant) as unit:
        await start_customer_payment(unit, customer, others[0], card, uuid4())
        second = asyncio.create_task(start(stage, customer, others[1], card))
        # Nine are written down, and the tenth is not committed yet: whoever comes now waits for it.
        await asyncio.wait({second}, timeout=0.5)
    with pytest.raises(TooManyPayments):
        await second


async def owe_again(stage: Stage, customer: str) -> str:
    """One more open invoice of a customer."""
    draft = await stage.shop.sdk.invoices.create_async(
        {"customer": customer, "currency": "eur", "auto_advance": False}
    )
    await stage.shop.sdk.invoice_items.create_async(
        {"customer": customer, "invoice": draft.id, "amount": 500, "currency": "eur"}
    )
    invoice = await stage.shop.port.finalize_invoice(draft.id, f"finalize {draft.id}")
    await stage.learn()
    return invoice.id


async def test_a_sleeping_case_learns_what_its_customer_has_paid(stage: Stage) -> None:
    customer, invoice, card = await failing(stage)
    payment = await start(stage, customer, invoice, card)
    await ask(stage, payment)
    await stage.rows("update dunning_cases set wake_at = 'infinity' returning 1")
    await let_pass(stage)
    assert await settle(stage) == 1
    assert (await state(stage), (await stage.case())["state"]) == ("succeeded", "recovered")


async def test_nothing_is_looked_for_while_the_provider_turns_us_away(stage: Stage) -> None:
    await begun(stage)
    await let_pass(stage)
    await stage.rows(
        """
        update provider_connections
        set rejected_at = now(), reason = 'key_revoked'
        where tenant_id = $1
        returning 1
        """,
        stage.tenant,
    )
    assert await settle(stage) == 0
    assert await state(stage) == "started"


async def test_a_payment_that_was_lost_and_settled_late_is_written_once(stage: Stage) -> None:
    payment = await begun(stage)
    await lose_answers(stage.shop, "/v1/payment_intents/")
    unknown, _ = await confirm(stage, payment)
    await stage.shop.set(fail_next_requests=[])
    await let_pass(stage)
    assert await settle(stage) == 1
    before = await stage.rows("select count(1) as rows from audit_log")
    intent_id = (await stage.charges())[0].payment_intent_id
    assert intent_id is not None
    seen = await stage.shop.port.fetch_confirmation(intent_id)
    assert seen is not None
    again = await settle_customer_payment(
        stage.db, stage.directory, stage.tenant, stage.shop.port, unknown, seen
    )
    assert again.state == "succeeded"
    assert await stage.rows("select count(1) as rows from audit_log") == before


async def test_a_charge_in_doubt_is_looked_for_when_its_customer_waits(stage: Stage) -> None:
    await lose_the_answer(stage)
    invoice = (await stage.case())["invoice_id"]

    async def wake() -> bool:
        async with stage.db.unit(stage.tenant) as unit:
            return await wake_unknown(unit, invoice)

    # Under a lease, somebody is looking.
    await stage.rows("update dunning_cases set wake_at = now() + interval '25 s' returning 1")
    assert not await wake()
    await stage.rows("update dunning_cases set wake_at = now() + interval '1 day' returning 1")
    assert await wake()
    await stage.decline({})
    await stage.work()
    assert (await stage.case())["state"] != "unknown"
    assert not await wake()
