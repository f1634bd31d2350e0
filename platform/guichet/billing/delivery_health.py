"""How a merchant's events arrive, and how far reading their account is: for who looks after it."""

from datetime import datetime

import msgspec

from guichet.db import Unit


class DeliveryHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one tenant's events and of the copy of its account."""

    #: The last event that arrived, or was found in the provider's list; None for none lately.
    last_at: datetime | None
    #: Events that are stored and not applied yet.
    waiting: int
    waiting_since: datetime | None
    #: When the provider's list was read last, and why that failed.
    read_at: datetime | None
    failure: str | None
    #: When the account was read whole; None while it is being read, or was not yet.
    imported_at: datetime | None
    #: Objects read so far.
    imported: int


async def delivery_health(unit: Unit) -> DeliveryHealth:
    """How the unit's tenant stands."""
    row = await unit.fetchrow(
        """
        with waiting as (
          select count(1) as number, min(received_at) as since, max(received_at) as last_at
          from provider_events
          where tenant_id = $1
          and handled_at is null
        ),
        handled as (
          select max(handled_at) as last_at
          from provider_events
          where tenant_id = $1
          and handled_at is not null
          and body is not null
        )
        select
          greatest(waiting.last_at, handled.last_at) as last_at,
          waiting.number as waiting,
          waiting.since as waiting_since,
          held.read_until as read_at,
          held.failure,
          import.finished_at as imported_at,
          (
            select coalesce(sum(number::bigint), 0)::bigint
            from jsonb_each_text(import.counts) as read (name, number)
          ) as imported
        from waiting
        cross join handled
        left join reconciliations as held
          on held.tenant_id = $1
        left join provider_connections as connection
          on connection.tenant_id = $1
        -- What was read with a former key says nothing of this one's account.
        left join imports as import
          on import.tenant_id = $1
          and import.started_at >= coalesce(connection.key_set_at, import.started_at)
        """,
        unit.tenant_id,
    )
    assert row is not None
    return DeliveryHealth(**row)
