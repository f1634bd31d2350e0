"""Invoices paid, refused and settled: once each, whatever is lost."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from guichet.payments.errors import (
    CardRefused,
    NeedsAuthentication,
    ProviderRefused,
    ProviderUnreachable,
)
from guichet.payments.stripe.adapter import Stripe, Transport
from guichet.payments.stripe.transport import Answer
from tests.payments.debts import attempts, owe
from tests.payments.faults import fail_requests, lose_answers
from tests.payments.hosted import submit
from tests.shops import Shop, open_shop


async def test_an_invoice_is_paid_once_however_often_it_is_asked_for(shop: Shop) -> None:
    owed = await owe(shop)
    paid = (await shop.port.charge_invoice(owed.id, "key")).invoice
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 3000, 0)
    for key in ("key", "another key"):
        assert (await shop.port.charge_invoice(owed.id, key)).invoice == paid
    assert [each.status for each in await attempts(shop)] == ["succeeded"]


async def test_a_charge_names_its_attempt_and_its_request(shop: Shop) -> None:
    owed = await owe(shop)
    payment = await shop.port.charge_invoice(owed.id, "key")
    [attempt] = await attempts(shop)
    assert payment.invoice.status == "paid"
    assert (payment.attempt_id, payment.payment_intent_id) == (
        attempt.id,
        attempt.payment_intent_id,
    )
    assert payment.request_id
    assert payment.invoice == await shop.port.fetch_invoice(owed.id)
    # Nothing was left to charge.
    again = await shop.port.charge_invoice(owed.id, "another key")
    assert (again.attempt_id, again.request_id) == (None, None)


async def test_a_payment_whose_answer_is_lost_is_made_once(shop: Shop) -> None:
    owed = await owe(shop)
    await lose_answers(shop, f"/v1/invoices/{owed.id}/pay")
    with pytest.raises(ProviderUnreachable) as lost:
        await shop.port.charge_invoice(owed.id, "key")
    assert not lost.value.outcome_known
    assert (await shop.port.charge_invoice(owed.id, "key")).invoice.status == "paid"
    assert len(await attempts(shop)) == 1


async def test_a_payment_that_was_lost_is_found_long_after_its_key_is_forgotten(
    shop: Shop,
) -> None:
    owed = await owe(shop)
    await lose_answers(shop, f"/v1/invoices/{owed.id}/pay")
    with pytest.raises(ProviderUnreachable):
        await shop.port.charge_invoice(owed.id, "key")
    # Nothing may be posted now: the payment is found by looking alone.
    await fail_requests(shop, 500, "/v1/invoices/")
    assert (await shop.port.charge_invoice(owed.id, "a later key")).invoice.status == "paid"


async def test_a_refused_card_says_why_in_every_way_that_was_told(shop: Shop) -> None:
    owed = await owe(shop)
    await shop.set(fail_next_charges=1, fail_with="insufficient_funds")
    with pytest.raises(CardRefused) as refused:
        await shop.port.charge_invoice(owed.id, "key")
    error = refused.value
    assert (error.decline_code, error.network_decline_code) == ("insufficient_funds", "51")
    assert error.advice == "02"
    assert error.request_id
    assert error.outcome_known
    [attempt] = await attempts(shop)
    assert (error.charge_id, error.payment_intent_id) == (attempt.id, attempt.payment_intent_id)
    assert await shop.port.fetch_attempt(attempt.id) == attempt
    assert (attempt.status, attempt.amount) == ("failed", 3000)
    assert (attempt.failure_code, attempt.decline_code) == ("card_declined", "insufficient_funds")
    assert attempt.advice_code == "try_again_later"
    assert (attempt.network_decline_code, attempt.network_advice_code) == ("51", "02")
    assert (attempt.network, bool(attempt.fingerprint)) == ("visa", True)


async def test_a_refusal_whose_answer_is_lost_is_the_same_refusal_afterwards(shop: Shop) -> None:
    owed = await owe(shop, "pm_card_chargeCustomerFail")
    await lose_answers(shop, f"/v1/invoices/{owed.id}/pay")
    with pytest.raises(ProviderUnreachable):
        await shop.port.charge_invoice(owed.id, "key")
    with pytest.raises(CardRefused):
        await shop.port.charge_invoice(owed.id, "key")
    assert len(await attempts(shop)) == 1


async def test_another_method_can_be_charged_than_the_default(shop: Shop) -> None:
    owed = await owe(shop, "pm_card_chargeCustomerFail")
    good = await shop.sdk.payment_methods.attach_async(
        "pm_card_mastercard", {"customer": owed.customer_id}
    )
    assert (await shop.port.charge_invoice(owed.id, "key", good.id)).invoice.status == "paid"
    [attempt] = await attempts(shop)
    assert attempt.payment_method_id == good.id


@pytest.mark.parametrize("present", [False, True])
async def test_a_bank_that_wants_the_customer_is_an_error_of_its_own(
    shop: Shop, present: bool
) -> None:
    owed = await owe(shop, "pm_card_authenticationRequired")
    with pytest.raises(NeedsAuthentication) as needs:
        await shop.port.charge_invoice(owed.id, "key", customer_present=present)
    # In their absence it was tried and refused; in their presence it waits for them.
    tried = [attempt.id for attempt in await attempts(shop)]
    assert tried == ([] if present else [needs.value.charge_id])
    assert (needs.value.charge_id is None) == present
    assert needs.value.payment_intent_id == owed.payments[0].payment_intent_id
    if not present:
        assert needs.value.decline_code == "authentication_required"
    invoice = await shop.port.fetch_invoice(owed.id)
    assert invoice is not None
    assert invoice.status == "open"


@pytest.mark.parametrize("whose", ["another's", "nobody's any more", "nobody's at all"])
async def test_a_method_that_is_not_the_customer_s_is_refused_and_nobody_charged(
    shop: Shop, whose: str
) -> None:
    owed = await owe(shop)
    customer = await shop.add_customer("grace@example.com")
    method = await shop.set_card(customer, "pm_card_mastercard")
    if whose == "nobody's any more":
        await shop.port.detach_payment_method(method, "detach")
    elif whose == "nobody's at all":
        method = "pm_none"
    with pytest.raises(ProviderRefused) as refused:
        await shop.port.charge_invoice(owed.id, "key", method)
    assert (refused.value.outcome_known, refused.value.parameter) == (True, "payment_method")
    assert await attempts(shop) == []


async def test_an_invoice_s_attempts_are_told_newest_first_and_nobody_else_s(shop: Shop) -> None:
    other, owed = await owe(shop), await owe(shop)
    await shop.port.charge_invoice(other.id, "other")
    assert await shop.port.list_invoice_attempts(owed.id) == []
    await shop.set(fail_next_charges=2, fail_with="insufficient_funds")
    refusals = []
    for key in ("one", "two"):
        with pytest.raises(CardRefused) as refused:
            await shop.port.charge_invoice(owed.id, key)
        refusals.append(refused.value.charge_id)
    await shop.port.charge_invoice(owed.id, "three")
    told = await shop.port.list_invoice_attempts(owed.id)
    assert [attempt.status for attempt in told] == ["succeeded", "failed", "failed"]
    assert [attempt.id for attempt in told[1:]] == refusals[::-1]
    assert told == [await shop.port.fetch_attempt(attempt.id) for attempt in told]
    with pytest.raises(ProviderRefused) as missing:
        await shop.port.list_invoice_attempts("in_none")
    assert missing.value.provider_code == "resource_missing"


async def test_a_payment_takes_one_look_and_one_charge(sandbox: str, stripe_key: str) -> None:
    sent: list[tuple[str, str]] = []

    class Counting(Transport):
        async def request_async(
            self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
        ) -> Answer:
            sent.append((method.upper(), urlsplit(url).path))
            return await super().request_async(method, url, headers, post_data)

    async with open_shop(sandbox, stripe_key) as shop:
        owed = await owe(shop)
        transport = Counting()
        await Stripe(stripe_key, sandbox, transport).charge_invoice(owed.id, "key")
        await transport.close_async()
    invoice = f"/v1/invoices/{owed.id}"
    assert sent == [("GET", invoice), ("POST", f"{invoice}/pay")]


async def test_a_charge_tells_by_whose_request_it_was_made(shop: Shop) -> None:
    owed = await owe(shop)
    await shop.set(fail_next_charges=1, fail_with="insufficient_funds")
    with pytest.raises(CardRefused):
        await shop.port.charge_invoice(owed.id, "refused")
    links = await shop.port.invoice_links(owed.id)
    assert links is not None
    assert links.hosted_url
    [method] = [each async for each in shop.port.list_payment_methods(owed.customer_id or "")]
    await submit(links.hosted_url, method=method.id)
    paid, refused = await shop.port.list_invoice_attempts(owed.id)
    assert (paid.status, paid.payment_method_id) == ("succeeded", refused.payment_method_id)
    assert await shop.port.was_asked_for(refused, "refused") is True
    assert await shop.port.was_asked_for(refused, "another key") is False
    assert await shop.port.was_asked_for(paid, "refused") is False
    # As after 30 days, when its events are gone.
    forgotten = msgspec.structs.replace(paid, id="ch_forgotten")
    assert await shop.port.was_asked_for(forgotten, "refused") is None


async def test_a_card_that_wants_its_customer_only_when_present_is_charged_in_their_absence(
    shop: Shop,
) -> None:
    card = "pm_card_authenticationRequiredSetupForOffSession"
    paid = await shop.port.charge_invoice((await owe(shop, card)).id, "one")
    assert paid.invoice.status == "paid"
    with pytest.raises(NeedsAuthentication):
        await shop.port.charge_invoice((await owe(shop, card)).id, "two", customer_present=True)


async def test_invoices_are_settled_in_other_ways_and_that_may_be_repeated(shop: Shop) -> None:
    given_up, dropped = await owe(shop), await owe(shop)
    for key in ("one", "one", "two"):
        left = await shop.port.mark_uncollectible(given_up.id, f"give up {key}")
        assert left.status == "uncollectible"
        void = await shop.port.void_invoice(dropped.id, f"void {key}")
        assert void.status == "void"
        assert (await shop.port.finalize_invoice(dropped.id, f"final {key}")).status == "void"


@pytest.mark.parametrize("call", ["finalize_invoice", "void_invoice", "mark_uncollectible"])
async def test_a_settling_whose_answer_is_lost_is_repeated_without_harm(
    shop: Shop, call: str
) -> None:
    owed = await owe(shop)
    invoice = owed.id
    if call == "finalize_invoice":
        draft = await shop.sdk.invoices.create_async({"customer": owed.customer_id})
        invoice = draft.id
    await lose_answers(shop, f"/v1/invoices/{invoice}")
    with pytest.raises(ProviderUnreachable):
        await getattr(shop.port, call)(invoice, "key")
    settled = await getattr(shop.port, call)(invoice, "key")
    assert settled == await shop.port.fetch_invoice(invoice)


async def test_what_cannot_be_done_with_an_invoice_is_refused(shop: Shop) -> None:
    paid = await shop.port.charge_invoice((await owe(shop)).id, "pay")
    with pytest.raises(ProviderRefused):
        await shop.port.void_invoice(paid.invoice.id, "void")
    for call in (shop.port.void_invoice, shop.port.finalize_invoice, shop.port.charge_invoice):
        with pytest.raises(ProviderRefused) as missing:
            await call("in_none", f"missing {call.__name__}")
        assert missing.value.provider_code == "resource_missing"


async def test_refunds_of_a_payment_are_listed(shop: Shop) -> None:
    paid = await shop.port.charge_invoice((await owe(shop)).id, "pay")
    intent = paid.payment_intent_id
    assert intent is not None
    assert await shop.port.list_refunds(intent) == []
    for amount in (500, 700):
        await shop.sdk.refunds.create_async({"payment_intent": intent, "amount": amount})
    later, earlier = await shop.port.list_refunds(intent)
    assert (later.amount.amount, earlier.amount.amount) == (700, 500)
    [attempt] = await attempts(shop)
    assert (later.attempt_id, later.payment_intent_id) == (attempt.id, intent)
    assert (later.status, attempt.amount_refunded) == ("succeeded", 1200)


async def test_credit_notes_of_a_customer_are_listed(shop: Shop) -> None:
    owed = await owe(shop)
    assert await shop.port.list_credit_notes(owed.customer_id) == []
    note = await shop.sdk.credit_notes.create_async(
        {"invoice": owed.id, "amount": 1000, "memo": "Sorry", "reason": "product_unsatisfactory"}
    )
    [listed] = await shop.port.list_credit_notes(owed.customer_id)
    assert (listed.id, listed.invoice_id) == (note.id, owed.id)
    assert (listed.amount.amount, listed.amount.currency) == (1000, "eur")
    assert (listed.status, listed.memo) == ("issued", "Sorry")
    assert (listed.reason, bool(listed.pdf_url)) == ("product_unsatisfactory", True)
    assert await shop.port.list_credit_notes("cus_none") == []
