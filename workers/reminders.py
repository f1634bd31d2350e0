"""Customers reminded of what is near: each tenant's once an hour, spread over it."""

from datetime import timedelta
from uuid import UUID

from guichet.billing import reminders
from guichet.billing.reminders import REMIND
from guichet.messages.queueing import SEND_MESSAGES
from workers.office import Office

#: How often each tenant's customers are looked at.
EVERY = timedelta(hours=1)


async def remind_all(office: Office) -> None:
    """Knock for every active tenant, spread over most of the time to the next beat."""
    tenants = [it.id for it in office.deployment.directory if it.status == "active"]
    spread = 0.8 * EVERY.total_seconds()
    for place, tenant in enumerate(sorted(tenants)):
        await office.deployment.outbox.knock(REMIND, str(tenant), spread * place / len(tenants))


async def remind(office: Office, tenant_id: str) -> None:
    """Remind one tenant's customers of what is within reach by now."""
    deployment, tenant = office.deployment, UUID(tenant_id)
    entry = deployment.directory.by_id(tenant)
    if entry is None or entry.status != "active":
        return
    configuration = (await deployment.directory.published(entry)).configuration
    if await reminders.remind(deployment.db, tenant, configuration.mails):
        await deployment.outbox.knock(SEND_MESSAGES, tenant_id)
