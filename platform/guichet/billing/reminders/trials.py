"""Trials that end in a few days, and what is charged then."""

from datetime import timedelta

from guichet.billing.mails import Mail
from guichet.billing.reminders.costs import Cost, next_costs
from guichet.billing.reminders.reach import BATCH, Due, Place, Time
from guichet.db import Unit
from tenants.mails import Mails


async def find(unit: Unit, time: Time, rules: Mails, after: Place) -> list[Due]:
    """Trials that end within `rules.trial_days` and go on as subscriptions, soonest first."""
    if not rules.trial_days:
        return []
    rows = await unit.fetch(
        """
        select
          subscription.id,
          subscription.customer_id,
          subscription.trial_end_at
        from subscriptions as subscription
        join customers as customer
          on customer.tenant_id = $1
          and customer.id = subscription.customer_id
        where subscription.tenant_id = $1
        and subscription.status = 'trialing'
        and subscription.trial_end_at > $2
        and subscription.trial_end_at <= $2 + $3::interval
        and (subscription.trial_end_at, subscription.id) > ($4, $5)
        and not subscription.cancel_at_period_end
        and subscription.cancel_at is null
        and not customer.deleted
        and customer.test_clock_id is not distinct from $6
        and not exists (
          select
          from messages as message
          where message.tenant_id = $1
          and message.key = 'trial_ending:' || subscription.id || ':'
            || extract(epoch from subscription.trial_end_at)::bigint
        )
        order by subscription.trial_end_at, subscription.id
        limit $7
        """,
        unit.tenant_id,
        time.now,
        timedelta(days=rules.trial_days),
        after.at,
        after.id,
        time.test_clock_id,
        BATCH,
    )
    places = [Place(row["trial_end_at"], row["id"]) for row in rows]
    costs = await next_costs(unit, [row["id"] for row in rows])
    return [
        Due(place, _mail(place, row["customer_id"], time, costs[place.id]))
        for place, row in zip(places, rows, strict=True)
    ]


def _mail(ending: Place, customer_id: str, time: Time, cost: Cost) -> Mail:
    key = f"trial_ending:{ending.id}:{int(ending.at.timestamp())}"
    facts = {"subscription_id": ending.id, "ends_at": ending.at, **cost.facts}
    return Mail("trial_ending", customer_id, key, facts, time.now)
