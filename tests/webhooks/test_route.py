"""`POST /webhooks/stripe` on a tenant's host, through the whole web program."""

from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import UUID

import httpx
import pytest

from guichet.app import create_app
from guichet.db import Database
from guichet.settings import Settings
from tests.databases import DatabaseUrls
from tests.deliveries import body_of, signature
from tests.merchants import registry_for

_PATH = "/webhooks/stripe"


@pytest.fixture
async def client(
    settings_without_sandbox: Settings, tenant: UUID
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the tenant's host."""
    assert tenant
    web = create_app(settings_without_sandbox)
    async with (
        web.lifespan(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(cast(Any, web)), base_url="http://lumen.localhost:8000"
        ) as client,
    ):
        yield client


async def _count(db: Database, tenant: UUID) -> int:
    async with db.unit(tenant) as unit:
        count = await unit.fetchval(
            "select count(*) from provider_events where tenant_id = $1", tenant
        )
    return int(count)


async def test_a_signed_delivery_is_stored(
    client: httpx.AsyncClient, db: Database, tenant: UUID
) -> None:
    body = body_of()
    answer = await client.post(_PATH, content=body, headers={"stripe-signature": signature(body)})
    assert answer.status_code == 200
    assert await _count(db, tenant) == 1


async def test_an_unsigned_delivery_is_refused(
    client: httpx.AsyncClient, db: Database, tenant: UUID
) -> None:
    answer = await client.post(_PATH, content=body_of())
    assert answer.status_code == 400
    assert await _count(db, tenant) == 0


async def test_a_body_over_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    body = b"x" * (1024 * 1024 + 1)
    answer = await client.post(_PATH, content=body, headers={"stripe-signature": signature(body)})
    assert answer.status_code == 413


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_only_a_post_delivers(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, _PATH)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


async def test_other_paths_beside_it_are_not_there(client: httpx.AsyncClient) -> None:
    body = body_of()
    for path in ("/webhooks/", "/webhooks/stripe/", "/webhooks/other"):
        answer = await client.post(
            path, content=body, headers={"stripe-signature": signature(body)}
        )
        assert answer.status_code == 404


async def test_a_suspended_tenant_takes_no_deliveries(
    client: httpx.AsyncClient, database_urls: DatabaseUrls, db: Database, tenant: UUID
) -> None:
    await registry_for(database_urls, db).set_status("lumen", "suspended")
    body = body_of()
    signed = {"stripe-signature": signature(body)}
    for _ in range(200):
        answer = await client.post(_PATH, content=body, headers=signed)
        if answer.status_code != 200:
            break
    assert answer.status_code == 403


async def test_another_host_does_not_take_the_tenant_s_deliveries(
    client: httpx.AsyncClient, db: Database, tenant: UUID
) -> None:
    body = body_of()
    signed = {"stripe-signature": signature(body)}
    for host in ("localhost:8000", "nobody.localhost:8000"):
        answer = await client.post(_PATH, content=body, headers={**signed, "host": host})
        assert answer.status_code in (404, 405)
    assert await _count(db, tenant) == 0
