"""Queued mails as jobs: claimed in batches under a lease, and what became of each.

A claim is known by its number of tries: whoever claims a row again, after a lease that ran out,
counts one more, and what the former claimer still does about it finds no row. `sending` is noted
right before the server is given the body; what is found in it after its lease may have been
delivered or not, so it is not sent again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from guichet.db import Database, Unit
from guichet.messages.kinds import ASKING, OPTIONAL, Kind

#: Mails that one connection hands over before its worker looks who else waits.
BATCH = 20
#: Longer than a batch is worked on.
LEASE = timedelta(minutes=2)
#: Longer than a server is waited for after the body.
SENDING_LEASE = timedelta(seconds=90)
#: What nobody could send for so long is not true any more when it arrives.
KEPT = timedelta(days=3)
#: How long a mail waits after its first, second … try that failed for now.
BACK_OFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
)


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A mail under our lease, with what is known of its customer now."""

    id: UUID
    kind: Kind
    recipient: str
    facts: str
    at: datetime
    queued_at: datetime
    tries: int
    #: What the customer chose in the portal, else what the provider knows of them.
    language: str | None
    languages: list[str]
    #: Why it is not to be sent any more, if it is not.
    obstacle: str | None

    @property
    def back_off(self) -> timedelta:
        """How long it waits after this try."""
        return BACK_OFF[min(self.tries, len(BACK_OFF)) - 1]


async def end_stale(db: Database, tenant_id: UUID) -> list[tuple[Kind, str]]:
    """Fail what a lost worker may have handed over, and what has waited for too long.

    Answers the kinds and the reasons.
    """
    async with db.unit(tenant_id) as unit:
        rows = await unit.fetch(
            """
            with stale as (
              select id
              from messages
              where tenant_id = $1
              and due_at <= now()
              and (state = 'sending' or queued_at < now() - $2::interval)
              limit 1000
              for update skip locked
            )
            update messages as message
            set
              state = 'failed',
              reason = case
                when message.state = 'sending' then 'outcome_unknown'
                else coalesce(message.reason, 'waited_too_long')
              end,
              due_at = null
            from stale
            where message.tenant_id = $1
            and message.id = stale.id
            returning message.kind, message.reason
            """,
            tenant_id,
            KEPT,
        )
    return [(row["kind"], row["reason"]) for row in rows]


async def claim(db: Database, tenant_id: UUID, switched_off: Sequence[str]) -> list[Claimed]:
    """Take a lease on the mails that are due for longest and that nobody else has."""
    async with db.unit(tenant_id) as unit:
        rows = await unit.fetch(
            """
            with due as (
              select id
              from messages
              where tenant_id = $1
              and state = 'queued'
              and due_at <= now()
              order by due_at
              limit $2
              for update skip locked
            )
            update messages as message
            set
              due_at = now() + $3::interval,
              tries = least(message.tries + 1, 30000)
            from due
            where message.tenant_id = $1
            and message.id = due.id
            returning
              message.id,
              message.kind,
              message.recipient,
              message.facts::text as facts,
              message.at,
              message.queued_at,
              message.tries,
              (
                select preference.locale
                from preferences as preference
                where preference.tenant_id = $1
                and preference.customer_id = message.customer_id
              ) as language,
              coalesce(
                (
                  select customer.preferred_locales
                  from customers as customer
                  where customer.tenant_id = $1
                  and customer.id = message.customer_id
                ),
                '{}'
              ) as languages,
              case
                when message.kind = any($4::text[]) then 'switched_off'
                when message.kind = any($5::text[]) and exists (
                  select
                  from mail_preferences as preference
                  where preference.tenant_id = $1
                  and preference.customer_id = message.customer_id
                  and preference.kind = message.kind
                  and not preference.wanted
                ) then 'unsubscribed'
                when message.kind = any($6::text[]) and exists (
                  select
                  from invoices as invoice
                  where invoice.tenant_id = $1
                  and invoice.id = message.facts ->> 'invoice_id'
                  and invoice.status <> 'open'
                ) then 'outdated'
              end as obstacle
            """,
            tenant_id,
            BATCH,
            LEASE,
            list(switched_off),
            list(OPTIONAL),
            list(ASKING),
        )
    return sorted((Claimed(**row) for row in rows), key=lambda it: it.queued_at)


async def begin_sending(unit: Unit, mail: Claimed) -> bool:
    """Note that the body is about to be given; False where the claim is not ours any more."""
    return bool(
        await unit.fetchval(
            """
            update messages
            set state = 'sending', due_at = now() + $4::interval
            where tenant_id = $1
            and id = $2
            and tries = $3
            and state = 'queued'
            returning true
            """,
            unit.tenant_id,
            mail.id,
            mail.tries,
            SENDING_LEASE,
        )
    )


async def note_sent(unit: Unit, mail: Claimed) -> None:
    """The server has accepted it, even where that is learned late."""
    await unit.execute(
        """
        update messages
        set state = 'sent', sent_at = now(), reason = null, due_at = null
        where tenant_id = $1
        and id = $2
        and tries = $3
        and (state = 'sending' or (state = 'failed' and reason = 'outcome_unknown'))
        """,
        unit.tenant_id,
        mail.id,
        mail.tries,
    )


async def note_ended(unit: Unit, mail: Claimed, state: str, reason: str) -> None:
    """It is not sent: `failed` or `suppressed`."""
    await unit.execute(
        """
        update messages
        set state = $4, reason = $5, due_at = null
        where tenant_id = $1
        and id = $2
        and tries = $3
        and state in ('queued', 'sending')
        """,
        unit.tenant_id,
        mail.id,
        mail.tries,
        state,
        reason,
    )


async def put_off(
    unit: Unit, mails: Sequence[Claimed], reason: str, delay: timedelta | None = None
) -> None:
    """It is known not to be delivered, and is tried again after `delay`, else its back-off."""
    await unit.executemany(
        """
        update messages
        set state = 'queued', reason = $4, due_at = now() + $5::interval
        where tenant_id = $1
        and id = $2
        and tries = $3
        and state in ('queued', 'sending')
        """,
        [(unit.tenant_id, mail.id, mail.tries, reason, delay or mail.back_off) for mail in mails],
    )


async def release(unit: Unit, mails: Sequence[Claimed]) -> None:
    """Give back what was claimed and not begun: that was no try."""
    await unit.executemany(
        """
        update messages
        set due_at = now(), tries = tries - 1
        where tenant_id = $1
        and id = $2
        and tries = $3
        and state = 'queued'
        """,
        [(unit.tenant_id, mail.id, mail.tries) for mail in mails],
    )
