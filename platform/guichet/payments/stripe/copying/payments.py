"""How Stripe's payments stand: intents to confirm, refunds, credit notes."""

from typing import Literal

import stripe

from guichet.money import Money
from guichet.payments.answers import Confirmation, CreditNote, Refund
from guichet.payments.stripe.copying.values import moment, reference

#: Source: https://docs.stripe.com/payments/paymentintents/lifecycle.
_STATUSES: dict[
    str, Literal["needs_method", "needs_confirmation", "processing", "succeeded", "canceled"]
] = {
    "requires_payment_method": "needs_method",
    "requires_confirmation": "needs_confirmation",
    "requires_action": "needs_confirmation",
    "requires_capture": "processing",
    "processing": "processing",
    "succeeded": "succeeded",
    "canceled": "canceled",
}


def copy_confirmation(intent: stripe.PaymentIntent) -> Confirmation:
    """An intent; its page is known where it was confirmed with an address to return to."""
    action = intent.next_action
    redirect = getattr(action, "redirect_to_url", None) if action else None
    return Confirmation(
        payment_intent_id=intent.id,
        status=_STATUSES[intent.status],
        url=redirect.url if redirect else None,
    )


def intents_of(invoice: stripe.Invoice) -> list[tuple[stripe.InvoicePayment, stripe.PaymentIntent]]:
    """The payments of an invoice whose intents were expanded."""
    listed = invoice.payments.data if invoice.payments else []
    pairs = [(each, getattr(each.payment, "payment_intent", None)) for each in listed]
    return [
        (payment, intent) for payment, intent in pairs if isinstance(intent, stripe.PaymentIntent)
    ]


def intent_of(invoice: stripe.Invoice) -> stripe.PaymentIntent | None:
    """The intent that paid, or is to pay, an invoice whose intents were expanded."""
    by_payment = intents_of(invoice)
    best = max(
        by_payment, key=lambda pair: (pair[0].status == "paid", pair[0].is_default), default=None
    )
    return best[1] if best else None


def attempt_of(intent: stripe.PaymentIntent) -> str | None:
    """The id of the last attempt at an intent."""
    return reference(intent.latest_charge)


def is_on_its_way(status: str) -> bool:
    """Whether an intent of this status has been paid, or is being paid."""
    return _STATUSES[status] in ("processing", "succeeded")


def is_being_paid(invoice: stripe.Invoice) -> bool:
    """Whether money is on its way, or has arrived and is not booked yet."""
    return any(
        payment.status == "open" and is_on_its_way(intent.status)
        for payment, intent in intents_of(invoice)
    )


def charged_to(invoice: stripe.Invoice, intent: stripe.PaymentIntent) -> str | None:
    """The id of the method that the invoice would be charged to.

    Its subscription and its customer were expanded. What was tried and waits for its customer
    comes first, then the nearest default.
    Source: https://docs.stripe.com/api/invoices/object, `default_payment_method`.
    """
    details = invoice.parent.subscription_details if invoice.parent else None
    # A deleted customer has no settings.
    settings = getattr(invoice.customer, "invoice_settings", None)
    nearest_first = (
        (intent, "payment_method"),
        (invoice, "default_payment_method"),
        (details.subscription if details else None, "default_payment_method"),
        (settings, "default_payment_method"),
    )
    named = (reference(getattr(holder, name, None)) for holder, name in nearest_first)
    return next(filter(None, named), None)


def copy_refund(refund: stripe.Refund) -> Refund:
    return Refund(
        id=refund.id,
        attempt_id=reference(refund.charge),
        payment_intent_id=reference(refund.payment_intent),
        amount=Money(refund.amount, refund.currency),
        status=refund.status or "pending",  # type: ignore[arg-type]
        reason=refund.reason,
        created_at=moment(refund.created),
    )


def copy_credit_note(note: stripe.CreditNote) -> CreditNote:
    return CreditNote(
        id=note.id,
        invoice_id=reference(note.invoice),
        number=note.number,
        amount=Money(note.amount, note.currency),
        status=note.status,  # type: ignore[arg-type]
        reason=note.reason,
        memo=note.memo,
        pdf_url=note.pdf,
        created_at=moment(note.created),
    )
