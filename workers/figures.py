"""Each merchant's figures, counted when something has changed, and once an hour besides."""

from uuid import UUID

from guichet.metrics import figures
from guichet.metrics.figures import COUNT_FIGURES, due_tenants
from workers.office import Office

#: Knocks of one beat; those who are not among them are due the longest at one of the next.
_AT_ONCE = 200


async def sweep_figures(office: Office) -> None:
    """Knock for every active tenant whose figures are due."""
    async with office.deployment.db.system() as connection:
        due = await due_tenants(connection, _AT_ONCE)
    for tenant_id in due:
        await office.deployment.outbox.knock(COUNT_FIGURES, str(tenant_id))


async def count_figures(office: Office, tenant_id: str) -> None:
    """Count one tenant's figures, if they are due and not too many are counted already."""
    tenant = UUID(tenant_id)
    if office.works_for(tenant) and not office.long_jobs.locked():
        async with office.long_jobs:
            await figures.count_figures(office.deployment.db, tenant)
