"""What a payment provider answers besides its objects, in our own words."""

from datetime import datetime
from typing import Literal

import msgspec

from guichet.money import Money
from guichet.payments.copies import InvoiceCopy, SubscriptionCopy


class PreviewLine(msgspec.Struct, frozen=True):
    """One line of the invoice that a change makes, described in the provider's words."""

    description: str
    amount: Money
    period_start_at: datetime | None
    period_end_at: datetime | None
    proration: bool


class Preview(msgspec.Struct, frozen=True):
    """What a change costs, computed by the provider; nothing is changed by asking."""

    #: Of the invoice due at once or, where nothing is due now, of the next regular one.
    lines: tuple[PreviewLine, ...]
    #: Charged on confirming; 0 where the change waits or its prorations do.
    due_now: Money
    #: The next regular invoice after the change, with the prorations that wait for it.
    next_amount: Money
    next_at: datetime
    #: What discounts, taxes and credit make of the lines' sum; None where they are the whole.
    adjustment: Money | None = None

    @property
    def leaves_credit(self) -> bool:
        """Whether the lines give back more than they charge, and what is beyond them is kept."""
        return sum(line.amount.amount for line in self.lines) < 0


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """How a payment stands, and where the customer confirms it with their bank."""

    payment_intent_id: str
    status: Literal["needs_method", "needs_confirmation", "processing", "succeeded", "canceled"]
    #: The provider's page; None where there is nothing to confirm.
    url: str | None


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """What asking for what is due of an invoice has made of it."""

    invoice: InvoiceCopy
    #: The attempt that took the money, or is taking it; None where nothing was asked for, because
    #: the invoice was paid, or being paid, already.
    attempt_id: str | None = None
    payment_intent_id: str | None = None
    #: The provider's id of the request, for its support.
    request_id: str | None = None


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """A new subscription, and what its first payment still needs; None where it needs nothing."""

    subscription: SubscriptionCopy
    payment: Confirmation | None


class SetupPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page on which a customer adds a payment method, and what became of it."""

    id: str
    customer_id: str | None
    status: Literal["open", "complete", "expired"]
    #: None once it is complete or expired.
    url: str | None
    #: The method that was added; None before.
    payment_method_id: str | None
    expires_at: datetime


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Money that was given back."""

    id: str
    attempt_id: str | None
    payment_intent_id: str | None
    amount: Money
    status: Literal["pending", "requires_action", "succeeded", "failed", "canceled"]
    reason: str | None
    created_at: datetime


class CreditNote(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken off a finalized invoice; `amount` is positive."""

    id: str
    invoice_id: str
    number: str
    amount: Money
    status: Literal["issued", "void"]
    reason: str | None
    memo: str | None
    pdf_url: str | None
    created_at: datetime


class InvoiceLinks(msgspec.Struct, frozen=True):
    """The provider's own pages for an invoice, made anew at each question: they expire."""

    hosted_url: str | None
    pdf_url: str | None
    receipt_url: str | None


class ProviderEvent(msgspec.Struct, frozen=True):
    """One event of the provider's own list."""

    id: str
    type: str
    #: None where the event's object has no id.
    object_id: str | None
    created_at: datetime
    #: The whole event as JSON, as its delivery would have been.
    body: bytes


class Account(msgspec.Struct, frozen=True):
    """The merchant's account at the provider."""

    id: str
    name: str | None


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where the provider delivers an account's events."""

    id: str
    url: str
    #: What was kept with it when it was made; None for one that somebody else made.
    reference: str | None
    #: False once the provider has given up delivering there, or somebody switched it off.
    enabled: bool
    #: What its deliveries are signed with; told when it is made, and never again.
    secret: str | None = None

    def __repr__(self) -> str:
        """Names no secret: a traceback may print this."""
        return f"<Endpoint {self.id}>"
