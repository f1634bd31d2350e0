"""Custom domains looked up once an hour: proved, or lost when their records are gone."""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog

from guichet.audit import Actor
from guichet.tenancy.domains import Resolver, check_domain
from tenants.hosts import HostTaken, UnknownHost, take_turn
from workers.office import Office

log = structlog.get_logger()

#: How often a domain is looked up.
EVERY = timedelta(hours=1)
#: A claim that nobody proved, or that was lost, is looked up for so long by itself.
_HOPE = timedelta(days=14)
#: Of however many domains, so many are looked up at a beat, which comes every minute.
_AT_ONCE = 100
#: A domain whose servers say nothing takes some seconds.
_TOGETHER = 8
_BY = Actor("system", "domains")


async def check_domains(office: Office) -> None:
    """Look up the domains that were not for an hour, the longest ago first.

    What an operator has verified is left alone.
    """
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            select host.tenant_id, host.host, tenant.slug
            from hosts as host
            join tenants as tenant
              on tenant.id = host.tenant_id
            where (host.checked_at is null or host.checked_at <= now() - $1::interval)
            and tenant.status = 'active'
            and (
              host.proved_by_dns and host.verified_at is not null
              or host.verified_at is null
              and greatest(host.created_at, host.lost_at) > now() - $2::interval
            )
            order by host.checked_at nulls first
            limit $3
            """,
            EVERY,
            _HOPE,
            _AT_ONCE,
        )
    gate = asyncio.Semaphore(_TOGETHER)
    async with asyncio.TaskGroup() as group:
        for row in rows:
            group.create_task(_check(office, gate, row["tenant_id"], row["host"], row["slug"]))


async def _check(
    office: Office, gate: asyncio.Semaphore, tenant_id: UUID, host: str, slug: str
) -> None:
    deployment = office.deployment
    async with gate:
        async with deployment.db.system() as connection:
            if not await take_turn(connection, tenant_id, host, EVERY):
                return
        resolver = Resolver(deployment.settings.dns_servers)
        target = f"{slug}.{deployment.settings.base_host}"
        try:
            await check_domain(deployment.db, resolver, tenant_id, host, target, _BY)
        except (HostTaken, UnknownHost) as error:
            # Another tenant was faster, or the domain was removed meanwhile.
            log.info("domain_not_verified", host=host, reason=str(error))
