"""Invoices with their lines, and the payments that were asked for them."""

from datetime import datetime
from typing import Literal

import msgspec


class LineCopy(msgspec.Struct, frozen=True, kw_only=True):
    """One line; its amount is in the invoice's currency, before discounts and taxes."""

    id: str
    description: str | None
    amount: int
    quantity: int | None
    price_id: str | None
    subscription_item_id: str | None
    period_start_at: datetime
    period_end_at: datetime
    proration: bool


class InvoicePaymentCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A payment of an invoice; its attempts are those of its payment intent."""

    id: str
    #: None where it was paid in another way.
    payment_intent_id: str | None
    status: Literal["open", "paid", "canceled"]
    amount_requested: int
    amount_paid: int | None
    is_default: bool
    paid_at: datetime | None


class InvoiceCopy(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice; amounts in minor units of its currency."""

    id: str
    customer_id: str
    subscription_id: str | None
    #: None until it is finalized.
    number: str | None
    status: Literal["draft", "open", "paid", "uncollectible", "void"]
    #: Why the provider made it, such as `subscription_cycle`.
    billing_reason: str | None
    collection_method: Literal["charge_automatically", "send_invoice"]
    currency: str
    #: The sum of the lines, before discounts and taxes.
    subtotal: int
    total: int
    #: What of the total is left after the customer's balance.
    amount_due: int
    amount_paid: int
    amount_remaining: int
    attempt_count: int
    next_payment_attempt_at: datetime | None
    period_start_at: datetime
    period_end_at: datetime
    due_at: datetime | None
    finalized_at: datetime | None
    paid_at: datetime | None
    voided_at: datetime | None
    created_at: datetime
    lines: tuple[LineCopy, ...]
    payments: tuple[InvoicePaymentCopy, ...]
