"""Cards that expire this month or the next, of customers who pay with them."""

from datetime import UTC, datetime, timedelta

import asyncpg

from guichet.billing.mails import Mail
from guichet.billing.reminders.reach import BATCH, Due, Place, Time
from guichet.db import Unit
from tenants.mails import Mails

#: From any day of a month, the month after it.
_A_MONTH = timedelta(days=31)


async def find(unit: Unit, time: Time, rules: Mails, after: Place) -> list[Due]:
    """Cards that a subscription is charged to the next time; a place is the month of expiry."""
    first = time.now.replace(day=1)
    following = first + _A_MONTH
    rows = await unit.fetch(
        """
        select
          card.id,
          card.customer_id,
          card.brand,
          card.last4,
          card.exp_year,
          card.exp_month
        from payment_methods as card
        join customers as customer
          on customer.tenant_id = $1
          and customer.id = card.customer_id
        where card.tenant_id = $1
        and card.customer_id is not null
        and (card.exp_year, card.exp_month) >= ($2::smallint, $3::smallint)
        and (card.exp_year, card.exp_month) <= ($4::smallint, $5::smallint)
        and (card.exp_year, card.exp_month, card.id) > ($6::smallint, $7::smallint, $8)
        and card.exp_month between 1 and 12
        and not customer.deleted
        and customer.test_clock_id is not distinct from $9
        and exists (
          select
          from subscriptions as subscription
          where subscription.tenant_id = $1
          and subscription.customer_id = card.customer_id
          and subscription.status in ('trialing', 'active', 'past_due')
          and not subscription.cancel_at_period_end
          and subscription.cancel_at is null
          and subscription.collection_method = 'charge_automatically'
          and coalesce(
            subscription.default_payment_method_id, customer.default_payment_method_id
          ) = card.id
        )
        and not exists (
          select
          from messages as message
          where message.tenant_id = $1
          and message.key = 'card_expiring:' || card.id || ':'
            || card.exp_year || '-' || card.exp_month
        )
        order by card.exp_year, card.exp_month, card.id
        limit $10
        """,
        unit.tenant_id,
        first.year,
        first.month,
        following.year,
        following.month,
        after.at.year,
        after.at.month,
        after.id,
        time.test_clock_id,
        BATCH,
    )
    return [_due(row, time) for row in rows]


def _due(card: asyncpg.Record, time: Time) -> Due:
    year, month = card["exp_year"], card["exp_month"]
    facts: dict[str, object] = {
        "payment_method_id": card["id"],
        "brand": card["brand"],
        "last4": card["last4"],
        "exp_month": month,
        "exp_year": year,
    }
    key = f"card_expiring:{card['id']}:{year}-{month}"
    mail = Mail("card_expiring", card["customer_id"], key, facts, time.now)
    return Due(Place(datetime(year, month, 1, tzinfo=UTC), card["id"]), mail)
