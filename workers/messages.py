"""Queued mails: sent when knocked for, swept up when nobody knocked, and counted."""

from uuid import UUID

from prometheus_client import Gauge

from guichet.messages.queueing import SEND_MESSAGES
from workers.office import Office

_AGAIN_SECONDS = 1.0

_waiting = Gauge(
    "guichet_messages_waiting", "Mails that are queued or being sent, by kind.", ["kind"]
)
_overdue = Gauge(
    "guichet_messages_waiting_seconds", "Since the mail was due that has been for longest."
)


async def send_messages(office: Office, tenant_id: str) -> None:
    """Send what is due for one tenant."""
    tenant = UUID(tenant_id)
    if office.works_for(tenant) and await office.sender.send_messages(tenant):
        await office.deployment.outbox.knock(SEND_MESSAGES, tenant_id, _AGAIN_SECONDS)


async def sweep_messages(office: Office) -> None:
    """Knock for every active tenant with a mail that is due, walking as `sweep_events` does."""
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            with recursive waiting as (
              (
                select tenant_id
                from messages
                where due_at is not null
                order by tenant_id
                limit 1
              )
              union all
              select (
                select message.tenant_id
                from messages as message
                where message.due_at is not null
                and message.tenant_id > waiting.tenant_id
                order by message.tenant_id
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
            and exists (
              select
              from messages as message
              where message.tenant_id = waiting.tenant_id
              and message.due_at < now()
            )
            """
        )
    for row in rows:
        await office.deployment.outbox.knock(SEND_MESSAGES, str(row["tenant_id"]))


async def count_messages(office: Office) -> None:
    """Bring this process's gauges up to date."""
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            select
              kind,
              count(*) as waiting,
              extract(epoch from greatest(now() - min(due_at), interval '0'))::float8 as overdue
            from messages
            where due_at is not null
            group by kind
            """
        )
    _waiting.clear()
    for row in rows:
        _waiting.labels(row["kind"]).set(row["waiting"])
    _overdue.set(max((row["overdue"] for row in rows), default=0.0))
