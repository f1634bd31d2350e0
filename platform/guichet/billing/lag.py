"""How far the mirror is behind what happened at the providers."""

from typing import NamedTuple

from guichet.db import Connection


class Lag(NamedTuple):
    """Over all active tenants whose provider lets us in; times in seconds."""

    #: Since when the list of events was read last, for the tenant where that is longest ago.
    unread_seconds: float
    #: The slug of that tenant; None where there is no tenant.
    tenant: str | None
    #: Stored events that are not applied yet, and since when the oldest of them has waited.
    waiting: int
    waiting_seconds: float


async def measure_lag(connection: Connection) -> Lag:
    """Look across tenants; the connection acts as the system."""
    row = await connection.fetchrow(
        """
        with served as (
          select tenant.id, tenant.slug, tenant.created_at
          from tenants as tenant
          where tenant.status = 'active'
          and not exists (
            select
            from provider_connections as connection
            where connection.tenant_id = tenant.id
            and connection.stopped
          )
        ),
        unread as (
          select
            served.slug,
            -- A tenant that was never read is behind since it is there.
            greatest(held.read_until, served.created_at) as since
          from served
          left join reconciliations as held
            on held.tenant_id = served.id
          order by since
          limit 1
        ),
        waiting as (
          select count(1) as number, min(event.received_at) as since
          from served
          join provider_events as event
            on event.tenant_id = served.id
          where event.handled_at is null
        )
        select
          coalesce(extract(epoch from now() - unread.since), 0)::float as unread_seconds,
          unread.slug as tenant,
          waiting.number as waiting,
          coalesce(extract(epoch from now() - waiting.since), 0)::float as waiting_seconds
        from waiting
        left join unread
          on true
        """
    )
    assert row is not None
    return Lag(**row)
