"""Refunds and credit notes: money back, and invoices put right."""

from typing import Any

import httpx
import pytest
import stripe

from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import Shop, open_shop


async def _paid(account: Account, amount: int = 1_000, card: str = "pm_card_visa") -> Shop:
    shop = await open_shop(account, card)
    await shop.subscribe(await shop.price(amount))
    return shop


async def _charge(account: Account) -> stripe.Charge:
    found: stripe.Charge = (await account.v1.charges.list_async()).data[0]
    return found


async def _open_invoice(account: Account, amount: int = 1_000) -> tuple[Shop, stripe.Invoice]:
    shop = await open_shop(account)
    await shop.refuse_card("generic_decline")
    await shop.subscribe(await shop.price(amount), payment_behavior="allow_incomplete")
    (invoice,) = await shop.invoices()
    return shop, invoice


async def test_a_charge_is_refunded_in_parts_and_then_whole(account: Account) -> None:
    await _paid(account)
    charge = await _charge(account)
    first = await account.v1.refunds.create_async(
        {"charge": charge.id, "amount": 400, "reason": "requested_by_customer"}
    )
    assert (first.status, first.amount, first.reason) == (
        "succeeded", 400, "requested_by_customer",
    )  # fmt: skip
    part = await _charge(account)
    assert (part.amount_refunded, part.refunded) == (400, False)
    await account.v1.refunds.create_async({"payment_intent": str(charge.payment_intent)})
    whole = await _charge(account)
    assert (whole.amount_refunded, whole.refunded) == (1_000, True)
    listed = await account.v1.refunds.list_async({"charge": charge.id})
    assert [each.amount for each in listed.data] == [600, 400]
    by_intent = await account.v1.refunds.list_async({"payment_intent": str(charge.payment_intent)})
    assert by_intent.data == listed.data
    shown = await account.v1.charges.retrieve_async(charge.id, {"expand": ["refunds"]})
    assert shown.refunds
    assert [each.id for each in shown.refunds.data] == [each.id for each in listed.data]
    events = (await account.v1.events.list_async({"limit": 100})).data
    told = [e.type for e in events if e.type in ("charge.refunded", "refund.created")]
    assert sorted(told) == ["charge.refunded"] * 2 + ["refund.created"] * 2


@pytest.mark.parametrize(
    ("params", "code", "words"),
    [
        ({"amount": "1001"}, None, "is greater than unrefunded amount on charge ($10.00)"),
        ({"amount": "0"}, "parameter_invalid_integer", "Invalid positive integer"),
        ({"reason": "because"}, None, "must be one of"),
    ],
)
async def test_a_refund_that_cannot_be_made_is_refused(
    account: Account, params: dict[str, Any], code: str | None, words: str
) -> None:
    await _paid(account)
    charge = await _charge(account)
    answer = await account.http.post("/v1/refunds", data={"charge": charge.id, **params})
    error = answer.json()["error"]
    assert (answer.status_code, error.get("code")) == (400, code)
    assert words in error["message"]
    assert (await account.v1.refunds.list_async()).data == []


async def test_what_is_refunded_already_is_not_refunded_again(account: Account) -> None:
    await _paid(account)
    charge = await _charge(account)
    refund = await account.v1.refunds.create_async({"charge": charge.id})
    with pytest.raises(stripe.InvalidRequestError) as again:
        await account.v1.refunds.create_async({"charge": charge.id})
    assert again.value.code == "charge_already_refunded"
    with pytest.raises(stripe.InvalidRequestError) as late:
        await account.v1.refunds.cancel_async(refund.id)
    assert late.value.http_status == 400


async def test_a_refund_can_fail_after_it_was_made(account: Account) -> None:
    await _paid(account, card="pm_card_refundFail")
    charge = await _charge(account)
    refund = await account.v1.refunds.create_async({"charge": charge.id})
    assert refund.status == "succeeded"
    later = await account.v1.refunds.retrieve_async(refund.id)
    assert (later.status, later.failure_reason) == ("failed", "unknown")
    assert (await _charge(account)).amount_refunded == 0
    assert (await account.v1.events.list_async({"type": "refund.failed"})).data


async def test_a_credit_note_lessens_an_open_invoice(account: Account) -> None:
    _, invoice = await _open_invoice(account)
    note = await account.v1.credit_notes.create_async(
        {"invoice": invoice.id, "amount": 300, "reason": "order_change", "memo": "Sorry"}
    )
    assert (note.type, note.pre_payment_amount, note.post_payment_amount) == (
        "pre_payment", 300, 0,
    )  # fmt: skip
    assert note.number == f"{invoice.number}-CN-01"
    changed = await account.v1.invoices.retrieve_async(invoice.id)
    assert (changed.amount_due, changed.amount_remaining, changed.total) == (700, 700, 1_000)
    assert changed.pre_payment_credit_notes_amount == 300
    voided = await account.v1.credit_notes.void_credit_note_async(note.id)
    assert voided.status == "void"
    restored = await account.v1.invoices.retrieve_async(invoice.id)
    assert (restored.amount_due, restored.pre_payment_credit_notes_amount) == (1_000, 0)
    types = [event.type for event in (await account.v1.events.list_async()).data]
    assert {"credit_note.created", "credit_note.voided"} <= set(types)


async def test_a_lessened_invoice_is_paid_with_what_is_left(account: Account) -> None:
    _, invoice = await _open_invoice(account)
    await account.v1.credit_notes.create_async({"invoice": invoice.id, "amount": 300})
    (intent,) = (await account.v1.payment_intents.list_async()).data
    assert intent.amount == 700
    await account.set(declines={})
    paid = await account.v1.invoices.pay_async(invoice.id)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 700, 0)
    assert (await _charge(account)).amount == 700


async def test_a_wholly_credited_invoice_is_paid(account: Account) -> None:
    _, invoice = await _open_invoice(account)
    await account.v1.credit_notes.create_async({"invoice": invoice.id, "amount": 1_000})
    paid = await account.v1.invoices.retrieve_async(invoice.id)
    assert (paid.status, paid.amount_paid) == ("paid", 0)
    (subscription,) = (await account.v1.subscriptions.list_async()).data
    assert subscription.status == "active"


async def test_a_credit_note_for_a_paid_invoice_says_where_the_money_goes(
    account: Account,
) -> None:
    shop = await _paid(account)
    (invoice,) = await shop.invoices()
    with pytest.raises(stripe.InvalidRequestError) as unsettled:
        await account.v1.credit_notes.create_async({"invoice": invoice.id, "amount": 600})
    assert "($0.00) must equal the credit note amount ($6.00)" in str(unsettled.value)
    note = await account.v1.credit_notes.create_async(
        {
            "invoice": invoice.id,
            "amount": 600,
            "refund_amount": 300,
            "credit_amount": 200,
            "out_of_band_amount": 100,
        }
    )
    assert (note.type, note.post_payment_amount, note.out_of_band_amount) == (
        "post_payment", 600, 100,
    )  # fmt: skip
    assert [each.amount_refunded for each in note.refunds] == [300]
    assert (await _charge(account)).amount_refunded == 300
    assert (await account.v1.customers.retrieve_async(shop.customer)).balance == -200
    moved = (await account.v1.customers.balance_transactions.list_async(shop.customer)).data[0]
    assert (moved.type, moved.credit_note, moved.id) == (
        "credit_note", note.id, note.customer_balance_transaction,
    )  # fmt: skip
    changed = await account.v1.invoices.retrieve_async(invoice.id)
    assert (changed.post_payment_credit_notes_amount, changed.amount_paid) == (600, 1_000)
    with pytest.raises(stripe.InvalidRequestError):
        await account.v1.credit_notes.void_credit_note_async(note.id)
    with pytest.raises(stripe.InvalidRequestError):
        await account.v1.credit_notes.create_async(
            {"invoice": invoice.id, "amount": 401, "credit_amount": 401}
        )


async def test_a_credit_note_takes_lines_with_their_discounts(account: Account) -> None:
    shop = await open_shop(account)
    coupon = await account.v1.coupons.create_async({"percent_off": 10, "duration": "once"})
    await shop.subscribe(await shop.price(500), quantity=4, discounts=[{"coupon": coupon.id}])
    (invoice,) = await shop.invoices()
    assert invoice.total == 1_800
    line = invoice.lines.data[0].id
    wanted: Any = {
        "invoice": invoice.id,
        "lines": [{"type": "invoice_line_item", "invoice_line_item": line, "quantity": 1}],
    }
    wanted["credit_amount"] = 450
    preview = await account.v1.credit_notes.preview_async(wanted)
    assert (preview.subtotal, preview.discount_amount, preview.total) == (500, 50, 450)
    assert (await account.v1.credit_notes.list_async({"invoice": invoice.id})).data == []
    note = await account.v1.credit_notes.create_async(wanted)
    assert (note.total, note.lines.data[0].invoice_line_item) == (450, line)
    lines = await account.v1.credit_notes.line_items.list_async(note.id)
    assert [each.amount for each in lines.data] == [500]


async def test_a_credit_note_links_a_refund_that_was_made(account: Account) -> None:
    shop = await _paid(account)
    (invoice,) = await shop.invoices()
    refund = await account.v1.refunds.create_async(
        {"charge": (await _charge(account)).id, "amount": 250}
    )
    note = await account.v1.credit_notes.create_async(
        {"invoice": invoice.id, "amount": 250, "refunds": [{"refund": refund.id}]}
    )
    assert [(each.refund, each.amount_refunded) for each in note.refunds] == [(refund.id, 250)]
    assert (await _charge(account)).amount_refunded == 250


async def test_papers_name_merchant_and_customer(account: Account) -> None:
    await account.set(name="Acme GmbH", address=["2 Harbour Road"], email="bills@acme.example")
    shop = await open_shop(account)
    await account.v1.customers.update_async(
        shop.customer, {"address": {"line1": "1 Main Street", "city": "Paris", "country": "FR"}}
    )
    await account.v1.customers.tax_ids.create_async(
        shop.customer, {"type": "eu_vat", "value": "FRAB123456789"}
    )
    await shop.subscribe(await shop.price(1_000))
    (invoice,) = await shop.invoices()
    note = await account.v1.credit_notes.create_async(
        {"invoice": invoice.id, "amount": 100, "credit_amount": 100, "memo": "Goodwill"}
    )
    async with httpx.AsyncClient() as visitor:
        bill = (await visitor.get(str(invoice.invoice_pdf))).content
        credit = (await visitor.get(note.pdf)).content
    for paper in (bill, credit):
        for words in ("Acme GmbH", "2 Harbour Road", "bills@acme.example", "Ada Lovelace",
                      "1 Main Street", "EU VAT FRAB123456789"):  # fmt: skip
            assert words.encode() in paper, words
    assert note.number.encode() in credit
    assert b"Goodwill" in credit
