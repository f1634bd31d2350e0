"""From a customer's page in the console into their portal, with a reason, and back."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Browser

from guichet.billing.importing import import_tenant
from tenants.hosts import add_host, verify_host
from tenants.tenant import set_status
from tests.console.conftest import AsStaff
from tests.console.people import log_of
from tests.console.town import CONSOLE, LUMEN, Town, Who, post
from tests.console.windows import LOOKS, Look, examine, open_chromium, open_window
from tests.shops import Shop
from tests.tenancy.waiting import until

WHY = {"reason": "Cannot find an invoice."}


@pytest.fixture
async def ada(town: Town, shop: Shop) -> str:
    """The id of a customer of Lumen's who pays for something."""
    customer = await shop.add_customer(email="ada@example.com")
    await shop.set_card(customer, "pm_card_visa")
    await shop.subscribe(customer)
    provider = await town.deployment.providers.client(town.lumen.id)
    await import_tenant(town.deployment.db, provider, town.lumen.id, rate=500)
    return customer


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_chromium() as browser:
        yield browser


def _page(customer: str, merchant: str = "lumen") -> str:
    return f"/merchants/{merchant}/customers/{customer}/portal"


def _token(page: httpx.Response) -> str:
    found = re.search(r'name="token" value="([A-Za-z0-9_-]{43})"', page.text)
    assert found is not None, page.text
    return found[1]


async def test_support_gives_a_reason_and_sees_the_portal(
    town: Town, as_staff: AsStaff, ada: str
) -> None:
    client = await as_staff("support")
    listed = await client.get(f"/merchants/lumen/customers/{ada}")
    assert f'href="{_page(ada)}"' in listed.text
    assert (await client.get(_page(ada))).status_code == 200
    handed = await post(client, _page(ada), WHY)
    assert handed.status_code == 200
    assert f'action="{LUMEN}/support-view"' in handed.text
    # The form may go to the portal, which is told where it comes from, and signing out works too.
    assert 'action="/sign-out"' in handed.text
    assert f"form-action 'self' {LUMEN};" in handed.headers["content-security-policy"]
    assert handed.headers.get_list("referrer-policy") == ["strict-origin"]
    assert handed.headers["cache-control"] == "no-store"
    async with town.browser(origin=LUMEN) as portal:
        begun = await portal.post(
            "/support-view", data={"token": _token(handed)}, headers={"origin": CONSOLE}
        )
        assert begun.status_code == 303
        home = await portal.get("/")
    assert 'class="who-name">Ada<' in home.text
    assert "Support is looking." in home.text
    story = await client.get(f"/merchants/lumen/customers/{ada}")
    assert "Has not signed in yet." in story.text


async def test_the_log_has_the_reason_and_no_secret(
    town: Town, as_staff: AsStaff, ada: str
) -> None:
    handed = await post(await as_staff("agency_member"), _page(ada), WHY)
    ((actor, action, subject, details),) = [
        it for it in await log_of(town) if it[1].startswith("support_view")
    ]
    assert (actor, action, subject) == ("agency_member@example.com", "support_view.asked", ada)
    assert set(details) == {"view", "why"}
    assert details["why"] == WHY["reason"]
    assert _token(handed) not in str(details)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
async def test_without_a_reason_nothing_is_made(
    town: Town, as_staff: AsStaff, ada: str, reason: str
) -> None:
    answer = await post(await as_staff("owner"), _page(ada), {"reason": reason})
    assert answer.status_code == 422
    assert "Please say why, in up to 500 characters." in answer.text
    assert reason.strip() in answer.text
    assert 'name="token"' not in answer.text
    assert [it for it in await log_of(town) if it[1].startswith("support_view")] == []


@pytest.mark.parametrize(
    ("who", "merchant", "status"),
    [("analyst", "lumen", 403), ("owner_of_volta", "lumen", 404), ("owner_of_volta", "volta", 404)],
)
async def test_nobody_else_gets_in(
    as_staff: AsStaff, ada: str, who: Who, merchant: str, status: int
) -> None:
    client = await as_staff(who)
    assert (await client.get(_page(ada, merchant))).status_code == status
    assert (await post(client, _page(ada, merchant), WHY)).status_code == status


async def test_a_closed_portal_is_not_looked_at(town: Town, as_staff: AsStaff, ada: str) -> None:
    async with town.deployment.db.system() as connection:
        await set_status(connection, town.lumen.id, "suspended")
    await until(lambda: _status(town) == "suspended")
    client = await as_staff("support")
    listed = await client.get(f"/merchants/lumen/customers/{ada}")
    assert _page(ada) not in listed.text
    assert "<form" not in (await client.get(_page(ada))).text.partition("<main")[2]
    assert (await post(client, _page(ada), WHY)).status_code == 409


def _status(town: Town) -> str:
    entry = town.deployment.directory.by_id(town.lumen.id)
    return entry.status if entry else ""


async def test_a_portal_with_a_domain_of_its_own_is_seen_there(
    town: Town, as_staff: AsStaff, ada: str
) -> None:
    host = "billing.lumen.example"
    async with town.deployment.db.system() as connection:
        await add_host(connection, town.lumen.id, host)
        await verify_host(connection, town.lumen.id, host)
    await until(lambda: town.deployment.directory.find(host))
    handed = await post(await as_staff("support"), _page(ada), WHY)
    origin = f"http://{host}:8000"
    assert f'action="{origin}/support-view"' in handed.text
    assert f"form-action 'self' {origin};" in handed.headers["content-security-policy"]
    async with town.browser(origin=origin) as portal:
        form = {"token": _token(handed)}
        await portal.post("/support-view", data=form, headers={"origin": CONSOLE})
        home = await portal.get("/")
    assert "Support is looking." in home.text


@pytest.mark.browser
@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_its_pages_are_open_to_everybody(
    browser: Browser, town: Town, as_staff: AsStaff, ada: str, look: Look
) -> None:
    client = await as_staff("support")
    async with open_window(browser, client, look) as (page, _):
        await page.goto(_page(ada))
        findings = await examine(page, look)
        await page.locator("[name=reason]").evaluate("it => it.removeAttribute('maxlength')")
        await page.locator("[name=reason]").fill("x" * 501)
        await page.locator("main form .primary").click()
        await page.locator(".mistake").wait_for()
        findings += await examine(page, look)
    handed = await post(client, _page(ada), WHY)
    async with (
        town.browser(origin=LUMEN) as portal,
        open_window(browser, portal, look) as (page, _),
    ):
        form = {"token": _token(handed)}
        await portal.post("/support-view", data=form, headers={"origin": CONSOLE})
        for path in ("/", "/payment-methods", "/language/en", "/no-such-page"):
            await page.goto(path)
            findings += await examine(page, look)
            mark = await page.locator(".deployment-mark").bounding_box()
            assert mark is not None
            assert (mark["x"], mark["y"]) == (0, 0)
    assert findings == []
