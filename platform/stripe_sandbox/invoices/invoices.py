"""Invoices: from draft over open to paid, void or uncollectible."""

from collections.abc import Sequence

from stripe_sandbox.customers.addressees import addressee, invoice_defaults
from stripe_sandbox.customers.balances import move_balance
from stripe_sandbox.passing_time.calendar import Period
from stripe_sandbox.payments.intents import cancel_payment
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.state.blanks import blank
from stripe_sandbox.state.documents import Document, list_of, new_id, new_token, public
from stripe_sandbox.state.unit import Unit

# Renewal invoices stay drafts for about an hour, so that they can still be changed
# (https://docs.stripe.com/billing/invoices/subscription).
DRAFT_SECONDS = 3_600
_LINES_SHOWN = 10


def new_invoice(
    unit: Unit,
    customer: Document,
    lines: Sequence[Document],
    reason: str,
    *,
    subscription: Document | None = None,
    period: Period | None = None,
    currency: str = "usd",
) -> Document:
    """A draft with its sums; nothing is saved yet."""
    now = unit.now(customer)
    period = period or Period(now, now)
    invoice: Document = {
        **blank("invoice"),
        **addressee(unit, customer),
        **invoice_defaults(customer),
        "id": new_id("in"),
        "account_name": unit.account.settings["name"],
        "automatically_finalizes_at": now + DRAFT_SECONDS,
        "billing_reason": reason,
        "created": now,
        "currency": subscription["currency"] if subscription else currency,
        "period_end": period.end,
        "period_start": period.start,
        "starting_balance": customer["balance"],
        "test_clock": customer["test_clock"],
        "_token": new_token(32),
    }
    if subscription:
        _belong(invoice, subscription)
    set_lines(invoice, lines)
    return invoice


def _belong(invoice: Document, subscription: Document) -> None:
    invoice["parent"] = {
        "type": "subscription_details",
        "quote_details": None,
        "subscription_details": {
            "metadata": dict(subscription["metadata"]),
            "subscription": subscription["id"],
        },
    }
    invoice["collection_method"] = subscription["collection_method"]
    invoice["description"] = subscription["description"]


def subscription_of(invoice: Document) -> str | None:
    """The id of the subscription that an invoice bills."""
    details = (invoice["parent"] or {}).get("subscription_details")
    return details["subscription"] if details else None


def set_lines(invoice: Document, lines: Sequence[Document]) -> None:
    """Put lines on a draft and sum them up; the first ten show in the invoice itself."""
    for line in lines:
        line["invoice"] = invoice["id"]
    invoice["_lines"] = list(lines)
    invoice["lines"] = list_of(
        [public(line) for line in lines[:_LINES_SHOWN]],
        f"/v1/invoices/{invoice['id']}/lines",
        has_more=len(lines) > _LINES_SHOWN,
        total=len(lines),
    )
    discounted = [amount for line in lines for amount in line["discount_amounts"]]
    by_discount: dict[str, int] = {}
    for amount in discounted:
        by_discount[amount["discount"]] = by_discount.get(amount["discount"], 0) + amount["amount"]
    invoice["total_discount_amounts"] = [
        {"amount": amount, "discount": discount} for discount, amount in by_discount.items()
    ]
    invoice["total_pretax_credit_amounts"] = [
        {"amount": amount, "discount": discount, "type": "discount"}
        for discount, amount in by_discount.items()
    ]
    subtotal = sum(line["amount"] for line in lines)
    total = subtotal - sum(by_discount.values())
    invoice.update(
        subtotal=subtotal, subtotal_excluding_tax=subtotal, total=total, total_excluding_tax=total
    )
    _owe(invoice)


def _owe(invoice: Document) -> None:
    """What is to be paid once the customer's balance is taken into account."""
    due = max(0, invoice["total"] + invoice["starting_balance"])
    invoice.update(amount_due=due, amount_remaining=due - invoice["amount_paid"])


def claim_pending(unit: Unit, invoice: Document) -> None:
    """The pending items on an invoice are pending no more."""
    for line in invoice["_lines"]:
        if identifier := line.pop("_pending", None):
            pending = unit.need("invoiceitem", identifier)
            pending["invoice"] = invoice["id"]
            unit.update(pending)


def finalize(unit: Unit, invoice: Document) -> Document:
    """Number it, settle it with the customer's balance and open it; nothing due is paid at once."""
    if invoice["status"] != "draft":
        raise invalid(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
            code="invoice_not_editable",
        )
    now = unit.now(invoice)
    customer = unit.need("customer", invoice["customer"])
    invoice.update(addressee(unit, customer))
    following = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    customer["next_invoice_sequence"] += invoice["number"] is None
    page = f"{unit.base_url}/i/{unit.account.id}/{invoice['id']}/{invoice['_token']}"
    invoice.update(
        status="open",
        number=invoice["number"] or following,
        effective_at=invoice["effective_at"] or now,
        automatically_finalizes_at=None,
        hosted_invoice_url=page,
        invoice_pdf=f"{page}/pdf",
    )
    if invoice["collection_method"] == "send_invoice" and invoice["due_date"] is None:
        invoice["due_date"] = now + 30 * 86_400
    invoice["status_transitions"]["finalized_at"] = now
    _apply_balance(unit, invoice, customer)
    unit.update(invoice, "invoice.updated")
    unit.emit("invoice.finalized", invoice)
    if not invoice["amount_due"]:
        mark_paid(unit, invoice)
    return invoice


def _apply_balance(unit: Unit, invoice: Document, customer: Document) -> None:
    """A credit lessens what is due, a debit is added to it; what is left stays a balance."""
    invoice["starting_balance"] = customer["balance"]
    _owe(invoice)
    invoice["ending_balance"] = min(0, invoice["total"] + invoice["starting_balance"])
    is_first = customer["currency"] is None
    customer["currency"] = customer["currency"] or invoice["currency"]
    applied = invoice["ending_balance"] - customer["balance"]
    if applied:
        move_balance(
            unit, customer, applied, "applied_to_invoice", currency=invoice["currency"],
            invoice=invoice["id"],
        )  # fmt: skip
    unit.update(customer, "customer.updated" if applied or is_first else None)


def mark_paid(unit: Unit, invoice: Document) -> None:
    """Close an invoice as paid."""
    invoice.update(
        status="paid",
        attempted=True,
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        auto_advance=False,
        next_payment_attempt=None,
    )
    invoice["status_transitions"]["paid_at"] = unit.now(invoice)
    unit.update(invoice, "invoice.updated")
    unit.emit("invoice.paid", invoice)
    unit.emit("invoice.payment_succeeded", invoice)


def close(unit: Unit, invoice: Document, status: str, transition: str, event: str) -> Document:
    """Void an invoice or give it up as uncollectible."""
    invoice.update(
        status=status,
        auto_advance=False,
        next_payment_attempt=None,
        automatically_finalizes_at=None,
    )
    if status == "void":
        invoice["amount_remaining"] = 0
        cancel_payment(unit, invoice, "void_invoice")
    invoice["status_transitions"][transition] = unit.now(invoice)
    unit.update(invoice, "invoice.updated")
    unit.emit(event, invoice)
    return invoice


def void(unit: Unit, invoice: Document) -> Document:
    """As if it had never been; what it took of the customer's balance goes back."""
    applied = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    if invoice["status_transitions"]["finalized_at"] and applied:
        customer = unit.need("customer", invoice["customer"])
        move_balance(
            unit, customer, -applied, "unapplied_from_invoice", currency=invoice["currency"],
            invoice=invoice["id"],
        )  # fmt: skip
        unit.update(customer, "customer.updated")
    return close(unit, invoice, "void", "voided_at", "invoice.voided")


def mark_uncollectible(unit: Unit, invoice: Document) -> Document:
    """Bad debt: it can still be paid."""
    return close(
        unit, invoice, "uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible"
    )
