"""For which names a reverse proxy may get a certificate."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest

from guichet.app import create_app
from guichet.db import Database
from guichet.deployment import Deployment
from guichet.settings import Settings
from tenants.hosts import add_host, verify_host
from tenants.tenant import Tenant, set_status
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for

PATH = "/internal/tls-allowed"


@pytest.fixture
async def lumen(database_urls: DatabaseUrls, db: Database) -> Tenant:
    """A tenant with a verified domain and one that it only claims."""
    tenant = await add_merchant(registry_for(database_urls, db))
    async with db.system() as connection:
        await add_host(connection, tenant.id, "pay.lumen.example")
        await verify_host(connection, tenant.id, "pay.lumen.example")
        await add_host(connection, tenant.id, "claimed.example")
    return tenant


class Proxy:
    """What asks, and the deployment that answers."""

    def __init__(self, client: httpx.AsyncClient, deployment: Deployment) -> None:
        self.client = client
        self.deployment = deployment

    async def asks(self, query: str) -> int:
        return (await self.client.get(f"{PATH}{query}")).status_code


@pytest.fixture
async def proxy(settings_without_sandbox: Settings, lumen: Tenant) -> AsyncIterator[Proxy]:
    edge = create_app(settings_without_sandbox)
    transport = httpx.ASGITransport(app=edge)  # type: ignore[arg-type]
    async with (
        edge.lifespan() as deployment,
        httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client,
    ):
        yield Proxy(client, deployment)


@pytest.mark.parametrize(
    "domain",
    [
        "lumen.localhost",
        "pay.lumen.example",
        "PAY.Lumen.Example",
        "pay.lumen.example.",
        "console.localhost",
        "preview.localhost",
        "api.localhost",
    ],
)
async def test_a_name_that_is_served_may_have_a_certificate(proxy: Proxy, domain: str) -> None:
    assert await proxy.asks(f"?domain={domain}") == 200


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "localhost",
        "nobody.localhost",
        "a.lumen.localhost",
        "claimed.example",
        "lumen.example",
        "pay.lumen.example:443",
        "u@pay.lumen.example",
        "*.localhost",
        "pay.lumen.example/x",
        "pay.lumen.example\0",
        "[::1]",
        "bücher.example",
        f"{'a.' * 1000}example",
    ],
)
async def test_every_other_name_may_not(proxy: Proxy, domain: str) -> None:
    assert await proxy.asks(f"?domain={quote(domain)}") == 404


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?domain",
        "?name=lumen.localhost",
        "?domain=lumen.localhost&domain=evil.example",
        "?domain=lumen.localhost&x=1",
        "?domain=%FF%FE",
    ],
)
async def test_a_question_that_is_none_is_answered_no(proxy: Proxy, query: str) -> None:
    assert await proxy.asks(query) == 404


async def test_a_suspended_tenant_s_names_may_not(
    proxy: Proxy, db: Database, lumen: Tenant
) -> None:
    async with db.system() as connection:
        await set_status(connection, lumen.id, "suspended")
    await _until_known(proxy, 404)
    assert await proxy.asks("?domain=lumen.localhost") == 404
    async with db.system() as connection:
        await set_status(connection, lumen.id, "active")
    await _until_known(proxy, 200)


async def _until_known(proxy: Proxy, status: int) -> None:
    async with asyncio.timeout(5):
        while await proxy.asks("?domain=pay.lumen.example") != status:
            await asyncio.sleep(0.01)


async def test_the_answer_needs_no_database(proxy: Proxy) -> None:
    await proxy.deployment.db.pool.close()
    assert await proxy.asks("?domain=pay.lumen.example") == 200
    assert await proxy.asks("?domain=nobody.example") == 404


async def test_other_hosts_do_not_answer(proxy: Proxy) -> None:
    for host in ("lumen.localhost:8000", "console.localhost:8000", "nobody.example"):
        headers = {"host": host}
        answer = await proxy.client.get(f"{PATH}?domain=lumen.localhost", headers=headers)
        assert answer.status_code in (303, 307, 404), host
        assert answer.text != "yes"
