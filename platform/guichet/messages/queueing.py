"""A mail put into its tenant's queue, in the transaction of what it tells of."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

import msgspec

from guichet.db import Unit
from guichet.messages.kinds import KINDS, Kind

#: Knocked for after the commit by whoever queues; the sweep finds what nobody knocked for.
SEND_MESSAGES = "send_messages"


async def queue_message(
    unit: Unit,
    kind: Kind,
    customer_id: str,
    key: str,
    facts: dict[str, object],
    at: datetime,
    *,
    is_wanted: bool = True,
    zone: tzinfo = UTC,
) -> str | None:
    """Queue a mail to a customer of the mirror; the same `key` is queued once.

    `facts` are the names that the kind's template needs, `at` is when it happened by the customer's
    time. Answers the message's id, or None where the key was there already. What the merchant has
    switched off (`is_wanted` is false) or the customer does not want, what has no address, and a
    second `payment_failed` on one calendar day of the customer's, in their `zone`, is kept as
    suppressed, with its reason.

    Call it late in the unit, after every lock on rows: two units that tell one customer of failed
    payments wait for each other here.
    """
    if kind == "payment_failed":
        # Whoever comes second looks for the first one's row in a statement that begins after it
        # was committed.
        await unit.execute(
            "select pg_advisory_xact_lock(hashtextextended($1::text, 4177))",
            f"{unit.tenant_id} {customer_id}",
        )
    row = await unit.fetchrow(
        """
        with customer as (
          select nullif(held.email, '') as email
          from customers as held
          where held.tenant_id = $1
          and held.id = $3
          and not held.deleted
        ),
        judged as (
          select case
            when not $7::boolean then 'switched_off'
            when not exists (select from customer where email is not null) then 'no_address'
            when not $8::boolean and exists (
              select
              from mail_preferences as preference
              where preference.tenant_id = $1
              and preference.customer_id = $3
              and preference.kind = $2
              and not preference.wanted
            ) then 'unsubscribed'
            when $2 = 'payment_failed' and exists (
              select
              from messages as other
              where other.tenant_id = $1
              and other.customer_id = $3
              and other.kind = 'payment_failed'
              and other.state in ('queued', 'sending', 'sent')
              and other.at >= $9
              and other.at < $10
            ) then 'one_a_day'
          end as reason
        )
        insert into messages (
          tenant_id, kind, customer_id, recipient, key, facts, at, state, reason, due_at
        )
        select
          $1,
          $2,
          $3,
          (select email from customer),
          $4,
          $5::jsonb,
          $6,
          case when judged.reason is null then 'queued' else 'suppressed' end,
          judged.reason,
          case when judged.reason is null then now() end
        from judged
        on conflict (tenant_id, key) do nothing
        returning id
        """,
        unit.tenant_id,
        kind,
        customer_id,
        key,
        msgspec.json.encode(facts).decode(),
        at,
        is_wanted,
        KINDS[kind].required,
        *_day(at, zone),
    )
    return None if row is None else str(row["id"])


def _day(at: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The calendar day that a moment is on, and the next: 23 to 25 hours, where clocks change."""
    today = at.astimezone(zone).date()
    return _begin(today, zone), _begin(today + timedelta(days=1), zone)


def _begin(day: date, zone: tzinfo) -> datetime:
    """A day's first moment: the first midnight of two, or the moment at which clocks skip it."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
