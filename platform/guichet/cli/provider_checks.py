"""Whether each tenant's payment provider lets us in, for the doctor."""

import asyncio

import asyncpg

from guichet.cli.checks import Finding
from guichet.db import Database, connect
from guichet.payments.choose import SECRET_KEY, WEBHOOK_SECRET, Providers
from guichet.payments.connections import (
    ProviderConnection,
    RejectedTenant,
    read_connection,
    rejected_tenants,
)
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
                checked = await _check_all(db, providers, tenants)
            return checked + await _beyond(db, tenants[-1].slug if tenants else "")
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


async def _beyond(db: Database, last: str) -> list[Finding]:
    """Tenants that are not asked about one by one, as far as they are known to be turned away."""
    async with db.system() as connection:
        rejected = await rejected_tenants(connection, after=last, limit=_MOST_TENANTS)
    return [_turned_away(it.slug, it) for it in rejected]


async def _check(db: Database, providers: Providers, tenant: Tenant) -> Finding:
    subject = f"provider of {tenant.slug}"
    held = await _connection(db, tenant)
    if held is not None and held.refused is not None:
        # To be asked for its account would not show what the key may not do.
        return _turned_away(tenant.slug, held)
    try:
        account = await providers.probe(tenant.id)
    except ProviderKeyRejected as error:
        held = await _connection(db, tenant)
        if held is not None and held.reason is not None:
            return _turned_away(tenant.slug, held)
        return Finding(subject, error.message, f"Set its key: {_set_key(tenant.slug)}")
    except ProviderError as error:
        return Finding(subject, error.message, "Try again, and look at the provider's status.")
    return await _let_in(db, tenant, f"account {account.id}" if account else "the key is good")


async def _connection(db: Database, tenant: Tenant) -> ProviderConnection | None:
    async with db.unit(tenant.id) as unit:
        return await read_connection(unit)


def _set_key(slug: str) -> str:
    return f"guichet tenant set-key {slug} {SECRET_KEY}"


def _turned_away(slug: str, held: ProviderConnection | RejectedTenant) -> Finding:
    """Since when and why the provider turns a tenant away, and what to do about it."""
    since = f"{held.rejected_at:since %Y-%m-%d %H:%M} UTC"
    set_key = _set_key(slug)
    match held.reason:
        case "key_missing":
            text, remedy = "it has no key", f"Set it: {set_key}"
        case "key_sealed":
            text = "its key does not open"
            remedy = (
                f"Add the master key of its day to GUICHET_MASTER_KEY, or set it anew: {set_key}"
            )
        case "may_not_mirror" | "may_not_act":
            text = f"its key may not {held.refused}"
            remedy = f"Allow it at the provider, or set a key that may: {set_key}"
        case _:
            text = "the provider does not accept its key"
            remedy = f"Have a new one made at the provider and set it: {set_key}"
    waits = "" if held.reason == "may_not_act" else "; work in the background waits"
    return Finding(f"provider of {slug}", f"{text}, {since}{waits}", remedy)


async def _let_in(db: Database, tenant: Tenant, text: str) -> Finding:
    subject = f"provider of {tenant.slug}"
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
    return Finding(subject, text)
