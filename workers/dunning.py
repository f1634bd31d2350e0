"""Failed payments: their cases brought on when they are due, and counted."""

from uuid import UUID

from prometheus_client import Gauge

from guichet.billing.dunning.running import RUN_DUNNING
from guichet.messages.queueing import SEND_MESSAGES
from workers.office import Office

_cases = Gauge("guichet_dunning_cases", "Open cases of failed payments, by state.", ["state"])
_due = Gauge("guichet_dunning_due", "Cases that are due and that nobody has come for.")
_oldest = Gauge("guichet_dunning_due_seconds", "Since when the oldest of them is due.")


async def run_dunning(office: Office, tenant_id: str) -> None:
    """Bring one tenant's cases on for a while, then let others have their turn."""
    tenant = UUID(tenant_id)
    if not office.works_for(tenant):
        return
    if await office.runner.run(tenant):
        await office.deployment.outbox.knock(RUN_DUNNING, tenant_id)
    await office.deployment.outbox.knock(SEND_MESSAGES, tenant_id)


async def sweep_dunning(office: Office) -> None:
    """Knock for every active tenant with a case that is due.

    One look into the index for each tenant: the cost grows with their number, and not with that of
    the cases, nor with how many of somebody else's are due.
    """
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            select tenant.id
            from tenants as tenant
            where tenant.status = 'active'
            and exists (
              select
              from dunning_cases as held
              where held.tenant_id = tenant.id
              and held.wake_at <= now()
            )
            and not exists (
              select
              from provider_connections as connection
              where connection.tenant_id = tenant.id
              and connection.stopped
            )
            """
        )
    for row in rows:
        await office.deployment.outbox.knock(RUN_DUNNING, str(row["id"]))


async def sweep_policies(office: Office) -> None:
    """Knock for every active tenant whose cases were decided by a policy that is no longer its."""
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            select tenant.id
            from tenants as tenant
            where tenant.status = 'active'
            and exists (
              select
              from dunning_cases as held
              where held.tenant_id = tenant.id
              and held.wake_at is not null
              and held.policy_version < tenant.published_version
            )
            and not exists (
              select
              from provider_connections as connection
              where connection.tenant_id = tenant.id
              and connection.stopped
            )
            """
        )
    for row in rows:
        await office.deployment.outbox.knock(RUN_DUNNING, str(row["id"]))


async def count_cases(office: Office) -> None:
    """Bring this process's gauges up to date."""
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            select
              state,
              count(1) as cases,
              count(1) filter (where wake_at <= now()) as due,
              extract(
                epoch from now() - min(wake_at) filter (where wake_at > '-infinity')
              )::float as age
            from dunning_cases
            where wake_at is not null
            group by state
            """
        )
    counted = {row["state"]: row["cases"] for row in rows}
    for state in ("waiting", "asking", "provider", "attempting", "unknown"):
        _cases.labels(state).set(counted.get(state, 0))
    _due.set(sum(row["due"] for row in rows))
    _oldest.set(max((row["age"] for row in rows if row["age"] and row["due"]), default=0.0))
