"""Whether each tenant's payment provider lets us in, for the doctor."""

import asyncio

import asyncpg

from guichet.cli.checks import Finding
from guichet.db import Database, connect
from guichet.payments.choose import SECRET_KEY, WEBHOOK_SECRET, Providers
from guichet.payments.errors import ProviderError, ProviderKeyRejected
from guichet.settings import Settings
from tenants.tenant import Tenant, list_tenants
from tenants.vault import Vault, VaultError, secret_names

#: Beyond so many the doctor would take minutes; their rounds are in the metrics.
_MOST_TENANTS = 100
_AT_ONCE = 8


async def check_providers(settings: Settings) -> list[Finding]:
    """Each active tenant's key opens and is accepted, and its events can be verified."""
    try:
        vault = Vault(settings.master_keys)
        async with connect(settings.database_url, connections=4) as db:
            async with db.system() as connection:
                tenants = await list_tenants(connection, limit=_MOST_TENANTS)
            async with Providers(settings, db, vault) as providers:
                return await _check_all(db, providers, tenants)
    except (OSError, TimeoutError, ValueError, VaultError, asyncpg.PostgresError):
        # The checks of the master keys and of the database have said why.
        return []


async def _check_all(db: Database, providers: Providers, tenants: list[Tenant]) -> list[Finding]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def check(tenant: Tenant) -> Finding:
        async with gate:
            return await _check(db, providers, tenant)

    active = [tenant for tenant in tenants if tenant.status == "active"]
    return list(await asyncio.gather(*map(check, active)))


async def _check(db: Database, providers: Providers, tenant: Tenant) -> Finding:
    subject = f"provider of {tenant.slug}"
    try:
        account = await (await providers.client(tenant.id)).account()
    except ProviderKeyRejected as error:
        remedy = f"Set its key: guichet tenant set-key {tenant.slug} {SECRET_KEY}"
        return Finding(subject, error.message, remedy)
    except ProviderError as error:
        return Finding(subject, error.message, "Try again, and look at the provider's status.")
    async with db.unit(tenant.id) as unit:
        names = await secret_names(unit.connection, tenant.id)
        failure = await unit.fetchval(
            """
            select failure
            from reconciliations
            where tenant_id = $1
            """,
            tenant.id,
        )
    if WEBHOOK_SECRET not in names:
        remedy = f"Set its secret: guichet tenant set-key {tenant.slug} {WEBHOOK_SECRET}"
        return Finding(subject, "its events cannot be verified", remedy)
    if failure:
        remedy = f"See what is said by: guichet sync {tenant.slug}"
        return Finding(subject, f"its events were not read: {failure}", remedy)
    return Finding(subject, f"account {account.id}")
