"""Trials that end in a few days, and what is charged then."""

from datetime import timedelta

import asyncpg

from guichet.billing.mails import Mail
from guichet.billing.reminders.costs import Cost, next_costs
from guichet.billing.reminders.reach import BATCH, Batch, Place, Time, next_place
from guichet.db import Unit
from tenants.mails import Mails


async def find(unit: Unit, time: Time, rules: Mails, after: Place) -> Batch:
    """Trials that end within `rules.trial_days` and go on as subscriptions, soonest first."""
    if not rules.trial_days:
        return Batch([], None)
    rows = await unit.fetch(
        """
        with near as materialized (
          select
            subscription.id,
            subscription.customer_id,
            subscription.trial_end_at as at,
            'trial_ending:' || subscription.id || ':'
              || extract(epoch from subscription.trial_end_at)::bigint as key,
            row_number() over (order by subscription.trial_end_at, subscription.id) as place
          from subscriptions as subscription
          where subscription.tenant_id = $1
          and subscription.status = 'trialing'
          and not subscription.cancel_at_period_end
          and subscription.cancel_at is null
          and subscription.trial_end_at > $2
          and subscription.trial_end_at <= $2 + $3::interval
          and (subscription.trial_end_at, subscription.id) > ($4, $5)
          order by subscription.trial_end_at, subscription.id
          limit $7
        ),
        looked_at as (
          select
            near.id,
            near.customer_id,
            near.at,
            near.key,
            near.place,
            (
              (
                select not customer.deleted and customer.test_clock_id is not distinct from $6
                from customers as customer
                where customer.tenant_id = $1
                and customer.id = near.customer_id
              )
              and (
                select message.id
                from messages as message
                where message.tenant_id = $1
                and message.key = near.key
              ) is null
            ) as is_due
          from near
        )
        select id, customer_id, at, key, place, is_due
        from looked_at
        where is_due
        or place = $7
        order by place
        """,
        unit.tenant_id,
        time.now,
        timedelta(days=rules.trial_days),
        after.at,
        after.id,
        time.test_clock_id,
        BATCH,
    )
    due = [row for row in rows if row["is_due"]]
    costs = await next_costs(unit, [row["id"] for row in due])
    mails = [_mail(row, time, costs[row["id"]]) for row in due]
    return Batch([mail for mail in mails if mail], next_place(rows))


def _mail(row: asyncpg.Record, time: Time, cost: Cost) -> Mail:
    facts = {"subscription_id": row["id"], "ends_at": row["at"], **cost.facts}
    return Mail("trial_ending", row["customer_id"], row["key"], facts, time.now)
