"""Changes that a customer confirmed and that are unfinished: repeated, or looked up."""

from datetime import UTC, datetime
from uuid import UUID

from guichet.billing.change_requests import resume_unfinished
from workers.office import Office

RESUME_CHANGES = "resume_changes"


async def resume_changes(office: Office, tenant_id: str) -> None:
    """Settle one tenant's unfinished changes whose lease has run out."""
    deployment = office.deployment
    tenant = UUID(tenant_id)
    provider = await deployment.providers.client(tenant)
    await resume_unfinished(deployment.db, provider, tenant, datetime.now(UTC))


async def sweep_changes(office: Office) -> None:
    """Knock for every tenant with an unfinished change that nobody is at work on."""
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            select distinct tenant_id
            from change_requests
            where state in ('started', 'unknown')
            and (claimed_until is null or claimed_until < now())
            """
        )
    for row in rows:
        await office.deployment.outbox.knock(RESUME_CHANGES, str(row["tenant_id"]))
