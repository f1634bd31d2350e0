"""Provider events: applied when knocked for, and swept up when nobody knocked."""

from uuid import UUID

from guichet.webhooks.intake import HANDLE_EVENTS
from workers.office import Office


async def handle_events(office: Office, tenant_id: str) -> None:
    """Apply what waits for one tenant."""
    tenant = UUID(tenant_id)
    if office.works_for(tenant):
        await office.applier.handle_events(tenant)


async def sweep_events(office: Office) -> None:
    """Knock for every active tenant with rows that nobody has come for.

    The index of waiting rows is walked from tenant to tenant, so the cost grows with the number of
    tenants that have some, and not with the rows.
    """
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            with recursive waiting as (
              (
                select tenant_id
                from provider_events
                where handled_at is null
                order by tenant_id
                limit 1
              )
              union all
              select (
                select event.tenant_id
                from provider_events as event
                where event.handled_at is null
                and event.tenant_id > waiting.tenant_id
                order by event.tenant_id
                limit 1
              )
              from waiting
              where waiting.tenant_id is not null
            )
            select waiting.tenant_id
            from waiting
            join tenants as tenant
              on tenant.id = waiting.tenant_id
            where tenant.status = 'active'
            and not exists (
              select
              from provider_connections as connection
              where connection.tenant_id = waiting.tenant_id
              and connection.stopped
            )
            and exists (
              select
              from provider_events as event
              where event.tenant_id = waiting.tenant_id
              and event.handled_at is null
              and event.received_at < now() - interval '1 second'
              and (event.claimed_until is null or event.claimed_until < now())
            )
            """
        )
    for row in rows:
        await office.deployment.outbox.knock(HANDLE_EVENTS, str(row["tenant_id"]))
