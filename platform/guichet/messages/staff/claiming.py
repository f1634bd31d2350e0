"""Mails to staff as jobs: claimed under a lease, and what became of each.

The rules are those of `guichet.messages.claiming`: a claim is known by its number of tries, and
`sending` is committed right before the body is given. A mail whose link lets nobody in any more is
not sent. All of it runs as `guichet_system`, in which staff have their rows.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from guichet.auth.staff.links import make_asked_links
from guichet.auth.staff.mail import StaffMailKind
from guichet.db import Database
from guichet.messages.claiming import BACK_OFF, BATCH, LEASE, SENDING_LEASE

#: Somebody waits for it: what could not be sent for a day is given up.
KEPT = timedelta(hours=24)
#: As long as an account is kept of what was sent to whom.
_REMEMBERED = timedelta(days=90)


class ClaimedForStaff(msgspec.Struct, frozen=True, kw_only=True):
    """A mail under our lease."""

    id: UUID
    kind: StaffMailKind
    recipient: str
    #: The person's own name and language, where they are known.
    name: str
    locale: str
    facts: str
    queued_at: datetime
    tries: int
    #: Until when its link is good; None for a link that is used, revoked or over.
    good_until: datetime | None

    @property
    def back_off(self) -> timedelta:
        """How long it waits after this try."""
        return BACK_OFF[min(self.tries, len(BACK_OFF)) - 1]


async def end_stale(db: Database) -> list[tuple[str, str]]:
    """Fail what a lost worker may have handed over, and what has waited for a day.

    Answers the kinds and the reasons.
    """
    async with db.system() as connection:
        rows = await connection.fetch(
            """
            with stale as (
              select id
              from staff_messages
              where due_at <= now()
              and (state = 'sending' or queued_at < now() - $1::interval)
              limit 1000
              for update skip locked
            )
            update staff_messages as message
            set
              state = 'failed',
              reason = case
                when message.state = 'sending' then 'outcome_unknown'
                else coalesce(message.reason, 'waited_too_long')
              end,
              due_at = null,
              ended_at = now()
            from stale
            where message.id = stale.id
            returning message.kind, message.reason
            """,
            KEPT,
        )
    return [(row["kind"], row["reason"]) for row in rows]


async def claim(db: Database) -> list[ClaimedForStaff]:
    """Take a lease on the mails that are due for longest and that nobody else has."""
    async with db.system() as connection:
        await make_asked_links(connection)
        rows = await connection.fetch(
            """
            with due as (
              select waiting.id
              from staff_messages as waiting
              where waiting.state = 'queued'
              and waiting.due_at <= now()
              -- One that was asked for a moment ago gets its link the next time.
              and (
                waiting.kind <> 'sign_in'
                or exists (
                  select
                  from staff_links as link
                  where link.id = waiting.id
                )
              )
              order by waiting.due_at
              limit $1
              for update of waiting skip locked
            )
            update staff_messages as message
            set
              due_at = now() + $2::interval,
              tries = message.tries + 1
            from due
            where message.id = due.id
            returning
              message.id,
              message.kind,
              message.recipient,
              coalesce(
                (select staff.name from staff where staff.email = message.recipient), ''
              ) as name,
              coalesce(
                (select staff.locale from staff where staff.email = message.recipient),
                message.locale
              ) as locale,
              message.facts::text as facts,
              message.queued_at,
              message.tries,
              case message.kind
                when 'sign_in' then (
                  select link.expires_at
                  from staff_links as link
                  where link.id = message.id
                  and link.used_at is null
                  and link.expires_at > now()
                )
                when 'test_mail' then message.queued_at + $3::interval
                when 'agency_invitation' then (
                  select invitation.expires_at
                  from agency_invitations as invitation
                  where invitation.id = (message.facts ->> 'invitation')::uuid
                  and invitation.accepted_at is null
                  and invitation.revoked_at is null
                  and invitation.expires_at > now()
                )
                else (
                  select invitation.expires_at
                  from tenant_invitations as invitation
                  where invitation.id = (message.facts ->> 'invitation')::uuid
                  and invitation.accepted_at is null
                  and invitation.revoked_at is null
                  and invitation.expires_at > now()
                )
              end as good_until
            """,
            BATCH,
            LEASE,
            KEPT,
        )
    return sorted((ClaimedForStaff(**row) for row in rows), key=lambda it: it.queued_at)


async def begin_sending(db: Database, mail: ClaimedForStaff) -> bool:
    """Note that the body is about to be given; False where the claim is not ours any more."""
    async with db.system() as connection:
        return bool(
            await connection.fetchval(
                """
                update staff_messages
                set state = 'sending', due_at = now() + $3::interval
                where id = $1
                and tries = $2
                and state = 'queued'
                returning true
                """,
                mail.id,
                mail.tries,
                SENDING_LEASE,
            )
        )


async def note_sent(db: Database, mail: ClaimedForStaff) -> None:
    """The server has accepted it, even where that is learned late."""
    async with db.system() as connection:
        await connection.execute(
            """
            update staff_messages
            set state = 'sent', reason = null, due_at = null, ended_at = now()
            where id = $1
            and tries = $2
            and (state = 'sending' or (state = 'failed' and reason = 'outcome_unknown'))
            """,
            mail.id,
            mail.tries,
        )


async def note_failed(db: Database, mail: ClaimedForStaff, reason: str) -> None:
    """It is not sent."""
    async with db.system() as connection:
        await connection.execute(
            """
            update staff_messages
            set state = 'failed', reason = $3, due_at = null, ended_at = now()
            where id = $1
            and tries = $2
            and state in ('queued', 'sending')
            """,
            mail.id,
            mail.tries,
            reason,
        )


async def put_off(db: Database, mails: Sequence[ClaimedForStaff], reason: str) -> None:
    """They are known not to be delivered, and are tried again after their back-off."""
    async with db.system() as connection:
        await connection.executemany(
            """
            update staff_messages
            set state = 'queued', reason = $3, due_at = now() + $4::interval
            where id = $1
            and tries = $2
            and state in ('queued', 'sending')
            """,
            [(mail.id, mail.tries, reason, mail.back_off) for mail in mails],
        )


async def release(db: Database, mails: Sequence[ClaimedForStaff]) -> None:
    """Give back what was claimed and not begun: that was no try."""
    async with db.system() as connection:
        await connection.executemany(
            """
            update staff_messages
            set due_at = now(), tries = tries - 1
            where id = $1
            and tries = $2
            and state = 'queued'
            """,
            [(mail.id, mail.tries) for mail in mails],
        )


async def forget_old(db: Database) -> None:
    """Remove the mails that ended 90 days ago, and links that have been over for a week."""
    async with db.system() as connection:
        await connection.execute(
            """
            delete from staff_links
            where expires_at < now() - interval '7 days'
            """
        )
        await connection.execute(
            """
            delete from staff_messages
            where ended_at < now() - $1::interval
            """,
            _REMEMBERED,
        )
