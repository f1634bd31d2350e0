"""Copies of the provider's objects as they were fetched; what the mirror is written from."""

from datetime import datetime
from typing import Literal

import msgspec


class CustomerCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A customer. Of a deleted one the provider tells the id only: the rest is None."""

    id: str
    deleted: bool = False
    email: str | None = None
    name: str | None = None
    #: Set by the provider at the first charge; None before.
    currency: str | None = None
    default_payment_method_id: str | None = None
    created_at: datetime | None = None


class PaymentMethodCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A payment method; `customer_id` is None once it is detached."""

    id: str
    customer_id: str | None
    type: str
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None
    created_at: datetime


class ProductCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A product."""

    id: str
    name: str
    description: str | None
    active: bool


class PriceCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A price; `unit_amount` in minor units, None where it is tiered or finer than one."""

    id: str
    product_id: str
    currency: str
    unit_amount: int | None
    #: None for a price that is charged once.
    interval: Literal["day", "week", "month", "year"] | None
    interval_count: int | None
    active: bool


class ItemCopy(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a subscription; `quantity` is None for metered prices."""

    id: str
    price_id: str
    quantity: int | None


class PendingCopy(msgspec.Struct, frozen=True, kw_only=True):
    """What a subscription's schedule changes next: its first item's price and quantity then."""

    at: datetime
    price_id: str
    quantity: int | None


class SubscriptionCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription with all its items, in the provider's order."""

    id: str
    customer_id: str
    status: Literal[
        "incomplete",
        "incomplete_expired",
        "trialing",
        "active",
        "past_due",
        "canceled",
        "unpaid",
        "paused",
    ]
    currency: str
    default_payment_method_id: str | None
    cancel_at_period_end: bool
    cancel_at: datetime | None
    canceled_at: datetime | None
    ended_at: datetime | None
    trial_end_at: datetime | None
    #: Of the item whose period ends first; None for a subscription without items.
    current_period_start_at: datetime | None
    current_period_end_at: datetime | None
    schedule_id: str | None
    pending: PendingCopy | None
    created_at: datetime
    items: tuple[ItemCopy, ...]


class InvoiceCopy(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice; amounts in minor units of its currency."""

    id: str
    customer_id: str
    subscription_id: str | None
    #: None until it is finalized.
    number: str | None
    status: Literal["draft", "open", "paid", "uncollectible", "void"]
    currency: str
    total: int
    amount_paid: int
    amount_remaining: int
    attempt_count: int
    next_payment_attempt_at: datetime | None
    due_at: datetime | None
    created_at: datetime


Copy = CustomerCopy | PaymentMethodCopy | ProductCopy | PriceCopy | SubscriptionCopy | InvoiceCopy
