"""Subscriptions as the mirror holds them."""

from datetime import datetime
from typing import Literal

import msgspec

from guichet.billing.catalog import Price
from guichet.billing.dunning.decisions.facts import Access
from guichet.db import Unit
from guichet.errors import NotFound

Status = Literal[
    "incomplete",
    "incomplete_expired",
    "trialing",
    "active",
    "past_due",
    "canceled",
    "unpaid",
    "paused",
]


class Item(msgspec.Struct, frozen=True):
    """One line of a subscription. The price is None until the mirror has seen it."""

    id: str
    quantity: int | None
    price: Price | None


class PendingChange(msgspec.Struct, frozen=True):
    """The plan that a schedule changes the subscription to at a time."""

    at: datetime
    quantity: int | None
    price: Price | None


class Pause(msgspec.Struct, frozen=True):
    """Nothing is collected for now; None means until somebody resumes it."""

    resumes_at: datetime | None


class PendingUpdate(msgspec.Struct, frozen=True):
    """A change that is made when its invoice is paid, and dropped at `expires_at`."""

    expires_at: datetime


class Subscription(msgspec.Struct, frozen=True):
    """One subscription with its items; the shape of the view `subscription_documents`."""

    id: str
    customer_id: str
    status: Status
    currency: str
    cancel_at_period_end: bool
    cancel_at: datetime | None
    canceled_at: datetime | None
    ended_at: datetime | None
    trial_end_at: datetime | None
    current_period_start_at: datetime | None
    current_period_end_at: datetime | None
    created_at: datetime
    schedule_id: str | None
    default_payment_method_id: str | None
    pending: PendingChange | None
    #: A change that a customer asked for is still being made at the provider.
    unfinished_change: bool
    items: tuple[Item, ...]
    #: Whether it was a customer's change here that made the schedule.
    schedule_is_ours: bool = False
    pause: Pause | None = None
    pending_update: PendingUpdate | None = None
    #: What an unpaid invoice leaves of it.
    access: Access = "ok"

    @property
    def is_led_by_merchant(self) -> bool:
        """Whether a schedule that is not ours says how it goes on: nobody changes that here."""
        return self.schedule_id is not None and not self.schedule_is_ours

    @property
    def is_live(self) -> bool:
        """Whether it can still be changed or cancelled."""
        return self.status in ("trialing", "active", "past_due", "unpaid", "paused")


async def find_subscription(unit: Unit, customer_id: str, subscription_id: str) -> Subscription:
    """One of the customer's subscriptions; raises `NotFound` for anybody else's."""
    document = await unit.fetchval(
        """
        select document::text
        from subscription_documents
        where tenant_id = $1
        and id = $2
        and customer_id = $3
        """,
        unit.tenant_id,
        subscription_id,
        customer_id,
    )
    if document is None:
        raise NotFound
    return msgspec.json.decode(document, type=Subscription)


async def hold_still(unit: Unit, subscription_id: str) -> datetime:
    """Keep a subscription as it is until the unit ends; answers the database's time before that.

    Waits for whoever is writing it, so that the unit's next statements see what was written, and
    whatever is finished after the time answered was written after the unit.
    """
    began_at: datetime = await unit.fetchval("select now()")
    await unit.execute(
        """
        select
        from subscriptions
        where tenant_id = $1
        and id = $2
        for share
        """,
        unit.tenant_id,
        subscription_id,
    )
    return began_at
