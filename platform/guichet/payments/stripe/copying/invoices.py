"""Stripe's invoices as copies, with their lines and payments."""

import stripe

from guichet.payments.copies import InvoiceCopy, InvoicePaymentCopy, LineCopy
from guichet.payments.stripe.copying.values import moment, reference

#: What has to be expanded for a whole copy.
INVOICE = ["payments"]


def copy_invoice(invoice: stripe.Invoice) -> InvoiceCopy:
    """An invoice whose payments were expanded."""
    parent = invoice.parent
    details = parent.subscription_details if parent else None
    transitions = invoice.status_transitions
    return InvoiceCopy(
        id=invoice.id,
        customer_id=reference(invoice.customer) or "",
        subscription_id=reference(details.subscription) if details else None,
        number=invoice.number,
        status=invoice.status or "draft",  # type: ignore[arg-type]
        billing_reason=invoice.billing_reason,
        collection_method=invoice.collection_method,  # type: ignore[arg-type]
        currency=invoice.currency,
        subtotal=invoice.subtotal,
        total=invoice.total,
        amount_due=invoice.amount_due,
        amount_paid=invoice.amount_paid,
        amount_remaining=invoice.amount_remaining,
        attempt_count=invoice.attempt_count,
        next_payment_attempt_at=moment(invoice.next_payment_attempt),
        period_start_at=moment(invoice.period_start),
        period_end_at=moment(invoice.period_end),
        due_at=moment(invoice.due_date),
        finalized_at=moment(transitions.finalized_at),
        paid_at=moment(transitions.paid_at),
        voided_at=moment(transitions.voided_at),
        created_at=moment(invoice.created),
        lines=tuple(_line(line) for line in invoice.lines.data),
        payments=_payments(invoice),
    )


def _line(line: stripe.InvoiceLineItem) -> LineCopy:
    price = line.pricing.price_details if line.pricing else None
    return LineCopy(
        id=line.id,
        description=line.description,
        amount=line.amount,
        quantity=line.quantity,
        price_id=reference(price.price) if price else None,
        subscription_item_id=_item_id(line),
        period_start_at=moment(line.period.start),
        period_end_at=moment(line.period.end),
        proration=is_proration(line),
    )


def _item_id(line: stripe.InvoiceLineItem) -> str | None:
    details = line.parent.subscription_item_details if line.parent else None
    return details.subscription_item if details else None


def is_proration(line: stripe.InvoiceLineItem) -> bool:
    """Whether a line charges or credits a part of a period."""
    if line.parent is None:
        return False
    details = line.parent.subscription_item_details or line.parent.invoice_item_details
    return bool(details and details.proration)


def _payments(invoice: stripe.Invoice) -> tuple[InvoicePaymentCopy, ...]:
    listed = getattr(invoice, "payments", None)
    oldest_first = sorted(listed.data, key=lambda each: (each.created, each.id)) if listed else ()
    return tuple(_payment(payment) for payment in oldest_first)


def _payment(payment: stripe.InvoicePayment) -> InvoicePaymentCopy:
    return InvoicePaymentCopy(
        id=payment.id,
        payment_intent_id=reference(getattr(payment.payment, "payment_intent", None)),
        status=payment.status,  # type: ignore[arg-type]
        amount_requested=payment.amount_requested,
        amount_paid=payment.amount_paid,
        is_default=payment.is_default,
        paid_at=moment(payment.status_transitions.paid_at),
    )


def intent_ids_of(invoice: stripe.Invoice) -> list[str]:
    """The payment intents of an invoice whose payments were expanded, newest first."""
    ids = [payment.payment_intent_id for payment in reversed(_payments(invoice))]
    return [each for each in ids if each]


def intent_that_paid(invoice: stripe.Invoice) -> str | None:
    """The id of the payment intent that paid an invoice whose payments were expanded."""
    for payment in _payments(invoice):
        if payment.status == "paid" and payment.payment_intent_id:
            return payment.payment_intent_id
    return None
