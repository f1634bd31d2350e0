"""What is kept for a while and then removed: sign-ins that were never finished, old sessions."""

from uuid import UUID

from guichet.db import Database
from workers.office import Office


async def clean(office: Office) -> None:
    """Remove what has expired, tenant by tenant: each is a short transaction in its own scope."""
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            select id
            from tenants
            order by id
            """
        )
    for row in rows:
        await clean_tenant(office.deployment.db, row["id"])


async def clean_tenant(db: Database, tenant_id: UUID) -> None:
    """Remove a tenant's expired sign-in attempts, and sessions that ended three months ago."""
    async with db.unit(tenant_id) as unit:
        await unit.execute(
            """
            delete from sign_in_attempts
            where tenant_id = $1
            and expires_at < now()
            """,
            tenant_id,
        )
        await unit.execute(
            """
            delete from sessions
            where tenant_id = $1
            and expires_at < now() - interval '90 days'
            """,
            tenant_id,
        )
