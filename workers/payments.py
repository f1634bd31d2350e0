"""Payments that customers left unfinished: looked for by a worker, and settled."""

from uuid import UUID

import structlog

from guichet.billing.dunning.cases.cases import UNDER_WAY
from guichet.billing.dunning.steps.stepping import ABSENCE
from guichet.billing.dunning.unfinished import ABANDONED, settle_unfinished
from guichet.billing.news import FOLLOW_NEWS
from guichet.messages.queueing import SEND_MESSAGES
from guichet.payments.errors import ProviderKeyRejected
from workers.office import Office

log = structlog.get_logger()

SETTLE_PAYMENTS = "settle_payments"


async def settle_payments(office: Office, tenant_id: str) -> None:
    """Settle one tenant's unfinished payments that nobody has come back for."""
    deployment, tenant = office.deployment, UUID(tenant_id)
    if not office.works_for(tenant):
        return
    try:
        settled = await settle_unfinished(
            deployment.db, deployment.providers, deployment.directory, tenant
        )
    except ProviderKeyRejected as error:
        log.warning("payments_not_settled", tenant=tenant_id, reason=error.code)
        return
    if settled:
        for job in (FOLLOW_NEWS, SEND_MESSAGES):
            await deployment.outbox.knock(job, tenant_id)


async def sweep_payments(office: Office) -> None:
    """Knock for every active tenant with a payment that nobody is at work on.

    One look into the index of unfinished payments for each tenant. Whoever is knocked for decides
    how long to wait after a look that told nothing.
    """
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            select tenant.id
            from tenants as tenant
            where tenant.status = 'active'
            and exists (
              select
              from dunning_attempts as own
              where own.tenant_id = tenant.id
              and own.initiator = 'customer'
              and own.finished_at is null
              and own.sent_at < now() - case
                when own.state = any($1::text[]) then $2::interval
                else $3
              end
              and (
                own.looked_at is null
                or own.looked_at < now() - least(own.looked_at - own.sent_at, interval '1 hour')
              )
            )
            and not exists (
              select
              from provider_connections as connection
              where connection.tenant_id = tenant.id
              and connection.stopped
            )
            """,
            list(UNDER_WAY),
            ABANDONED,
            ABSENCE,
        )
    for row in rows:
        await office.deployment.outbox.knock(SETTLE_PAYMENTS, str(row["id"]))
