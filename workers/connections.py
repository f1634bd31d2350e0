"""Tenants that their provider turns away: counted, and asked for again once in a while."""

from datetime import timedelta
from uuid import UUID

import structlog
from prometheus_client import Gauge

from guichet.payments.connections import count_rejected
from guichet.payments.errors import ProviderError
from workers.office import Office

log = structlog.get_logger()

PROBE_PROVIDER = "probe_provider"

#: How often a provider that turns a tenant away is asked whether it still does.
EVERY = timedelta(hours=1)
#: Of however many tenants, so many are asked at a beat, which comes every minute.
_AT_ONCE = 100

_rejected = Gauge("guichet_tenants_rejected", "Active tenants that their provider turns away.")


async def count_rejections(office: Office) -> None:
    """Bring this process's gauge up to date."""
    async with office.deployment.db.system() as connection:
        _rejected.set(await count_rejected(connection))


async def probe_rejected(office: Office) -> None:
    """Knock for the tenants whose provider was not asked for an hour, the longest ago first."""
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            select held.tenant_id
            from provider_connections as held
            join tenants as tenant
              on tenant.id = held.tenant_id
            where held.rejected_at is not null
            and held.checked_at <= now() - $1::interval
            and tenant.status = 'active'
            order by held.checked_at
            limit $2
            """,
            EVERY,
            _AT_ONCE,
        )
    for row in rows:
        await office.deployment.outbox.knock(PROBE_PROVIDER, str(row["tenant_id"]))


async def probe_provider(office: Office, tenant_id: str) -> None:
    """Ask one tenant's provider whether it lets us in again; the sweeps take up what waits."""
    tenant = UUID(tenant_id)
    if not office.works_for(tenant) or not await _take_turn(office, tenant):
        return
    try:
        await office.deployment.providers.probe(tenant)
    except ProviderError as error:
        log.info("provider_not_back", tenant=tenant_id, reason=error.code)
    else:
        log.info("provider_back", tenant=tenant_id)


async def _take_turn(office: Office, tenant_id: UUID) -> bool:
    """Of several who come at the same time one asks, and nobody again within the hour."""
    async with office.deployment.db.unit(tenant_id) as unit:
        taken = await unit.fetchval(
            """
            update provider_connections
            set checked_at = now()
            where tenant_id = $1
            and rejected_at is not null
            and checked_at <= now() - $2::interval
            returning true
            """,
            tenant_id,
            EVERY,
        )
    return bool(taken)
