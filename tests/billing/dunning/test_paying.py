"""Customers who pay themselves: once, with their bank's consent, and never beside the worker."""

from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from guichet.billing.dunning.cases.cases import Attempt
from guichet.billing.dunning.concluding import (
    find_customer_payment,
    look_at_customer_payment,
    settle_customer_payment,
)
from guichet.billing.dunning.paying import (
    NothingToPay,
    PaymentUnderWay,
    RetryUnderWay,
    start_customer_payment,
)
from guichet.billing.dunning.steps.beginning import begin
from guichet.errors import NotFound
from guichet.payments.errors import ProviderError
from tests.billing.dunning.stage import Stage
from tests.payments.debts import owe
from tests.payments.faults import lose_answers
from tests.payments.hosted import confirm_at_the_bank

BACK = "http://lumen.localhost:8000/invoices/paid"


async def start(
    stage: Stage, customer: str, invoice: str, method: str | None, token: UUID | None = None
) -> Attempt:
    async with stage.db.unit(stage.tenant) as unit:
        return await start_customer_payment(unit, customer, invoice, method, token or uuid4())


async def confirm(stage: Stage, payment: Attempt) -> tuple[Attempt, str | None]:
    """What the page does: ask, and settle; answers where the bank asks the customer."""
    outcome: Any
    try:
        outcome = await stage.shop.port.confirm_payment(
            payment.invoice_id, BACK, payment.idempotency_key, payment.payment_method_id
        )
    except ProviderError as error:
        outcome = error
    settled = await settle_customer_payment(
        stage.db, stage.directory, stage.tenant, stage.shop.port, payment, outcome
    )
    return settled, getattr(outcome, "url", None)


async def come_back(stage: Stage, payment: Attempt) -> Attempt:
    assert payment.payment_intent_id is not None
    seen = await stage.shop.port.fetch_confirmation(payment.payment_intent_id)
    assert seen is not None
    return await settle_customer_payment(
        stage.db, stage.directory, stage.tenant, stage.shop.port, payment, seen
    )


async def failing(stage: Stage, card: str = "pm_card_mastercard") -> tuple[str, str, str]:
    """A customer, their unpaid invoice that is not due to be tried, and another card of theirs."""
    customer = await stage.owe()
    await stage.work()
    method = await stage.shop.sdk.payment_methods.attach_async(card, {"customer": customer})
    await stage.learn()
    # Without the worker, who would try it at once.
    return customer, (await stage.case())["invoice_id"], method.id


async def test_a_customer_pays_with_another_card(stage: Stage) -> None:
    customer, invoice, card = await failing(stage)
    payment = await start(stage, customer, invoice, card)
    assert (payment.initiator, payment.state) == ("customer", "started")
    settled, url = await confirm(stage, payment)
    assert (settled.state, url) == ("succeeded", None)
    assert settled.charge_id == (await stage.charges())[-1].id
    assert (await stage.case())["state"] == "recovered"
    assert await stage.access() == "ok"
    with pytest.raises(NothingToPay):
        await start(stage, customer, invoice, card)


async def test_a_customer_confirms_at_their_bank(stage: Stage) -> None:
    customer, invoice, card = await failing(stage, "pm_card_authenticationRequired")
    waiting, url = await confirm(stage, await start(stage, customer, invoice, card))
    assert (waiting.state, waiting.is_open) == ("needs_authentication", True)
    # The worker leaves it to them for a while.
    await stage.wake()
    await stage.work()
    assert [it["initiator"] for it in await stage.attempts()] == ["customer"]
    assert 1700 < (await stage.case())["sleeps"] <= 1800
    assert url is not None
    await confirm_at_the_bank(url)
    paid = await come_back(stage, waiting)
    assert paid.state == "succeeded"
    assert (await stage.case())["state"] == "recovered"


async def test_a_customer_who_is_not_recognised_is_told_so(stage: Stage) -> None:
    customer, invoice, card = await failing(stage, "pm_card_authenticationRequired")
    waiting, url = await confirm(stage, await start(stage, customer, invoice, card))
    assert url is not None
    await confirm_at_the_bank(url, passes=False)
    refused = await come_back(stage, waiting)
    assert refused.decline_class == "authenticate"
    assert not refused.is_open
    assert (await stage.case())["state"] in ("waiting", "asking")


async def test_a_decline_is_the_customer_s_own_and_uses_up_no_try(stage: Stage) -> None:
    customer, invoice, card = await failing(stage)
    await stage.decline({card: "insufficient_funds"})
    planned = (await stage.case())["next_attempt_at"]
    declined, _ = await confirm(stage, await start(stage, customer, invoice, card))
    assert (declined.state, declined.decline_code) == ("declined", "insufficient_funds")
    case = await stage.case()
    assert (case["state"], case["next_attempt_at"]) == ("waiting", planned)
    # They have seen it: no mail tells them again.
    assert (await stage.mails()).count("payment_failed") == 1


async def test_the_same_form_sent_twice_is_one_payment(stage: Stage) -> None:
    customer, invoice, card = await failing(stage)
    token = uuid4()
    first = await start(stage, customer, invoice, card, token)
    assert await start(stage, customer, invoice, card, token) == first
    with pytest.raises(PaymentUnderWay) as under_way:
        await start(stage, customer, invoice, card)
    assert under_way.value.payment == first
    await confirm(stage, first)
    again = await start(stage, customer, invoice, card, token)
    assert again.state == "succeeded"
    assert [it.status for it in await stage.charges()].count("succeeded") == 2


async def test_who_waits_at_the_bank_may_take_another_card(stage: Stage) -> None:
    customer, invoice, card = await failing(stage, "pm_card_authenticationRequired")
    waiting, _ = await confirm(stage, await start(stage, customer, invoice, card))
    good = await stage.shop.sdk.payment_methods.attach_async(
        "pm_card_mastercard", {"customer": customer}
    )
    await stage.learn()
    paid, _ = await confirm(stage, await start(stage, customer, invoice, good.id))
    assert paid.state == "succeeded"
    assert [it["state"] for it in await stage.attempts()] == ["not_made", "succeeded"]
    assert waiting.number == 1


async def test_nobody_pays_while_the_worker_charges(stage: Stage) -> None:
    customer = await stage.due()
    [card] = [it.id async for it in stage.shop.port.list_payment_methods(customer)]
    invoice = (await stage.case())["invoice_id"]
    async with stage.db.unit(stage.tenant) as unit:
        await begin(unit, await stage.published())
    with pytest.raises(RetryUnderWay):
        await start(stage, customer, invoice, card)


async def test_the_worker_does_not_charge_while_a_customer_pays(stage: Stage) -> None:
    customer = await stage.due()
    [card] = [it.id async for it in stage.shop.port.list_payment_methods(customer)]
    invoice = (await stage.case())["invoice_id"]
    await start(stage, customer, invoice, card)
    charged = len(await stage.charges())
    await stage.wake()
    await stage.work()
    assert len(await stage.charges()) == charged
    assert [it["initiator"] for it in await stage.attempts()] == ["customer"]


async def test_a_payment_whose_answer_was_lost_is_found(stage: Stage) -> None:
    customer, invoice, card = await failing(stage)
    payment = await start(stage, customer, invoice, card)
    await lose_answers(stage.shop, "/v1/payment_intents/")
    unknown, _ = await confirm(stage, payment)
    assert unknown.state == "unknown"
    await stage.shop.set(fail_next_requests=[])
    found = await look_at_customer_payment(
        stage.db, stage.directory, stage.tenant, stage.shop.port, unknown
    )
    assert (found.state, found.charge_id) == ("succeeded", (await stage.charges())[-1].id)


@pytest.mark.parametrize("went_to_bank", [False, True])
async def test_a_payment_that_was_left_is_settled_by_the_worker(
    stage: Stage, went_to_bank: bool
) -> None:
    card = "pm_card_authenticationRequired" if went_to_bank else "pm_card_mastercard"
    customer, invoice, method = await failing(stage, card)
    payment = await start(stage, customer, invoice, method)
    if went_to_bank:
        await confirm(stage, payment)
    await stage.rows(
        "update dunning_attempts set sent_at = sent_at - interval '1 hour' returning 1"
    )
    await stage.wake()
    await stage.work()
    first = (await stage.attempts())[0]
    assert (first["state"], first["finished_at"] is None) == ("not_made", False)
    assert (await stage.case())["state"] in ("waiting", "asking")


async def test_who_left_for_the_bank_and_paid_in_another_way_is_not_waited_for(
    stage: Stage,
) -> None:
    customer, invoice, card = await failing(stage, "pm_card_authenticationRequired")
    await confirm(stage, await start(stage, customer, invoice, card))
    other = await stage.shop.sdk.payment_methods.attach_async(
        "pm_card_visa_debit", {"customer": customer}
    )
    # As the provider's own page does, or its own retry.
    await stage.shop.port.charge_invoice(invoice, "elsewhere", other.id)
    await stage.learn()
    await stage.rows(
        "update dunning_attempts set sent_at = sent_at - interval '1 minute' returning 1"
    )
    await stage.wake()
    await stage.work()
    assert [it["state"] for it in await stage.attempts()] == ["not_made"]
    assert (await stage.case())["state"] == "paid_elsewhere"
    assert (await stage.mails())[-1] == "recovered"


async def test_another_customer_s_invoice_or_card_is_not_found(stage: Stage) -> None:
    customer, invoice, card = await failing(stage)
    for wrong in (("cus_other", invoice, card), (customer, invoice, "pm_other")):
        with pytest.raises(NotFound):
            await start(stage, *wrong)
    token = uuid4()
    payment = await start(stage, customer, invoice, card, token)
    async with stage.db.unit(stage.tenant) as unit:
        assert await find_customer_payment(unit, customer, token=token) == payment
        assert await find_customer_payment(unit, "cus_other", token=token) is None
        assert await find_customer_payment(unit, customer, token=uuid4()) is None
        assert await find_customer_payment(unit, customer) is None


async def test_an_invoice_that_never_failed_can_be_paid(stage: Stage) -> None:
    owed = await owe(stage.shop)
    await stage.learn()
    [card] = [it.id async for it in stage.shop.port.list_payment_methods(owed.customer_id)]
    settled, _ = await confirm(stage, await start(stage, owed.customer_id, owed.id, card))
    assert settled.state == "succeeded"
    assert await stage.cases() == []
    held = await stage.rows("select status from invoices where id = $1", owed.id)
    assert [row["status"] for row in held] == ["paid"]
    assert msgspec.to_builtins(settled)["initiator"] == "customer"
