"""What the doctor looks at. Each check answers with findings, and each fault says what to do."""

from collections.abc import Awaitable, Callable

import asyncpg
import msgspec
import redis.asyncio
from redis.exceptions import RedisError

from guichet.schema import pending_migrations
from guichet.settings import Settings
from tenants.vault import Vault, VaultError

_OLDEST_POSTGRES = 15
_TIMEOUT_SECONDS = 5


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. `remedy` says what to do about a fault; empty when well."""

    subject: str
    text: str
    remedy: str = ""


Check = Callable[[Settings], Awaitable[list[Finding]]]


async def check_addresses(settings: Settings) -> list[Finding]:
    """The settings that have no server to ask: the base domain, the demo switch."""
    if settings.demo and settings.base_host != "localhost":
        return [
            Finding(
                "settings",
                f"the demo is switched on at {settings.base_domain}",
                "Unset GUICHET_DEMO: it lets identity providers be on plain HTTP.",
            )
        ]
    return [Finding("settings", f"portals at {settings.url_scheme}://*.{settings.base_domain}")]


async def check_master_keys(settings: Settings) -> list[Finding]:
    """The master keys are keys; which secrets they open is the vault's own question."""
    try:
        vault = Vault(settings.master_keys)
    except VaultError as error:
        remedy = "Set GUICHET_MASTER_KEY to the output of: openssl rand -base64 32"
        return [Finding("master key", str(error), remedy)]
    older = len(settings.master_keys) - 1
    text = f"{vault.current} seals" + (f", {older} older still open" if older else "")
    return [Finding("master key", text)]


async def check_database(settings: Settings) -> list[Finding]:
    """PostgreSQL answers, is recent enough, holds the schema, and confines the application."""
    try:
        connection = await asyncpg.connect(settings.database_url, timeout=_TIMEOUT_SECONDS)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        remedy = "See that PostgreSQL runs and that DATABASE_URL names its host, role and password."
        return [Finding("database", f"does not answer: {error or type(error).__name__}", remedy)]
    try:
        role = await connection.fetchval("select current_user")
        return [
            _version(connection),
            *await _role_findings(connection, role),
            await _schema_finding(connection),
        ]
    finally:
        await connection.close()


def _version(connection: "asyncpg.Connection[asyncpg.Record]") -> Finding:
    version = connection.get_server_version()
    text = f"PostgreSQL {version.major}.{version.minor}"
    if version.major < _OLDEST_POSTGRES:
        return Finding("database", text, f"Upgrade it to {_OLDEST_POSTGRES} or newer.")
    return Finding("database", text)


async def _role_findings(
    connection: "asyncpg.Connection[asyncpg.Record]", role: str
) -> list[Finding]:
    """Row-level security holds only who is neither owner nor superuser."""
    row = await connection.fetchrow(
        """
        select
          role.rolsuper or role.rolbypassrls as bypasses,
          exists (select from pg_class where relowner = role.oid)
            or exists (select from pg_proc where proowner = role.oid) as owns,
          (
            select coalesce(bool_or(pg_has_role(role.oid, system.oid, 'member')), false)
            from pg_roles as system
            where system.rolname = 'guichet_system'
          ) as may_act
        from pg_roles as role
        where role.rolname = current_user
        """
    )
    assert row is not None
    findings = []
    if row["bypasses"] or row["owns"]:
        remedy = (
            "Have DATABASE_URL log in as a role of its own (create role ... login) that is no"
            " superuser, does not bypass row-level security and owns nothing; then run"
            " guichet migrate --grant-to that role."
        )
        findings.append(Finding("database role", f"{role} can see every tenant's rows", remedy))
    if not row["may_act"]:
        remedy = f"Run guichet migrate --grant-to {role}"
        findings.append(Finding("database role", f"{role} may not act as the application", remedy))
    return findings or [Finding("database role", f"{role} owns nothing and is held by its tenant")]


async def _schema_finding(connection: "asyncpg.Connection[asyncpg.Record]") -> Finding:
    try:
        pending = await pending_migrations(connection)
    except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
        return Finding("migrations", "the schema is not there, or cannot be seen", _MIGRATE)
    if pending:
        return Finding("migrations", f"pending: {', '.join(pending)}", _MIGRATE)
    return Finding("migrations", "none pending")


_MIGRATE = "Run guichet migrate --grant-to the role of DATABASE_URL."


async def check_redis(settings: Settings) -> list[Finding]:
    """Redis answers. Its content is not looked at: it may be lost at any time."""
    try:
        client = redis.asyncio.Redis.from_url(
            settings.redis_url,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            socket_timeout=_TIMEOUT_SECONDS,
        )
        async with client:
            server = await client.info("server")
    except (OSError, ValueError, RedisError) as error:
        remedy = "See that Redis or Valkey runs and that REDIS_URL names its host and password."
        return [Finding("redis", f"does not answer: {error}", remedy)]
    return [Finding("redis", f"version {server['redis_version']}")]


#: In the order in which a person mends them.
CHECKS: tuple[Check, ...] = (check_addresses, check_master_keys, check_database, check_redis)
