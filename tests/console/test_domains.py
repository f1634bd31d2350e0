"""A merchant's own domains in the console, with a DNS server of the test's own."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import msgspec
import pytest

from guichet.settings import Settings
from tenants.hosts import add_host, challenge, list_hosts, verify_host
from tests.console.conftest import AsStaff
from tests.console.town import LUMEN, Town, open_town, post
from tests.dns_server import DnsServer, dns_server
from workers.domains import check_domains
from workers.office import open_office

HOST = "pay.lumen.example"
PAGE = "/merchants/lumen/domains"


@pytest.fixture
async def dns() -> AsyncIterator[DnsServer]:
    async with dns_server() as server:
        yield server


@pytest.fixture
def asking(settings_without_sandbox: Settings, dns: DnsServer) -> Settings:
    """Settings of a deployment that asks the test's DNS server."""
    return msgspec.structs.replace(settings_without_sandbox, dns_servers=(dns.address,))


@pytest.fixture
async def town(asking: Settings) -> AsyncIterator[Town]:
    async with open_town(asking) as town:
        yield town


@pytest.fixture
async def admin(as_staff: AsStaff) -> httpx.AsyncClient:
    return await as_staff("admin")


async def states(town: Town) -> dict[str, str]:
    async with town.deployment.db.system() as connection:
        return {it.host: it.state for it in await list_hosts(connection, town.lumen.id)}


async def log(town: Town) -> list[tuple[str, str, str]]:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        rows = await unit.fetch(
            """
            select actor, action, object
            from audit_log
            where tenant_id = $1
            order by at, id
            """,
            town.lumen.id,
        )
    return [tuple(row) for row in rows]


def prove(dns: DnsServer, town: Town) -> None:
    dns.prove(HOST, challenge(town.lumen.id, HOST))
    dns.alias(HOST, "lumen.localhost")


async def rest(town: Town) -> None:
    """Have the last look be long ago."""
    async with town.deployment.db.system() as connection:
        await connection.execute(
            "update hosts set checked_at = checked_at - $2::interval where tenant_id = $1",
            town.lumen.id,
            timedelta(hours=2),
        )


async def test_a_domain_is_added_proved_and_serves_the_portal(
    town: Town, dns: DnsServer, admin: httpx.AsyncClient
) -> None:
    added = await post(admin, PAGE, {"domain": " Pay.Lumen.Example. "})
    assert added.headers["location"] == f"{PAGE}#{HOST}"
    page = await admin.get(PAGE)
    assert f"_guichet-challenge.{HOST}" in page.text
    assert challenge(town.lumen.id, HOST) in page.text
    assert "lumen.localhost" in page.text
    assert "Waiting for DNS" in page.text
    prove(dns, town)
    assert (await post(admin, f"{PAGE}/{HOST}/check")).status_code == 303
    assert await states(town) == {HOST: "verified"}
    assert await log(town) == [
        ("admin@example.com", "host.added", HOST),
        ("admin@example.com", "host.verified", HOST),
    ]
    async with town.browser(origin=f"http://{HOST}:8000") as customer:
        while (await customer.get("/sign-in")).status_code != 200:
            pass
    assert "This is your portal" in (await admin.get(PAGE)).text


async def test_a_domain_without_records_stays_pending_and_says_which_are_missing(
    town: Town, dns: DnsServer, admin: httpx.AsyncClient
) -> None:
    await post(admin, PAGE, {"domain": HOST})
    dns.alias(HOST, "lumen.localhost")
    await post(admin, f"{PAGE}/{HOST}/check")
    page = await admin.get(PAGE)
    assert page.text.count("Seen</span>") == 1
    assert page.text.count("Missing</span>") == 1
    assert await states(town) == {HOST: "pending"}


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "lumen",
        "https://pay.lumen.example",
        "pay.lumen.example/../..",
        "10.0.0.1",
        "console.localhost",
        "volta.localhost",
        "<script>alert(1)</script>",
        "a" * 5000,
        "pay.lumen.example\r\nx: y",
    ],
)
async def test_what_is_no_domain_of_a_merchant_comes_back_with_a_sentence(
    town: Town, admin: httpx.AsyncClient, typed: str
) -> None:
    answer = await post(admin, PAGE, {"domain": typed})
    assert answer.status_code == 422
    assert "Write a domain of yours" in answer.text
    assert "<script>alert" not in answer.text
    assert await states(town) == {}


async def test_a_domain_that_another_portal_has_proved_is_refused(
    town: Town, admin: httpx.AsyncClient
) -> None:
    async with town.deployment.db.system() as connection:
        await add_host(connection, town.volta.id, HOST)
        await verify_host(connection, town.volta.id, HOST)
    answer = await post(admin, PAGE, {"domain": HOST})
    assert answer.status_code == 422
    assert "in use already" in answer.text
    assert f'value="{HOST}"' in answer.text


async def test_whoever_only_claims_a_domain_keeps_nobody_from_it(
    town: Town, dns: DnsServer, admin: httpx.AsyncClient
) -> None:
    async with town.deployment.db.system() as connection:
        await add_host(connection, town.volta.id, HOST)
    await post(admin, PAGE, {"domain": HOST})
    prove(dns, town)
    await post(admin, f"{PAGE}/{HOST}/check")
    assert await states(town) == {HOST: "verified"}


async def test_who_is_too_late_to_prove_a_domain_is_told_so(
    town: Town, dns: DnsServer, admin: httpx.AsyncClient
) -> None:
    await post(admin, PAGE, {"domain": HOST})
    async with town.deployment.db.system() as connection:
        await add_host(connection, town.volta.id, HOST)
        await verify_host(connection, town.volta.id, HOST)
    prove(dns, town)
    answer = await post(admin, f"{PAGE}/{HOST}/check")
    assert answer.status_code == 409
    assert "Another portal has proved this domain" in answer.text
    assert await states(town) == {HOST: "pending"}


@pytest.mark.parametrize("act", ["check", "remove"])
async def test_another_merchant_s_domain_is_not_there(
    town: Town, dns: DnsServer, admin: httpx.AsyncClient, act: str
) -> None:
    async with town.deployment.db.system() as connection:
        await add_host(connection, town.volta.id, HOST)
    assert (await post(admin, f"{PAGE}/{HOST}/{act}")).status_code == 404
    assert dns.asked == []
    assert HOST not in (await admin.get(PAGE)).text


async def test_a_button_that_is_pressed_again_and_again_asks_once(
    dns: DnsServer, admin: httpx.AsyncClient
) -> None:
    await post(admin, PAGE, {"domain": HOST})
    await post(admin, f"{PAGE}/{HOST}/check")
    asked = len(dns.asked)
    assert asked
    for _ in range(3):
        await post(admin, f"{PAGE}/{HOST}/check")
    assert len(dns.asked) == asked


async def test_a_removed_domain_is_gone(town: Town, admin: httpx.AsyncClient) -> None:
    await post(admin, PAGE, {"domain": HOST})
    await post(admin, f"{PAGE}/{HOST}/remove")
    assert await states(town) == {}
    assert (await log(town))[-1] == ("admin@example.com", "host.removed", HOST)


async def test_workers_prove_a_domain_and_lose_it_after_three_days(
    town: Town, dns: DnsServer, admin: httpx.AsyncClient, asking: Settings
) -> None:
    await post(admin, PAGE, {"domain": HOST})
    prove(dns, town)
    async with open_office(asking) as office:
        await check_domains(office)
        assert await states(town) == {HOST: "verified"}
        dns.records.clear()
        await check_domains(office)
        assert await states(town) == {HOST: "verified"}, "looked up a moment ago"
        await rest(town)
        await check_domains(office)
        page = (await admin.get(PAGE)).text
        assert "in 72 hours" in page
        async with town.deployment.db.system() as connection:
            await connection.execute(
                "update hosts set missing_since = missing_since - $2::interval "
                "where tenant_id = $1",
                town.lumen.id,
                timedelta(hours=72),
            )
        await rest(town)
        await check_domains(office)
    assert await states(town) == {HOST: "lost"}
    assert (await log(town))[-1] == ("domains", "host.lost", HOST)
    assert "missing for three days" in (await admin.get(PAGE)).text
    async with town.browser(origin=LUMEN) as customer:
        while (await customer.get("/sign-in")).status_code != 200:
            pass


async def test_the_page_is_french_too(admin: httpx.AsyncClient) -> None:
    await post(admin, PAGE, {"domain": HOST})
    page = await admin.get(PAGE, headers={"accept-language": "fr"})
    assert "En attente du DNS" in page.text
