"""What providers never delivered, looked for in their own lists of events."""

from datetime import timedelta
from uuid import UUID

import structlog

from guichet.billing.imports import ImportAtWork
from guichet.billing.reconciling import RECONCILE_TENANT, reconcile
from guichet.payments.errors import ProviderError
from guichet.webhooks.intake import HANDLE_EVENTS
from workers.office import Office

log = structlog.get_logger()

#: How often each tenant's list is read.
EVERY = timedelta(minutes=5)
# A turn is taken a little early rather than left out: the timetable is not to the second.
_DUE = EVERY - timedelta(seconds=30)


async def reconcile_all(office: Office) -> None:
    """Knock for every active tenant that its provider lets in, spread over the time to the next."""
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            select tenant.id
            from tenants as tenant
            where tenant.status = 'active'
            and not exists (
              select
              from provider_connections as connection
              where connection.tenant_id = tenant.id
              and connection.stopped
            )
            order by tenant.id
            """
        )
    spread = 0.5 * EVERY.total_seconds()
    for place, row in enumerate(rows):
        delay = spread * place / len(rows)
        await office.deployment.outbox.knock(RECONCILE_TENANT, str(row["id"]), delay)


async def reconcile_tenant(office: Office, tenant_id: str) -> None:
    """Store what one tenant missed, if it is time, and have it applied.

    Where it has to be imported, and too many accounts are read already, a later round does it.
    """
    deployment = office.deployment
    tenant = UUID(tenant_id)
    if not office.works_for(tenant) or await office.is_turned_away(tenant):
        return
    try:
        provider = await deployment.providers.client(tenant)
        done = await reconcile(
            deployment.db,
            provider,
            tenant,
            every=_DUE,
            rate=deployment.settings.import_rate,
            imports=office.long_jobs,
        )
    except ImportAtWork:
        # Whoever is at it reads all there is.
        return
    except ProviderError as error:
        # It stands on the tenant's row, for `guichet doctor`; the next round tries again.
        log.warning("not_reconciled", tenant=tenant_id, reason=error.code)
        return
    if done is not None and done.events:
        await deployment.outbox.knock(HANDLE_EVENTS, tenant_id)
