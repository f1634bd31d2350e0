"""What changed in the mirror: followed when knocked for, and swept up when nobody knocked."""

from uuid import UUID

from guichet.billing import news
from guichet.billing.dunning.running import RUN_DUNNING
from guichet.billing.news import FOLLOW_NEWS
from guichet.billing.reminders import remind
from guichet.messages.queueing import SEND_MESSAGES
from guichet.metrics.figures import make_figures_due
from workers.office import Office


async def follow_news(office: Office, tenant_id: str) -> None:
    """Follow one tenant's news, and knock for whoever goes on with what comes of it.

    Where a test clock moved, its customers are reminded at once of what is near now.
    """
    deployment, tenant = office.deployment, UUID(tenant_id)
    entry = deployment.directory.by_id(tenant)
    # One that was added a moment ago may not be known here yet: the next sweep comes by again.
    if entry is None or entry.status != "active":
        return
    # Before they are followed: what a killed worker leaves is followed, and counted, by another.
    async with deployment.db.unit(tenant) as unit:
        await make_figures_due(unit)
    configuration = (await deployment.directory.published(entry)).configuration
    followed = await news.follow_news(deployment.db, tenant, configuration)
    if followed.cases:
        await deployment.outbox.knock(RUN_DUNNING, tenant_id)
    mails = followed.mails
    if followed.clocks:
        mails += await remind(deployment.db, tenant, configuration.mails, followed.clocks)
    if mails:
        await deployment.outbox.knock(SEND_MESSAGES, tenant_id)


async def sweep_news(office: Office) -> None:
    """Knock for every active tenant with news, walking the index from tenant to tenant."""
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            with recursive waiting as (
              (
                select tenant_id
                from mirror_news
                where set_aside_at is null
                order by tenant_id
                limit 1
              )
              union all
              select (
                select news.tenant_id
                from mirror_news as news
                where news.set_aside_at is null
                and news.tenant_id > waiting.tenant_id
                order by news.tenant_id
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
            """
        )
    for row in rows:
        await office.deployment.outbox.knock(FOLLOW_NEWS, str(row["tenant_id"]))
