"""Credit notes: what an invoice came to is put right after it was finalized.

A credit note first lessens what is still to be paid; what goes beyond that is refunded, credited
to the customer's balance, or settled elsewhere (https://docs.stripe.com/api/credit_notes/create).
"""

from stripe_sandbox.catalog.pricing import money
from stripe_sandbox.customers.balances import move_balance
from stripe_sandbox.invoices.credit_note_lines import credited_lines
from stripe_sandbox.invoices.invoices import mark_paid
from stripe_sandbox.payments.intents import cancel_payment
from stripe_sandbox.payments.refunds import make_refund, settle_refund
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.state.documents import (
    Document,
    list_of,
    merged_metadata,
    new_id,
    new_token,
    public,
)
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.standing import after_payment

_SHOWN = 10


def issue_credit_note(unit: Unit, params: Document) -> Document:
    """A credit note and all that follows from it: less due, a refund, a credit."""
    invoice = unit.need("invoice", params["invoice"], "invoice")
    if invoice["status"] in ("draft", "void"):
        raise invalid(
            f"You cannot create a credit note for an invoice with status {invoice['status']}.",
            "invoice",
        )
    note = _new_note(unit, invoice, params)
    _set_lines(note, credited_lines(unit, invoice, params))
    _check_amount(unit, invoice, note["total"])
    before = min(note["total"], invoice["amount_remaining"])
    after = note["total"] - before
    note.update(pre_payment_amount=before, post_payment_amount=after, type=_type(before, after))
    _check_settled(unit, note, params)
    unit.add(note)
    _settle_after_payment(unit, invoice, note, params)
    unit.update(note)
    unit.emit("credit_note.created", note)
    _lessen(unit, invoice, before, after)
    return note


def _type(before: int, after: int) -> str:
    if before and after:
        return "mixed"
    return "post_payment" if after else "pre_payment"


def _new_note(unit: Unit, invoice: Document, params: Document) -> Document:
    identifier, token = new_id("cn"), new_token(32)
    count = sum(1 for _ in unit.every("credit_note", tag=invoice["id"])) + 1
    now = unit.now(invoice)
    return {
        "id": identifier,
        "object": "credit_note",
        "amount_shipping": 0,
        "created": now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "customer_balance_transaction": None,
        "effective_at": params.get("effective_at") or now,
        "invoice": invoice["id"],
        "livemode": False,
        "memo": params.get("memo"),
        "metadata": merged_metadata({}, params.get("metadata")),
        "number": f"{invoice['number']}-CN-{count:02d}",
        "out_of_band_amount": params.get("out_of_band_amount"),
        "pdf": f"{unit.base_url}/credit_notes/{unit.account.id}/{identifier}/{token}/pdf",
        "reason": params.get("reason"),
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "total_taxes": [],
        "voided_at": None,
        "_clock": invoice["test_clock"],
        "_token": token,
    }


def _set_lines(note: Document, lines: list[Document]) -> None:
    by_discount: dict[str, int] = {}
    for part in [part for line in lines for part in line["discount_amounts"]]:
        by_discount[part["discount"]] = by_discount.get(part["discount"], 0) + part["amount"]
    subtotal = sum(line["amount"] for line in lines)
    discount = sum(by_discount.values())
    amounts = [{"amount": part, "discount": name} for name, part in by_discount.items()]
    note.update(
        _lines=lines,
        lines=list_of(
            lines[:_SHOWN], f"/v1/credit_notes/{note['id']}/lines", has_more=len(lines) > _SHOWN
        ),
        amount=subtotal - discount,
        discount_amount=discount,
        discount_amounts=amounts,
        pretax_credit_amounts=[{**each, "type": "discount"} for each in amounts],
        subtotal=subtotal,
        subtotal_excluding_tax=subtotal,
        total=subtotal - discount,
        total_excluding_tax=subtotal - discount,
    )


def _check_amount(unit: Unit, invoice: Document, total: int) -> None:
    issued = [
        note["total"]
        for note in unit.every("credit_note", tag=invoice["id"])
        if note["status"] == "issued"
    ]
    left = invoice["total"] - sum(issued)
    if total < 1 or total > left:
        most, asked = money(left, invoice["currency"]), money(total, invoice["currency"])
        raise invalid(
            f"The credit note amount ({asked}) must be greater than zero and not more than what "
            f"is left of the invoice ({most}).",
            "amount",
        )


def _check_settled(unit: Unit, note: Document, params: Document) -> None:
    linked = [
        each.get("amount_refunded") or unit.need("refund", each["refund"], "refunds")["amount"]
        for each in params.get("refunds") or []
    ]
    names = ("refund_amount", "credit_amount", "out_of_band_amount")
    given = sum(params.get(name) or 0 for name in names) + sum(linked)
    if given != note["post_payment_amount"]:
        sums = [money(each, note["currency"]) for each in (given, note["post_payment_amount"])]
        raise invalid(
            f"The sum of credit amount, refund amount and out of band amount ({sums[0]}) must "
            f"equal the credit note amount ({sums[1]}).",
        )


def _settle_after_payment(unit: Unit, invoice: Document, note: Document, params: Document) -> None:
    for each in params.get("refunds") or []:
        refund = unit.need("refund", each["refund"], "refunds")
        _link(note, refund, each.get("amount_refunded") or refund["amount"])
    if wanted := params.get("refund_amount"):
        intent = unit.find("payment_intent", invoice["_payment_intent"])
        charge = unit.find("charge", intent["latest_charge"]) if intent else None
        if charge is None:
            raise invalid("The invoice has no charge to refund.", "refund_amount")
        refund = make_refund(unit, charge, wanted)
        _link(note, refund, wanted)
        settle_refund(unit, refund)
    if credit := params.get("credit_amount"):
        customer = unit.need("customer", invoice["customer"])
        moved = move_balance(
            unit, customer, -credit, "credit_note", currency=invoice["currency"],
            invoice=invoice["id"], credit_note=note["id"],
        )  # fmt: skip
        unit.update(customer, "customer.updated")
        note["customer_balance_transaction"] = moved["id"]


def _link(note: Document, refund: Document, amount: int) -> None:
    note["refunds"].append(
        {
            "amount_refunded": amount,
            "payment_record_refund": None,
            "refund": refund["id"],
            "type": "refund",
        }
    )


def _lessen(unit: Unit, invoice: Document, before: int, after: int) -> None:
    """The invoice follows: what nothing is left of is paid."""
    invoice["pre_payment_credit_notes_amount"] += before
    invoice["post_payment_credit_notes_amount"] += after
    if before:
        _owe_less(unit, invoice, before)
    if before and not invoice["amount_remaining"]:
        mark_paid(unit, invoice)
        after_payment(unit, invoice)
    else:
        unit.update(invoice, "invoice.updated")


def _owe_less(unit: Unit, invoice: Document, amount: int) -> None:
    """Less is due (more, for a negative amount), and the open payment asks for as much."""
    invoice["amount_due"] -= amount
    invoice["amount_remaining"] -= amount
    left = invoice["amount_remaining"]
    intent = unit.find("payment_intent", invoice["_payment_intent"])
    if not left:
        cancel_payment(unit, invoice, "void_invoice")
    elif intent and intent["status"] not in ("succeeded", "canceled"):
        intent["amount"] = left
        unit.update(intent)
        for payment in list(unit.every("invoice_payment", owner=invoice["id"])):
            payment["amount_requested"] = left
            unit.update(payment)


def void_note(unit: Unit, note: Document) -> Document:
    """As if it had never been: only while its invoice is open, for money moves no more."""
    invoice = unit.need("invoice", note["invoice"])
    if note["status"] == "void":
        raise invalid("This credit note has already been voided.")
    if note["post_payment_amount"] or invoice["status"] not in ("open", "uncollectible"):
        raise invalid(
            "You can only void a credit note whose invoice is open: this one's is "
            f"{invoice['status']}.",
        )
    note.update(status="void", voided_at=unit.now(invoice))
    unit.update(note)
    unit.emit("credit_note.voided", note)
    invoice["pre_payment_credit_notes_amount"] -= note["pre_payment_amount"]
    _owe_less(unit, invoice, -note["pre_payment_amount"])
    unit.update(invoice, "invoice.updated")
    return public(note)
