"""Billing a subscription: from its lines to an invoice, and from the invoice to a payment."""

from collections.abc import Sequence

from stripe_sandbox.catalog.discounts import discount_lines
from stripe_sandbox.invoices.invoice_items import pending_items
from stripe_sandbox.invoices.invoice_lines import cycle_description, item_line, pending_line
from stripe_sandbox.invoices.invoices import (
    claim_pending,
    finalize,
    mark_uncollectible,
    new_invoice,
    void,
)
from stripe_sandbox.passing_time.calendar import Period
from stripe_sandbox.payments.cards import Decline
from stripe_sandbox.payments.payments import attempt, open_payment, settle
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.debits import record, record_lines
from stripe_sandbox.subscriptions.prorations import Debit
from stripe_sandbox.subscriptions.standing import after_failure, after_payment
from stripe_sandbox.subscriptions.subscription_items import amount_of


def period_line(unit: Unit, subscription: Document, item: Document, period: Period) -> Document:
    """The line that bills an item for a period in advance."""
    amount = amount_of(subscription, item, period)
    return item_line(subscription, item, period, amount, cycle_description(unit, item))


def issue(
    unit: Unit,
    subscription: Document,
    lines: Sequence[Document],
    reason: str,
    period: Period | None = None,
) -> Document:
    """A draft with these lines and all that is pending; the caller saves the subscription."""
    customer = unit.need("customer", subscription["customer"])
    pending = [pending_line(item) for item in pending_items(unit, subscription)]
    every = [*pending, *lines]
    discount_lines(unit, subscription, every)
    invoice = new_invoice(unit, customer, every, reason, subscription=subscription, period=period)
    _remember_debits(subscription, invoice, lines)
    record_lines(subscription, invoice)
    claim_pending(unit, invoice)
    pause = subscription["pause_collection"]
    if pause and pause["behavior"] == "keep_as_draft":
        invoice.update(auto_advance=False, automatically_finalizes_at=None)
    if subscription["days_until_due"] is not None:
        invoice["due_date"] = invoice["created"] + subscription["days_until_due"] * 86_400
    unit.add(invoice, "invoice.created")
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def _remember_debits(subscription: Document, invoice: Document, lines: Sequence[Document]) -> None:
    for line in lines:
        item = line["parent"]["subscription_item_details"]["subscription_item"]
        net = line["amount"] - sum(part["amount"] for part in line["discount_amounts"])
        debit = Debit(
            net, line["period"]["start"], line["period"]["end"], invoice["id"], line["id"]
        )
        record(subscription, {"id": item}, debit, anew=True)


def collect(unit: Unit, invoice: Document, *, attempts: bool = True) -> Decline | None:
    """Finalize a draft and charge it, unless its subscription's collection is paused."""
    details = (invoice["parent"] or {}).get("subscription_details")
    subscription = unit.find("subscription", details["subscription"]) if details else None
    pause = subscription["pause_collection"] if subscription else None
    if pause and pause["behavior"] == "keep_as_draft":
        return None
    finalize(unit, invoice)
    if pause and invoice["status"] == "open":
        (void if pause["behavior"] == "void" else mark_uncollectible)(unit, invoice)
    elif invoice["status"] == "open":
        open_payment(unit, invoice)
        if invoice["collection_method"] == "send_invoice":
            unit.emit("invoice.sent", invoice)
        elif attempts:
            return charge(unit, invoice)
    if invoice["status"] == "paid":
        after_payment(unit, invoice)
    return None


def charge(
    unit: Unit,
    invoice: Document,
    method: str | None = None,
    *,
    automatic: bool = True,
    off_session: bool | None = None,
    return_url: str | None = None,
) -> Decline | None:
    """Try to take the money of an open invoice, and let the subscription follow."""
    refused = attempt(
        unit, invoice, method, automatic=automatic, off_session=off_session, return_url=return_url
    )
    _let_subscription_follow(unit, invoice, refused)
    return refused


def follow(unit: Unit, intent: Document, refused: Decline | None) -> None:
    """Let an invoice and its subscription follow what became of the invoice's payment intent."""
    if invoice := unit.find("invoice", intent["_invoice"]):
        settle(unit, invoice, refused)
        _let_subscription_follow(unit, invoice, refused)


def _let_subscription_follow(unit: Unit, invoice: Document, refused: Decline | None) -> None:
    if refused:
        # Who is sent an invoice owes nothing before it is due, however often a card is refused.
        if invoice["collection_method"] == "charge_automatically":
            after_failure(unit, invoice)
    elif invoice["status"] == "paid":
        after_payment(unit, invoice)
