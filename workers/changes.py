"""Changes that a customer confirmed and that are unfinished: repeated, or looked up."""

from datetime import UTC, datetime
from uuid import UUID

import structlog

from guichet.billing.news import FOLLOW_NEWS
from guichet.billing.resuming import resume_unfinished
from guichet.messages.queueing import SEND_MESSAGES
from guichet.payments.errors import ProviderKeyRejected
from workers.office import Office

log = structlog.get_logger()

RESUME_CHANGES = "resume_changes"


async def resume_changes(office: Office, tenant_id: str) -> None:
    """Settle one tenant's unfinished changes whose lease has run out."""
    deployment, tenant = office.deployment, UUID(tenant_id)
    if not office.works_for(tenant):
        return
    try:
        if await resume_unfinished(deployment.db, deployment.providers, tenant, datetime.now(UTC)):
            for job in (FOLLOW_NEWS, SEND_MESSAGES):
                await deployment.outbox.knock(job, tenant_id)
    except ProviderKeyRejected as error:
        log.warning("changes_not_resumed", tenant=tenant_id, reason=error.code)


async def sweep_changes(office: Office) -> None:
    """Knock for every active tenant with an unfinished change that nobody is at work on."""
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            select distinct request.tenant_id
            from change_requests as request
            join tenants as tenant
              on tenant.id = request.tenant_id
            where request.state in ('started', 'unknown')
            and (request.claimed_until is null or request.claimed_until < now())
            and tenant.status = 'active'
            and not exists (
              select
              from provider_connections as connection
              where connection.tenant_id = request.tenant_id
              and connection.stopped
            )
            """
        )
    for row in rows:
        await office.deployment.outbox.knock(RESUME_CHANGES, str(row["tenant_id"]))
