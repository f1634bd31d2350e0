"""Subscriptions, with what is going to happen to them."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec


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


class PendingUpdateCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A change that is made when its invoice is paid, and dropped at `expires_at`."""

    expires_at: datetime
    items: tuple[ItemCopy, ...]


class PauseCopy(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is collected for now; None for `resumes_at` means until somebody resumes it."""

    behavior: Literal["keep_as_draft", "mark_uncollectible", "void"]
    resumes_at: datetime | None


class DiscountCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon at work; None for `ends_at` means for ever, or for one invoice."""

    id: str
    coupon_id: str
    name: str | None
    percent_off: Decimal | None
    amount_off: int | None
    currency: str | None
    promotion_code_id: str | None
    ends_at: datetime | None


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
    collection_method: Literal["charge_automatically", "send_invoice"]
    default_payment_method_id: str | None
    cancel_at_period_end: bool
    cancel_at: datetime | None
    canceled_at: datetime | None
    #: Why, in one of the provider's eight words, and in the customer's own.
    cancellation_feedback: str | None
    cancellation_comment: str | None
    ended_at: datetime | None
    trial_end_at: datetime | None
    #: Of the item whose period ends first; None for a subscription without items.
    current_period_start_at: datetime | None
    current_period_end_at: datetime | None
    latest_invoice_id: str | None
    schedule_id: str | None
    #: Whether we made the schedule; False without one.
    schedule_is_ours: bool
    pending: PendingCopy | None
    pending_update: PendingUpdateCopy | None
    pause: PauseCopy | None
    discounts: tuple[DiscountCopy, ...]
    created_at: datetime
    items: tuple[ItemCopy, ...]
