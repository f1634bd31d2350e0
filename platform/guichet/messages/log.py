"""The account of every message, for whoever asks what a customer was told."""

from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from guichet.db import Unit
from guichet.messages.kinds import Kind

State = Literal["queued", "sending", "sent", "failed", "suppressed"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One mail to one customer, and what became of it."""

    id: UUID
    kind: Kind
    customer_id: str
    recipient: str | None
    #: What its text was made from; see `guichet.messages.facts.MailFacts`.
    facts: dict[str, Any]
    #: When what it tells of happened, by the customer's time.
    at: datetime
    state: State
    #: Why it was suppressed, or why handing it over failed the last time.
    reason: str | None
    tries: int
    queued_at: datetime
    sent_at: datetime | None


class After(NamedTuple):
    """The last message of the page before."""

    queued_at: datetime
    id: UUID


async def list_messages(
    unit: Unit, customer_id: str | None = None, after: After | None = None, limit: int = 50
) -> list[Message]:
    """A page of the messages to one customer or to all, the latest first."""
    rows = await unit.fetch(
        """
        select
          id, kind, customer_id, recipient, facts::text as facts, at, state, reason, tries,
          queued_at, sent_at
        from messages
        where tenant_id = $1
        and ($2::text is null or customer_id = $2)
        and ($3::timestamptz is null or (queued_at, id) < ($3, $4::uuid))
        order by queued_at desc, id desc
        limit $5
        """,
        unit.tenant_id,
        customer_id,
        after and after.queued_at,
        after and after.id,
        limit,
    )
    return [_message(row) for row in rows]


async def find_message(unit: Unit, message_id: UUID) -> Message | None:
    """One message of this tenant, or None."""
    row = await unit.fetchrow(
        """
        select
          id, kind, customer_id, recipient, facts::text as facts, at, state, reason, tries,
          queued_at, sent_at
        from messages
        where tenant_id = $1
        and id = $2
        """,
        unit.tenant_id,
        message_id,
    )
    return None if row is None else _message(row)


def _message(row: asyncpg.Record) -> Message:
    return Message(**{**row, "facts": msgspec.json.decode(row["facts"])})
