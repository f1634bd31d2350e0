"""Webhook endpoints whose making was cut off, or that are left in accounts that a tenant had."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog

from guichet.audit import Actor
from guichet.payments.endpoints import WEBHOOK_PATH, EndpointMaker
from guichet.payments.errors import ProviderError
from guichet.payments.former_accounts import Leaving
from guichet.payments.key_checks import known_account
from guichet.tenancy import Addresses
from workers.office import Office

log = structlog.get_logger()

MEND_ENDPOINTS = "mend_endpoints"

#: Whoever is refused is asked again after so long.
_AGAIN_AFTER = timedelta(minutes=10)
#: Of however many tenants, so many are knocked for at a beat.
_AT_ONCE = 100
_BY = Actor("system", "endpoints")


async def sweep_endpoints(office: Office) -> None:
    """Knock for the tenants that have something due, the longest ago first.

    One whose provider turns it away waits for its key, but not for what it has left.
    """
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            select due.tenant_id
            from (
              select endpoint.tenant_id, endpoint.due_at
              from provider_endpoints as endpoint
              where endpoint.due_at <= now()
              and not exists (
                select
                from provider_connections as held
                where held.tenant_id = endpoint.tenant_id
                and held.stopped
              )
              union all
              select account.tenant_id, account.due_at
              from former_accounts as account
              where account.due_at <= now()
            ) as due
            join tenants as tenant
              on tenant.id = due.tenant_id
            where tenant.status = 'active'
            group by due.tenant_id
            order by min(due.due_at)
            limit $1
            """,
            _AT_ONCE,
        )
    for row in rows:
        await office.deployment.outbox.knock(MEND_ENDPOINTS, str(row["tenant_id"]))


async def mend_endpoints(office: Office, tenant_id: str) -> None:
    """Bring one tenant to exactly one endpoint, in its present account and in no former one."""
    tenant = UUID(tenant_id)
    deployment = office.deployment
    entry = deployment.directory.by_id(tenant)
    if entry is None or entry.status != "active":
        return
    url = Addresses(deployment.settings).portal(entry.slug, path=WEBHOOK_PATH)
    leaving = Leaving(deployment.db, deployment.vault, deployment.providers, tenant, url)
    await leaving.finish(_BY, "")
    turn = await _take_turn(office, tenant)
    if turn is None or await office.is_turned_away(tenant):
        return
    try:
        is_done = await _look_again(office, tenant, url)
    except ProviderError as error:
        log.info("endpoint_not_mended", tenant=tenant_id, reason=error.code)
    else:
        if is_done:
            await _end_turn(office, tenant, turn)


async def _look_again(office: Office, tenant_id: UUID, url: str) -> bool:
    """Answers whether nothing is left to do for the endpoint."""
    deployment = office.deployment
    async with deployment.db.unit(tenant_id) as unit:
        account = await known_account(unit)
    if account is None:
        # The key was set in another way, and whoever did so sees to the endpoint.
        return True
    provider = await deployment.providers.client(tenant_id)
    maker = EndpointMaker(deployment.db, deployment.vault, provider, tenant_id, url)
    return await maker.look_again(_BY, "", live=account.mode == "live")


async def _take_turn(office: Office, tenant_id: UUID) -> datetime | None:
    """Until when this worker has it to itself; None where nothing is due."""
    async with office.deployment.db.unit(tenant_id) as unit:
        turn: datetime | None = await unit.fetchval(
            """
            update provider_endpoints
            set due_at = now() + $2::interval
            where tenant_id = $1
            and due_at <= now()
            returning due_at
            """,
            tenant_id,
            _AGAIN_AFTER,
        )
    return turn


async def _end_turn(office: Office, tenant_id: UUID, turn: datetime) -> None:
    """Nothing is left to do, unless somebody has begun something meanwhile."""
    async with office.deployment.db.unit(tenant_id) as unit:
        await unit.execute(
            """
            update provider_endpoints
            set due_at = null
            where tenant_id = $1
            and due_at = $2
            """,
            tenant_id,
            turn,
        )
