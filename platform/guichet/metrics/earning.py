"""Which subscriptions earn what: now by what they are, in the past by their invoices' periods."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from guichet.billing.mirror import held_copies
from guichet.db import Unit
from guichet.metrics.mrr import Discount, Item, Revenue, Subscriptions, sum_up
from guichet.payments.copies import PriceCopy


async def revenue_now(unit: Unit) -> Revenue:
    """The monthly recurring revenue of what is active or past due now."""
    return await _sum_up(unit, await _earning_now(unit))


async def revenue_at(unit: Unit, moment: datetime) -> Revenue:
    """The same at a moment that is over, by the periods that invoices were written for.

    Subscriptions tell what they are and not what they were, so the lines of invoices do. A coupon
    for ever is taken to have been there from the start, as no invoice says which it is.
    """
    return await _sum_up(unit, await _earning_at(unit, moment))


async def _sum_up(unit: Unit, rows: Sequence[asyncpg.Record]) -> Revenue:
    held = [
        Subscriptions(
            row["currency"],
            msgspec.json.decode(row["items"], type=tuple[Item, ...]),
            msgspec.json.decode(row["discounts"], type=tuple[Discount, ...]),
            row["count"],
        )
        for row in rows
    ]
    named = sorted({item.price_id for alike in held for item in alike.items})
    copies = await held_copies(unit, "price", named)
    return sum_up(held, {name: it for name, it in copies.items() if isinstance(it, PriceCopy)})


async def _earning_now(unit: Unit) -> list[asyncpg.Record]:
    """Subscriptions that are counted now, those that are alike in one row."""
    return await unit.fetch(
        """
        with earning as (
          select
            subscription.currency,
            jsonb_agg(jsonb_build_array(item.price_id, item.quantity) order by item.position)
              as items,
            case
              when subscription.discounts = '[]' then '[]'
              else (
                select coalesce(
                  jsonb_agg(jsonb_build_array(given -> 'percent_off', given -> 'amount_off')), '[]'
                )
                from jsonb_array_elements(subscription.discounts) as given
                where given ->> 'ends_at' is null
              )
            end as discounts
          from subscriptions as subscription
          join subscription_items as item
            on item.tenant_id = $1
            and item.subscription_id = subscription.id
          where subscription.tenant_id = $1
          and subscription.status in ('active', 'past_due')
          group by subscription.tenant_id, subscription.id
        )
        select currency, items::text, discounts::text, count(1) as count
        from earning
        group by earning.currency, earning.items, earning.discounts
        """,
        unit.tenant_id,
    )


async def _earning_at(unit: Unit, moment: datetime) -> list[asyncpg.Record]:
    """The same for a moment that is over.

    An item was what the latest line says that is for a period with the moment in it. A line of
    nothing is a trial's, and a credit ends what it is for.
    """
    return await unit.fetch(
        """
        with line as (
          select distinct on (line.subscription_item_id)
            invoice.subscription_id,
            invoice.currency,
            line.subscription_item_id,
            line.price_id,
            line.quantity,
            line.amount
          from invoice_lines as line
          join invoices as invoice
            on invoice.tenant_id = $1
            and invoice.id = line.invoice_id
          where line.tenant_id = $1
          and line.subscription_item_id is not null
          and line.price_id is not null
          and line.period_start_at <= $2
          and line.period_end_at > $2
          and invoice.status in ('draft', 'open', 'paid')
          order by
            line.subscription_item_id,
            line.period_start_at desc,
            invoice.created_at desc,
            line.amount desc
        ),
        earning as (
          select
            line.currency,
            jsonb_agg(
              jsonb_build_array(line.price_id, line.quantity) order by line.subscription_item_id
            ) as items,
            case
              when subscription.discounts = '[]' then '[]'
              else (
                select coalesce(
                  jsonb_agg(jsonb_build_array(given -> 'percent_off', given -> 'amount_off')), '[]'
                )
                from jsonb_array_elements(subscription.discounts) as given
                where given ->> 'ends_at' is null
              )
            end as discounts
          from line
          join subscriptions as subscription
            on subscription.tenant_id = $1
            and subscription.id = line.subscription_id
          where line.amount > 0
          and (subscription.ended_at is null or subscription.ended_at > $2)
          and subscription.status not in ('unpaid', 'incomplete', 'incomplete_expired')
          group by subscription.tenant_id, subscription.id, line.currency
        )
        select currency, items::text, discounts::text, count(1) as count
        from earning
        group by earning.currency, earning.items, earning.discounts
        """,
        unit.tenant_id,
        moment,
    )
