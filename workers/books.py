"""Each tenant's books checked once a day, a few tenants at a time; what is harmless is mended."""

from datetime import timedelta
from uuid import UUID

import structlog
from prometheus_client import Gauge

from guichet.billing.books import check_books, count_different
from guichet.payments.errors import ProviderError
from workers.office import Office

log = structlog.get_logger()

CHECK_BOOKS = "check_books"

#: How often some tenants' checks are begun.
EVERY = timedelta(minutes=10)

#: Customers whose payment methods one check lists, a request each: an hour and a half of the six
#: that a check may take.
_METHODS_OF = 50_000

_different = Gauge("guichet_tenants_with_book_differences", "Active tenants whose books differ.")


async def count_differences(office: Office) -> None:
    """Bring this process's gauge up to date."""
    async with office.deployment.db.system() as connection:
        _different.set(await count_different(connection))


async def check_due_books(office: Office) -> None:
    """Knock for those due the longest, so few that all get their turn within half a day.

    A tenant that was never imported, or that its provider turns away, has no books to check.
    """
    async with office.deployment.db.system() as connection:
        rows = await connection.fetch(
            """
            select tenant.id
            from tenants as tenant
            join reconciliations as reconciliation
              on reconciliation.tenant_id = tenant.id
              and reconciliation.read_until > 'epoch'
            left join book_checks as held
              on held.tenant_id = tenant.id
            where tenant.status = 'active'
            and coalesce(held.due_at, '-infinity') <= now()
            and not exists (
              select
              from provider_connections as connection
              where connection.tenant_id = tenant.id
              and connection.stopped
            )
            order by held.due_at nulls first
            limit greatest(4, (select count(1) from tenants where status = 'active') / 72)
            """
        )
    spread = 0.8 * EVERY.total_seconds()
    for place, row in enumerate(rows):
        delay = spread * place / len(rows)
        await office.deployment.outbox.knock(CHECK_BOOKS, str(row["id"]), delay)


async def check_tenant_books(office: Office, tenant_id: str) -> None:
    """Check one tenant's books, if they are due and not too many accounts are read already."""
    tenant, deployment = UUID(tenant_id), office.deployment
    if not office.works_for(tenant) or await office.is_turned_away(tenant):
        return
    try:
        provider = await deployment.providers.client(tenant)
        if office.long_jobs.locked():
            return
        async with office.long_jobs:
            await check_books(
                deployment.db,
                provider,
                tenant,
                repair=True,
                only_due=True,
                methods_of=_METHODS_OF,
            )
    except ProviderError as error:
        # It stands on the tenant's row, for `guichet doctor`; the next beat after an hour tries.
        log.warning("books_not_checked", tenant=tenant_id, reason=error.code)
