"""Whether each tenant's provider lets us in: written down by whoever is turned away.

While a row says so, nobody works for the tenant in the background: events are stored and wait,
changes wait, nothing is read. The row ends when the key is replaced, by a trigger in that commit,
or when the provider is asked and lets us in again.
"""

from datetime import datetime
from typing import Literal, NamedTuple

import msgspec
import structlog
from prometheus_client import Counter

from guichet.audit import record
from guichet.db import Connection, Unit

log = structlog.get_logger()

#: The key is missing, does not open, is not known to the provider, or may not do what was asked.
Reason = Literal["key_missing", "key_sealed", "key_revoked", "may_not_mirror", "may_not_act"]

_turned_away = Counter(
    "guichet_provider_rejections_total", "Times a provider began to turn us away.", ["reason"]
)


class Rejection(NamedTuple):
    """Why the provider turned us away, and what it refused: such as `GET invoices`, or anything."""

    reason: Reason
    refused: str | None = None


class ProviderConnection(msgspec.Struct, frozen=True):
    """How a tenant stands with its provider, as far as we were told."""

    #: None while it lets us in; then `reason` is None too.
    rejected_at: datetime | None
    reason: Reason | None
    #: What the key may not do; None where it may do nothing.
    refused: str | None
    checked_at: datetime
    #: Whether work in the background waits. A key that may read what it needs keeps it alive.
    stopped: bool
    #: When the key was set; None where none was.
    key_set_at: datetime | None = None


class RejectedTenant(msgspec.Struct, frozen=True):
    """A tenant that its provider turns away, for those who look at many."""

    slug: str
    rejected_at: datetime
    reason: Reason
    refused: str | None
    checked_at: datetime


async def read_connection(unit: Unit) -> ProviderConnection | None:
    """How the unit's tenant stands; None where nobody was ever turned away nor a key set."""
    row = await unit.fetchrow(
        """
        select rejected_at, reason, refused, checked_at, stopped, key_set_at
        from provider_connections
        where tenant_id = $1
        """,
        unit.tenant_id,
    )
    return ProviderConnection(**row) if row else None


async def rejected_tenants(
    connection: Connection, agency: str | None = None, after: str = "", limit: int = 100
) -> list[RejectedTenant]:
    """A page by slug of active tenants that are turned away, of one agency or of all.

    `connection` acts as `guichet_system`.
    """
    rows = await connection.fetch(
        """
        select tenant.slug, held.rejected_at, held.reason, held.refused, held.checked_at
        from provider_connections as held
        join tenants as tenant
          on tenant.id = held.tenant_id
        join agencies as agency
          on agency.id = tenant.agency_id
        where held.rejected_at is not null
        and tenant.status = 'active'
        and tenant.slug > $1
        and ($2::text is null or agency.slug = $2)
        order by tenant.slug
        limit $3
        """,
        after,
        agency,
        limit,
    )
    return [RejectedTenant(**row) for row in rows]


async def count_rejected(connection: Connection) -> int:
    """How many active tenants are turned away; `connection` acts as `guichet_system`."""
    count: int = await connection.fetchval(
        """
        select count(1)
        from provider_connections as held
        join tenants as tenant
          on tenant.id = held.tenant_id
        where held.rejected_at is not null
        and tenant.status = 'active'
        """
    )
    return count


async def key_set_at(unit: Unit) -> datetime | None:
    """Which key the tenant has, for what is said of it later. Read it before the key itself."""
    set_at: datetime | None = await unit.fetchval(
        """
        select key_set_at
        from provider_connections
        where tenant_id = $1
        """,
        unit.tenant_id,
    )
    return set_at


async def note_rejected(unit: Unit, set_at: datetime | None, rejection: Rejection) -> bool:
    """Write down that the key which was set then is turned away; answers whether that is news.

    Of a key that was replaced meanwhile nothing is written. What stops the work stands above what
    does not.
    """
    news = await unit.fetchval(
        """
        insert into provider_connections as held
          (tenant_id, key_set_at, rejected_at, reason, refused)
        values ($1, $2, now(), $3, $4)
        on conflict (tenant_id) do update
        set
          rejected_at = coalesce(held.rejected_at, excluded.rejected_at),
          reason = excluded.reason,
          refused = excluded.refused,
          checked_at = now()
        where held.tenant_id = $1
        and held.key_set_at is not distinct from $2
        and held.reason is distinct from excluded.reason
        and (not held.stopped or excluded.reason <> 'may_not_act')
        returning true
        """,
        unit.tenant_id,
        set_at,
        rejection.reason,
        rejection.refused,
    )
    if news:
        log.warning("provider_key_rejected", tenant=str(unit.tenant_id), reason=rejection.reason)
        _turned_away.labels(rejection.reason).inc()
        details: dict[str, object] = {"reason": rejection.reason, "refused": rejection.refused}
        await record(unit, "provider", "stripe", "provider_key.rejected", "provider", details)
    return bool(news)


async def note_accepted(unit: Unit, set_at: datetime | None) -> bool:
    """Write down that the key which was set then is accepted; answers whether that is news."""
    since = await unit.fetchval(
        """
        update provider_connections as connection
        set
          rejected_at = null,
          reason = null,
          refused = null,
          checked_at = now()
        from provider_connections as former
        where connection.tenant_id = $1
        and connection.key_set_at is not distinct from $2
        and connection.rejected_at is not null
        and former.tenant_id = $1
        returning former.rejected_at
        """,
        unit.tenant_id,
        set_at,
    )
    if since is None:
        return False
    details: dict[str, object] = {"rejected_at": since}
    await record(unit, "provider", "stripe", "provider_key.accepted", "provider", details)
    return True
