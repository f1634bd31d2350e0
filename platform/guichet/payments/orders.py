"""What we ask a payment provider to do, in our own words."""

from datetime import datetime
from typing import Literal

import msgspec

from guichet.payments.copies import AddressCopy, ShippingCopy

#: What is charged for the rest of the period when a change applies now: its invoice at once, with
#: the next regular one, or nothing.
Proration = Literal["always_invoice", "create_prorations", "none"]

#: Why a customer cancels, in the provider's eight words.
#: Source: https://docs.stripe.com/api/subscriptions/update, `cancellation_details.feedback`.
Feedback = Literal[
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
]


class ItemOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a subscription as it shall be: a new one, or the one with `item_id` changed."""

    price_id: str
    #: None for metered prices.
    quantity: int | None = 1
    item_id: str | None = None
    #: Take the item off the subscription.
    removed: bool = False


class SubscriptionChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is changed about a subscription; the same to preview and to do.

    Items that are not named stay as they are.
    """

    subscription_id: str
    items: tuple[ItemOrder, ...] = ()
    when: Literal["now", "period_end"]
    proration: Proration
    #: Whether a new period begins with the change; a change of interval begins one anyway.
    anchor: Literal["now", "unchanged"] = "unchanged"
    #: Until when nothing is charged; a time that is not after `as_of` ends a trial at once. None
    #: leaves it. Of changes now only, as the anchor.
    trial_end: datetime | None = None
    promotion_code_id: str | None = None
    #: When the change's invoice cannot be paid: refuse the change, or have it wait for the payment.
    unpaid: Literal["refuse", "wait"] = "refuse"
    #: The moment that prorations are counted from, so that what was shown is what is charged.
    as_of: datetime


class NewSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription to begin now."""

    customer_id: str
    items: tuple[ItemOrder, ...]
    #: None for the price's own.
    currency: str | None = None
    payment_method_id: str | None = None
    promotion_code_id: str | None = None
    trial_days: int | None = None


class Cancellation(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription to end, and why."""

    subscription_id: str
    when: Literal["now", "period_end"]
    #: Whether the unused time is credited; of what ends now only.
    credit: bool = False
    feedback: Feedback | None = None
    #: A reason in the merchant's own words, which goes before the comment.
    own_reason: str | None = None
    comment: str | None = None


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is to be collected for a while."""

    subscription_id: str
    #: What becomes of the invoices of that time.
    behavior: Literal["keep_as_draft", "mark_uncollectible", "void"]
    resumes_at: datetime | None


class CustomerDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a customer; `msgspec.UNSET` leaves it, None or an empty text clears it."""

    email: str | msgspec.UnsetType | None = msgspec.UNSET
    name: str | msgspec.UnsetType | None = msgspec.UNSET
    phone: str | msgspec.UnsetType | None = msgspec.UNSET
    address: AddressCopy | msgspec.UnsetType | None = msgspec.UNSET
    shipping: ShippingCopy | msgspec.UnsetType | None = msgspec.UNSET
    preferred_locales: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


class SetupOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the provider's on which a customer adds a payment method."""

    customer_id: str
    #: Where the customer comes back to; `{CHECKOUT_SESSION_ID}` in it becomes the page's id.
    success_url: str
    cancel_url: str
    #: A language tag such as `fr`; None leaves it to the browser.
    locale: str | None = None
    #: With one, the page offers what the merchant accepts in it; without, cards alone.
    currency: str | None = None
