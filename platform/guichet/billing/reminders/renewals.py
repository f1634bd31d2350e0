"""Renewals that come in a few days, of subscriptions whose periods are longer than that."""

from datetime import timedelta

from guichet.billing.mails import Mail
from guichet.billing.reminders.costs import Cost, next_costs
from guichet.billing.reminders.reach import BATCH, Due, Place, Time
from guichet.db import Unit
from tenants.mails import Mails


async def find(unit: Unit, time: Time, rules: Mails, after: Place) -> list[Due]:
    """What renews within `rules.renewal_days` by itself and in good standing, soonest first."""
    if not rules.renewal_days:
        return []
    rows = await unit.fetch(
        """
        select
          subscription.id,
          subscription.customer_id,
          subscription.current_period_end_at
        from subscriptions as subscription
        join customers as customer
          on customer.tenant_id = $1
          and customer.id = subscription.customer_id
        where subscription.tenant_id = $1
        and subscription.status = 'active'
        and not subscription.cancel_at_period_end
        and subscription.current_period_end_at > $2
        and subscription.current_period_end_at <= $2 + $3::interval
        and (subscription.current_period_end_at, subscription.id) > ($4, $5)
        and subscription.current_period_end_at - subscription.current_period_start_at
          > $3::interval
        and subscription.cancel_at is null
        and subscription.pause is null
        and not customer.deleted
        and customer.test_clock_id is not distinct from $6
        and not exists (
          select
          from messages as message
          where message.tenant_id = $1
          and message.key = 'renewal_coming:' || subscription.id || ':'
            || extract(epoch from subscription.current_period_end_at)::bigint
        )
        order by subscription.current_period_end_at, subscription.id
        limit $7
        """,
        unit.tenant_id,
        time.now,
        timedelta(days=rules.renewal_days),
        after.at,
        after.id,
        time.test_clock_id,
        BATCH,
    )
    places = [Place(row["current_period_end_at"], row["id"]) for row in rows]
    costs = await next_costs(unit, [row["id"] for row in rows])
    return [
        Due(place, _mail(place, row["customer_id"], time, costs[place.id]))
        for place, row in zip(places, rows, strict=True)
    ]


def _mail(renewal: Place, customer_id: str, time: Time, cost: Cost) -> Mail | None:
    if cost.is_free:
        return None
    key = f"renewal_coming:{renewal.id}:{int(renewal.at.timestamp())}"
    facts = {"subscription_id": renewal.id, "renews_at": renewal.at, **cost.facts}
    return Mail("renewal_coming", customer_id, key, facts, time.now)
