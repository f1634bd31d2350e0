"""What every answer has, whatever made it; and what the edge answers by itself."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from guichet.app import create_app
from guichet.edge.entrance import MAX_TARGET_BYTES, Edge
from guichet.settings import Settings
from tenants.tenant import set_status
from tests.portal.shop import Shop, open_shop


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    async with open_shop(settings) as opened:
        yield opened


def client(edge: Edge, host: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=edge)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}")


async def test_health_is_answered_on_any_host(shop: Shop) -> None:
    for host in ("lumen.localhost:8000", "nobody.example", "localhost", "127.0.0.1"):
        async with client(shop.edge, host) as browser:
            assert (await browser.get("/health/live")).json() == {"status": "live"}
            assert (await browser.get("/health/ready")).json() == {"status": "ready"}
            assert (await browser.get("/health/other")).status_code == 404


async def test_a_process_that_reaches_no_database_lives_but_is_not_ready(
    settings: Settings,
) -> None:
    edge = create_app(settings)
    async with client(edge, "lumen.localhost") as browser:
        assert (await browser.get("/health/live")).status_code == 200
        assert (await browser.get("/health/ready")).status_code == 503
        assert (await browser.get("/")).status_code == 503


async def test_a_server_that_cannot_start_says_so(settings: Settings) -> None:
    lost = msgspec.structs.replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    said: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, str]) -> None:
        said.append(message["type"])

    await create_app(lost, patience_s=0)({"type": "lifespan"}, receive, send)  # type: ignore[arg-type]
    assert said == ["lifespan.startup.failed"]


async def test_hosts_without_a_portal_get_a_plain_page_of_their_own(shop: Shop) -> None:
    async with client(shop.edge, "nobody.localhost") as browser:
        unknown = await browser.get("/", headers={"accept-language": "fr"})
        assert unknown.status_code == 404
        assert "Il n’y a rien ici" in unknown.text
        assert "Lumen" not in unknown.text
    async with client(shop.edge, "a..b") as browser:
        malformed = await browser.get("/")
        assert malformed.status_code == 400
        assert "cannot be understood" in malformed.text


async def test_a_suspended_portal_is_closed_within_a_moment_and_opens_again(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        for status, expected in (("suspended", 503), ("active", 200)):
            async with shop.deployment.db.system() as connection:
                await set_status(connection, shop.tenant_id, status)  # type: ignore[arg-type]
            for _ in range(200):
                page = await ada.get("/")
                if page.status_code == expected:
                    break
                await asyncio.sleep(0.02)
            assert page.status_code == expected
            assert ("This portal is closed" in page.text) == (status == "suspended")


async def test_every_answer_has_a_request_id_and_is_not_stored(shop: Shop) -> None:
    async with shop.visitor() as visitor:
        seen = set()
        for path in ("/", "/sign-in", "/nothing", "/health/live"):
            answer = await visitor.get(path)
            assert answer.headers["cache-control"] == "no-store"
            seen.add(answer.headers["x-request-id"])
        assert len(seen) == 4


async def test_an_endless_address_is_refused(shop: Shop) -> None:
    async with shop.visitor() as visitor:
        answer = await visitor.get(f"/invoices?after={'x' * MAX_TARGET_BYTES}")
        assert answer.status_code == 414


async def test_the_slugs_host_leads_to_the_portals_own_domain(shop: Shop) -> None:
    async with shop.deployment.db.system() as connection:
        await connection.execute(
            """
            insert into hosts (tenant_id, host, verified_at)
            values ($1, 'billing.lumen.example', now())
            """,
            shop.tenant_id,
        )
    async with shop.visitor() as visitor:
        for _ in range(200):
            answer = await visitor.get("/invoices?after=1-in_1")
            if "billing" in answer.headers.get("location", ""):
                break
            await asyncio.sleep(0.02)
        expected = "http://billing.lumen.example:8000/invoices?after=1-in_1"
        assert (answer.status_code, answer.headers["location"]) == (307, expected)
        form = await visitor.post("/sign-out", {})
        assert form.headers["location"] == "http://billing.lumen.example:8000/"
    async with client(shop.edge, "billing.lumen.example") as browser:
        assert (await browser.get("/sign-in")).status_code == 200
