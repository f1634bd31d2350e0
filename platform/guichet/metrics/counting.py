"""Counting a merchant's figures anew from the mirror: those of today, and those of each month."""

from datetime import UTC, datetime
from itertools import pairwise

import asyncpg
import msgspec

from guichet.db import Unit
from guichet.metrics.earning import revenue_at, revenue_now
from guichet.metrics.mrr import Revenue

#: How many months that are over are told of.
PAST_MONTHS = 12


class Today(msgspec.Struct, frozen=True):
    """What there is now, and what happened in the last 30 days."""

    customers: int = 0
    active: int = 0
    trialing: int = 0
    past_due: int = 0
    #: Subscriptions that began, and that ended.
    started: int = 0
    ended: int = 0
    #: Invoices whose payment failed, and such that were paid after all.
    failed: int = 0
    recovered: int = 0
    mrr: Revenue = msgspec.field(default_factory=dict)


class Month(msgspec.Struct, frozen=True):
    """What happened in a calendar month by UTC, and the revenue at its end; in the present, now."""

    #: As `2026-11`.
    name: str
    mrr: Revenue = msgspec.field(default_factory=dict)
    started: int = 0
    ended: int = 0
    failed: int = 0
    recovered: int = 0


async def count_today(unit: Unit) -> Today:
    """Count what the mirror holds now."""
    counted = await _count_subscriptions(unit)
    payments = await _count_payments(unit)
    return Today(**counted, **payments, mrr=await revenue_now(unit))


async def count_present_month(unit: Unit, now: datetime, mrr: Revenue) -> Month:
    """Count what happened in the month that is not over yet."""
    start = month_starts(now)[-1]
    happened = await _count_events(unit, start)
    return _month(start, mrr, happened.get(start))


async def count_past_months(unit: Unit, now: datetime) -> tuple[Month, ...]:
    """Count the last twelve months that are over, the oldest first."""
    starts = month_starts(now)
    happened = await _count_events(unit, starts[0])
    return tuple(
        [
            _month(start, await revenue_at(unit, end), happened.get(start))
            for start, end in pairwise(starts)
        ]
    )


def month_starts(now: datetime) -> list[datetime]:
    """When each of those months began by UTC, the oldest first, and the present one at the end."""
    place = now.year * 12 + now.month - 1
    return [
        datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
        for month in range(place - PAST_MONTHS, place + 1)
    ]


def _month(start: datetime, mrr: Revenue, counts: asyncpg.Record | None) -> Month:
    names = ("started", "ended", "failed", "recovered")
    counted = {name: counts[name] for name in names} if counts else {}
    return Month(name=f"{start:%Y-%m}", mrr=mrr, **counted)


async def _count_subscriptions(unit: Unit) -> dict[str, int]:
    row = await unit.fetchrow(
        """
        select
          (
            select count(1)
            from customers as customer
            where customer.tenant_id = $1
            and not customer.deleted
          ) as customers,
          count(1) filter (where status = 'active') as active,
          count(1) filter (where status = 'trialing') as trialing,
          count(1) filter (where status = 'past_due') as past_due,
          count(1) filter (
            where created_at > now() - interval '30 days'
            and status not in ('incomplete', 'incomplete_expired')
          ) as started,
          count(1) filter (
            where ended_at > now() - interval '30 days'
            and status = 'canceled'
          ) as ended
        from subscriptions
        where tenant_id = $1
        """,
        unit.tenant_id,
    )
    return dict(row) if row else {}


async def _count_payments(unit: Unit) -> dict[str, int]:
    """Whoever pays at last does so within some weeks, so older failures are not looked at."""
    row = await unit.fetchrow(
        """
        with failure as (
          select payment.invoice_id, min(attempt.created_at) as failed_at
          from payment_attempts as attempt
          join invoice_payments as payment
            on payment.tenant_id = $1
            and payment.payment_intent_id = attempt.payment_intent_id
          where attempt.tenant_id = $1
          and attempt.status = 'failed'
          and attempt.created_at > now() - interval '120 days'
          group by payment.invoice_id
        )
        select
          count(1) filter (where failure.failed_at > now() - interval '30 days') as failed,
          count(1) filter (
            where invoice.status = 'paid'
            and invoice.paid_at > now() - interval '30 days'
          ) as recovered
        from failure
        join invoices as invoice
          on invoice.tenant_id = $1
          and invoice.id = failure.invoice_id
        """,
        unit.tenant_id,
    )
    return dict(row) if row else {}


async def _count_events(unit: Unit, since: datetime) -> dict[datetime, asyncpg.Record]:
    """What happened since a time, by the start of each month in which anything did."""
    rows = await unit.fetch(
        """
        with failure as (
          select payment.invoice_id, min(attempt.created_at) as failed_at
          from payment_attempts as attempt
          join invoice_payments as payment
            on payment.tenant_id = $1
            and payment.payment_intent_id = attempt.payment_intent_id
          where attempt.tenant_id = $1
          and attempt.status = 'failed'
          and attempt.created_at > $2::timestamptz - interval '90 days'
          group by payment.invoice_id
        ),
        happened (at, started, ended, failed, recovered) as (
          select created_at, 1, 0, 0, 0
          from subscriptions
          where tenant_id = $1
          and status not in ('incomplete', 'incomplete_expired')
          union all
          select ended_at, 0, 1, 0, 0
          from subscriptions
          where tenant_id = $1
          and status = 'canceled'
          union all
          select failure.failed_at, 0, 0, 1, 0
          from failure
          union all
          select invoice.paid_at, 0, 0, 0, 1
          from failure
          join invoices as invoice
            on invoice.tenant_id = $1
            and invoice.id = failure.invoice_id
            and invoice.status = 'paid'
        )
        select
          date_trunc('month', at, 'UTC') as month,
          sum(started)::integer as started,
          sum(ended)::integer as ended,
          sum(failed)::integer as failed,
          sum(recovered)::integer as recovered
        from happened
        where at >= $2
        group by 1
        """,
        unit.tenant_id,
        since,
    )
    return {row["month"]: row for row in rows}
