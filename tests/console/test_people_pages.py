"""The pages of people and of the audit log as people see them: axe, wide and on a phone."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from playwright.async_api import Browser

from guichet.auth.mail_links import make_link_token
from guichet.auth.staff.links import NOBODY
from tests.console.conftest import AsStaff
from tests.console.town import Town, post
from tests.console.windows import LOOKS, Look, examine, open_chromium, open_window

pytestmark = pytest.mark.browser

_OPEN_ALL = "document.querySelectorAll('.confirm').forEach(it => it.open = true)"
_LONG = "somebody.with.a.very.long.address@a-company-with-a-rather-long-name.example"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_chromium() as browser:
        yield browser


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look.locale}-{look.scheme}-{look.width}")
def look(request: pytest.FixtureRequest) -> Look:
    """One way to see the pages."""
    seen: Look = request.param
    return seen


async def test_pages_of_people_and_logs_are_open_to_everybody(
    browser: Browser, town: Town, as_staff: AsStaff, look: Look
) -> None:
    await town.hire("agency_owner")
    await town.hire("admin", _LONG.replace("somebody", "else"))
    owner = await as_staff("owner")
    findings = []
    for role, email in (("owner", _LONG), ("analyst", "a@example.com")):
        await post(owner, "/merchants/lumen/members", {"email": email, "role": role})
    async with open_window(browser, owner, look) as (page, _):
        for path in ("members?done=invited", "audit", "audit?since=x"):
            await page.goto(f"/merchants/lumen/{path}")
            await page.evaluate(
                "document.querySelectorAll('.confirm').forEach(it => it.open = true)"
            )
            findings += await examine(page, look)
        await page.goto("/merchants/lumen/members")
        await page.locator("#email").fill("owner@example.com")
        await page.locator("#invite button").click()
        await page.locator("#mistake-email").wait_for()
        findings += await examine(page, look)
        await page.goto(await _invitation(town))
        findings += await examine(page, look)
        await page.goto("/invitations/nothing")
        findings += await examine(page, look)
    async with open_window(browser, await as_staff("agency_member"), look) as (page, _):
        for path in ("members", "audit"):
            await page.goto(f"/agencies/atelier/{path}")
            findings += await examine(page, look)
    assert findings == []


async def _invitation(town: Town) -> str:
    async with town.deployment.db.system() as connection:
        invited: UUID = await connection.fetchval("select id from tenant_invitations limit 1")
    keys = town.deployment.settings.master_keys
    return f"/invitations/{make_link_token(keys, NOBODY, invited, 'invitation')}"


async def test_somebody_is_removed_after_being_asked_without_a_script(
    browser: Browser, town: Town, as_staff: AsStaff
) -> None:
    await town.hire("support")
    client = await as_staff("owner")
    async with open_window(browser, client, LOOKS[0], java_script_enabled=False) as (page, _):
        await page.goto("/merchants/lumen/members")
        row = page.locator("tr", has_text="support@example.com")
        await row.locator("summary").click()
        await row.locator(".confirm-box button").click()
        await page.wait_for_url("**/members?done=removed")
        assert await page.locator("tr", has_text="support@example.com").count() == 0
