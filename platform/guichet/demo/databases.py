"""Where the demo keeps its data: embedded servers, or those that the environment names."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import asyncpg

from guichet import schema
from guichet.demo.home import Home
from guichet.demo.supervise import Supervisor
from guichet.embedded.postgres import OWNER_ROLE, WEB_ROLE, EmbeddedPostgres
from guichet.embedded.valkey import EmbeddedValkey


def start_postgres(home: Home, environ: Mapping[str, str], supervisor: Supervisor) -> str:
    """Have a migrated database; answers the URL of the application's role.

    `DATABASE_URL` replaces the embedded server. It is taken for the application's role when
    `GUICHET_OWNER_DATABASE_URL` names the owner's, and for the owner's when that is missing: then
    the demo makes a role for the application, since no owner is held by row-level security.
    """
    given = environ.get("DATABASE_URL")
    owner_url = environ.get("GUICHET_OWNER_DATABASE_URL") or given
    if not given or not owner_url:
        server = EmbeddedPostgres(home.directory / "postgres", log=home.logs / "postgres.log")
        supervisor.start(server)
        owner_url, web_url = server.url(OWNER_ROLE), server.url(WEB_ROLE)
    elif owner_url == given:
        web_url = asyncio.run(_application_url(owner_url, home))
    else:
        web_url = given
    schema.apply_migrations(owner_url)
    asyncio.run(schema.grant_application(owner_url, urlsplit(web_url).username or ""))
    return web_url


def start_redis(home: Home, environ: Mapping[str, str], supervisor: Supervisor) -> str:
    """Have a Redis; answers its URL. `REDIS_URL` replaces the embedded Valkey."""
    if given := environ.get("REDIS_URL"):
        return given
    server = EmbeddedValkey(home.directory / "valkey", log=home.logs / "valkey.log")
    supervisor.start(server)
    return server.url()


async def _application_url(owner_url: str, home: Home) -> str:
    """The owner's URL with a role that owns nothing, which is made at first."""
    role = f"guichet_demo_{home.identifier()}"
    password = home.password(role)
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        known = await connection.fetchval("select true from pg_roles where rolname = $1", role)
        if not known:
            create = await connection.fetchval(
                "select format('create role %I login password %L', $1::text, $2::text)",
                role,
                password,
            )
            await connection.execute(create)
    finally:
        await connection.close()
    parts = urlsplit(owner_url)
    server = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:{password}@{server}").geturl()
