"""What customers are told of their subscriptions' ends and changes of plan."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID

import asyncpg

from guichet.billing.mails import FRESH, Mail
from guichet.db import Unit
from guichet.money import Money
from guichet.payments.orders import ItemOrder, SubscriptionChange


class MadeChange(Protocol):
    """A change that a customer asked for and that is made, as `change_requests` has it."""

    @property
    def id(self) -> UUID: ...
    @property
    def customer_id(self) -> str: ...
    @property
    def subscription_id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def plan(self) -> SubscriptionChange | None: ...


async def mails_of_change(unit: Unit, change: MadeChange) -> list[Mail]:
    """What a customer is told of a change that was made; what is taken back, the page tells."""
    if change.kind == "cancel":
        ids = [change.subscription_id]
        return await cancellations(unit, ended=ids, ending=ids, is_asked_for=True)
    if change.plan is not None:
        return await _plan_change(unit, change.id, change.customer_id, change.plan)
    return []


async def cancellations(
    unit: Unit, *, ended: Collection[str], ending: Collection[str], is_asked_for: bool = False
) -> list[Mail]:
    """A mail for each of `ended` that is cancelled, and of `ending` that is going to be.

    The key holds the time at which it was cancelled, which stays when it ends in the end: one that
    was told of then is not told again, and one that is cancelled, kept and cancelled again is. Of
    one that ended because a payment failed, the case tells, unless its customer has asked for the
    end and waits for word of that; of what is long ago, nobody.
    """
    if not (ended or ending):
        return []
    rows = await unit.fetch(
        """
        select
          subscription.id,
          subscription.customer_id,
          subscription.canceled_at,
          coalesce(
            subscription.ended_at, subscription.cancel_at, subscription.current_period_end_at
          ) as ends_at,
          (
            select product.name
            from subscription_items as item
            join prices as price
              on price.tenant_id = $1
              and price.id = item.price_id
            join products as product
              on product.tenant_id = $1
              and product.id = price.product_id
            where item.tenant_id = $1
            and item.subscription_id = subscription.id
            order by item.position
            limit 1
          ) as plan
        from subscriptions as subscription
        left join customers as customer
          on customer.tenant_id = $1
          and customer.id = subscription.customer_id
        left join test_clocks as clock
          on clock.tenant_id = $1
          and clock.id = customer.test_clock_id
        where subscription.tenant_id = $1
        and (
          subscription.id = any($2::text[])
          and subscription.status = 'canceled'
          or subscription.id = any($3::text[])
          and subscription.status <> 'canceled'
          and (subscription.cancel_at_period_end or subscription.cancel_at is not null)
        )
        and coalesce(subscription.ended_at, subscription.canceled_at)
          > coalesce(clock.frozen_at, now()) - $4::interval
        and not (
          subscription.status = 'canceled'
          and not $5
          and exists (
            select
            from dunning_cases as dunning_case
            where dunning_case.tenant_id = $1
            and dunning_case.subscription_id = subscription.id
            and (dunning_case.wake_at is not null or dunning_case.state = 'given_up')
          )
        )
        """,
        unit.tenant_id,
        list(ended),
        list(ending),
        FRESH,
        is_asked_for,
    )
    return [_cancellation(row) for row in rows]


def _cancellation(row: asyncpg.Record) -> Mail:
    at: datetime = row["canceled_at"] or row["ends_at"]
    facts: dict[str, object] = {
        "subscription_id": row["id"],
        "plan": row["plan"],
        "ends_at": row["ends_at"],
    }
    key = f"cancelled:{row['id']}:{int(at.timestamp())}"
    return Mail("cancelled", row["customer_id"], key, facts, at)


async def _plan_change(
    unit: Unit, request_id: UUID, customer_id: str, change: SubscriptionChange
) -> list[Mail]:
    """The mail about another plan, when the change to it is made or planned.

    It says from when the change is in force, so nothing more is told when that time comes; what the
    next renewal costs then is told before it. A change that names no plan, such as a promotion
    code's, is told by the page alone.
    """
    kept = [item for item in change.items if not item.removed]
    if not kept:
        return []
    row = await unit.fetchrow(
        """
        select
          product.name as plan,
          (
            select nullif(request.previous_plan, product.name)
            from change_requests as request
            where request.tenant_id = $1
            and request.id = $4
          ) as previous_plan,
          price.currency,
          price.interval,
          case
            when price.tiers_mode is null
            and price.package_size is null
            and price.usage is distinct from 'metered'
            then price.unit_amount
          end as unit_amount,
          coalesce(clock.frozen_at, now()) as now,
          coalesce(subscription.pending_at, subscription.current_period_end_at) as planned_at
        from subscriptions as subscription
        left join prices as price
          on price.tenant_id = $1
          and price.id = $3
        left join products as product
          on product.tenant_id = $1
          and product.id = price.product_id
        left join customers as customer
          on customer.tenant_id = $1
          and customer.id = subscription.customer_id
        left join test_clocks as clock
          on clock.tenant_id = $1
          and clock.id = customer.test_clock_id
        where subscription.tenant_id = $1
        and subscription.id = $2
        """,
        unit.tenant_id,
        change.subscription_id,
        kept[0].price_id,
        request_id,
    )
    if row is None:
        return []
    facts: dict[str, object] = {
        "subscription_id": change.subscription_id,
        "plan": row["plan"],
        "previous_plan": row["previous_plan"],
        "amount": _amount(row, kept),
        "interval": row["interval"],
        "at": row["now"] if change.when == "now" else row["planned_at"],
    }
    return [Mail("plan_changed", customer_id, f"plan_changed:{request_id}", facts, row["now"])]


def _amount(row: asyncpg.Record, items: list[ItemOrder]) -> Money | None:
    """What the plan costs each period before taxes and discounts; None where it depends."""
    if row["unit_amount"] is None or len(items) > 1:
        return None
    return Money(row["unit_amount"], row["currency"]) * (items[0].quantity or 1)
