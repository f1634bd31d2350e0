"""The pages of connections as people see them, in each of their states."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from guichet.tenancy.domains import GRACE
from tenants.drafts import load_draft, save_section
from tenants.hosts import add_host, lose_host, verify_host
from tenants.identity_providers import IdentityProvider
from tests.console.conftest import AsStaff
from tests.console.town import Town, post
from tests.console.windows import LOOKS, Look, examine, open_chromium, open_window
from tests.shops import Shop

pytestmark = pytest.mark.browser

HOME = "/merchants/lumen"
#: As long as a label of a name may be.
LONG = f"{'very-' * 12}long.example"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_chromium() as browser:
        yield browser


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look.locale}-{look.width}")
def look(request: pytest.FixtureRequest) -> Look:
    seen: Look = request.param
    return seen


async def settle_in(town: Town) -> None:
    """A domain in each state, and a sign-in provider in the draft."""
    async with town.deployment.db.system() as connection:
        for host in ("pending.example", "verified.example", "lost.example", LONG):
            await add_host(connection, town.lumen.id, host)
        for host in ("verified.example", "lost.example", LONG):
            await verify_host(connection, town.lumen.id, host, by_dns=True)
        await lose_host(connection, town.lumen.id, "lost.example")
        await connection.execute(
            """
            update hosts
            set checked_at = now(), missing_since = now() - $3::interval
            where tenant_id = $1
            and host = $2
            """,
            town.lumen.id,
            LONG,
            GRACE / 2,
        )
    provider = IdentityProvider(
        id="work", label="Work", issuer=f"https://{LONG}", client_id="guichet"
    )
    async with town.deployment.db.unit(town.lumen.id) as unit:
        draft = await load_draft(unit.connection, unit.tenant_id)
        seen = draft.fingerprint("identity_providers")
        await save_section(
            unit.connection, unit.tenant_id, "identity_providers", (provider,), seen, "a test"
        )


async def test_pages_of_connections_are_open_to_everybody(
    browser: Browser, town: Town, as_staff: AsStaff, shop: Shop, look: Look
) -> None:
    client = await as_staff("admin")
    async with open_window(browser, client, look) as (page, _):
        findings = []
        await settle_in(town)
        await post(client, f"{HOME}/connections/key", {"key": shop.key})
        for path in ("/connections", "/domains", "/sign-in-providers?add=google"):
            await page.goto(HOME + path)
            await page.evaluate(
                "document.querySelectorAll('main details').forEach(it => it.open = true)"
            )
            findings += await examine(page, look)
        await page.goto(f"{HOME}/connections")
        await page.locator("#key").fill("pk_test_0123456789")
        await page.locator("form[action$='/key'] button").click()
        await page.locator(".mistake").wait_for()
        findings += await examine(page, look)
        await page.goto(f"{HOME}/sign-in-providers/work/callback")
        findings += await examine(page, look)
    assert findings == []
