"""Cards that expire this month or the next, of customers who pay with them."""

from datetime import timedelta

import asyncpg

from guichet.billing.mails import Mail
from guichet.billing.reminders.reach import BATCH, Batch, Place, Time, next_place
from guichet.db import Unit
from tenants.mails import Mails

#: From any day of a month, the month after it.
_A_MONTH = timedelta(days=31)


async def find(unit: Unit, time: Time, rules: Mails, after: Place) -> Batch:
    """Cards that a subscription is charged to the next time; a place is the month of expiry."""
    first = time.now.replace(day=1)
    following = first + _A_MONTH
    rows = await unit.fetch(
        """
        with near as materialized (
          select
            card.id,
            card.customer_id,
            card.brand,
            card.last4,
            card.exp_year,
            card.exp_month,
            make_timestamptz(card.exp_year, card.exp_month, 1, 0, 0, 0, 'UTC') as at,
            'card_expiring:' || card.id || ':' || card.exp_year || '-' || card.exp_month as key,
            row_number() over (order by card.exp_year, card.exp_month, card.id) as place
          from payment_methods as card
          where card.tenant_id = $1
          and card.customer_id is not null
          and (card.exp_year, card.exp_month) >= ($2::smallint, $3::smallint)
          and (card.exp_year, card.exp_month) <= ($4::smallint, $5::smallint)
          and (card.exp_year, card.exp_month, card.id) > ($6::smallint, $7::smallint, $8)
          and card.exp_month between 1 and 12
          order by card.exp_year, card.exp_month, card.id
          limit $10
        ),
        looked_at as (
          select
            near.id,
            near.customer_id,
            near.brand,
            near.last4,
            near.exp_year,
            near.exp_month,
            near.at,
            near.key,
            near.place,
            (
              (
                select true
                from customers as customer
                join subscriptions as subscription
                  on subscription.tenant_id = $1
                  and subscription.customer_id = customer.id
                where customer.tenant_id = $1
                and customer.id = near.customer_id
                and not customer.deleted
                and customer.test_clock_id is not distinct from $9
                and subscription.status in ('trialing', 'active', 'past_due')
                and not subscription.cancel_at_period_end
                and subscription.cancel_at is null
                and subscription.collection_method = 'charge_automatically'
                and coalesce(
                  subscription.default_payment_method_id, customer.default_payment_method_id
                ) = near.id
                limit 1
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
        select
          id, customer_id, brand, last4, exp_year, exp_month, at, key, place, is_due
        from looked_at
        where is_due
        or place = $10
        order by place
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
    return Batch([_mail(row, time) for row in rows if row["is_due"]], next_place(rows))


def _mail(card: asyncpg.Record, time: Time) -> Mail:
    facts: dict[str, object] = {
        "payment_method_id": card["id"],
        "brand": card["brand"],
        "last4": card["last4"],
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
    }
    return Mail("card_expiring", card["customer_id"], card["key"], facts, time.now)
