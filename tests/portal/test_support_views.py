"""A support view from its hand-over to its end, and the customer's own session beside it."""

import re
from collections.abc import Awaitable, Callable

import pytest

from guichet.auth.staff.sessions import revoke_staff_session
from guichet.auth.support import MAY_LOOK
from guichet.console.access import SUPPORTERS
from tenants.members import remove_member, set_role
from tenants.tenant import set_status
from tests.portal.looking import CONSOLE, COOKIE, Helper, age_views, hire, log_of, take_over
from tests.portal.shop import Customer, Shop
from tests.tenancy.waiting import until

Withdraw = Callable[[Helper], Awaitable[None]]


def _csrf(page: str) -> str:
    found = re.search(r'action="/support-view/end">\s*<input[^>]*value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def _sessions(shop: Shop) -> list[tuple[object, ...]]:
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        rows = await unit.fetch(
            """
            select id, seen_at, expires_at, revoked_at
            from sessions
            where tenant_id = $1
            order by id
            """,
            shop.tenant_id,
        )
    return [tuple(row) for row in rows]


def test_who_may_look_is_who_may_help() -> None:
    assert set(MAY_LOOK) == SUPPORTERS["access"].roles


async def test_the_customers_own_session_stays_and_comes_back(shop: Shop) -> None:
    helper = await hire(shop)
    async with shop.signed_in("grace") as browser:
        assert (await browser.get("/")).status_code == 200
        before = await _sessions(shop)
        await take_over(browser, await helper.hand_over("ada"))
        seen = (await browser.get("/")).text
        assert "ada@example.com" in seen or "Ada" in seen
        assert "Mia Martin" in seen
        ended = await browser.post("/support-view/end", {"csrf": _csrf(seen)})
        customer = await shop.customer_id("ada")
        assert ended.status_code == 200
        assert ended.headers["refresh"] == f"0; url={CONSOLE}/merchants/lumen/customers/{customer}"
        assert COOKIE not in browser.client.cookies
        own = (await browser.get("/")).text
        assert "Payment overdue" in own
        assert "deployment-mark" not in own
    assert await _sessions(shop) == before


async def test_the_log_tells_who_looked_from_when_until_when(shop: Shop) -> None:
    helper = await hire(shop)
    async with helper.looking("ada") as browser:
        await browser.post("/support-view/end", {"csrf": _csrf((await browser.get("/")).text)})
    begun, ended = await log_of(shop)
    assert begun[:3] == ("support@example.com", "support_view.begun", await shop.customer_id("ada"))
    assert ended[1:3] == ("support_view.ended", begun[2])
    assert ended[3] == {"view": begun[3]["view"], "how": "button"}


async def test_the_mark_is_in_the_language_of_the_page(shop: Shop) -> None:
    helper = await hire(shop)
    async with helper.looking("ada") as browser:
        assert "Mia Martin is looking. Nothing can be changed." in (await browser.get("/")).text
        browser.client.headers["accept-language"] = "fr"
        french = (await browser.get("/invoices")).text
        assert "Mia Martin regarde. Rien ne peut être modifié." in french


# It is no session


async def test_neither_cookie_passes_for_the_other(shop: Shop) -> None:
    helper = await hire(shop)
    async with helper.looking("ada") as browser, shop.visitor() as thief:
        thief.client.cookies.set("guichet-session", browser.client.cookies[COOKIE])
        for path in ("/", "/invoices"):
            assert (await thief.get(path)).status_code == 303
    async with shop.signed_in("ada") as ada, shop.visitor() as thief:
        thief.client.cookies.set(COOKIE, ada.client.cookies["guichet-session"])
        assert (await thief.get("/")).status_code == 410


async def test_a_form_of_the_customers_own_session_is_refused_while_looking(shop: Shop) -> None:
    helper = await hire(shop)
    async with shop.signed_in("ada") as ada:
        csrf = _portal_csrf((await ada.get("/preferences")).text)
        await take_over(ada, await helper.hand_over("grace"))
        assert csrf not in (await ada.get("/preferences")).text
        answer = await ada.post("/preferences", {"csrf": csrf, "locale": "fr"})
        assert answer.status_code == 403
        signed_out = await ada.post("/sign-out", {"csrf": csrf})
        assert signed_out.status_code == 403


def _portal_csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def test_two_support_cookies_are_refused(shop: Shop) -> None:
    helper = await hire(shop)
    async with helper.looking("ada") as browser, shop.visitor() as other:
        cookie = browser.client.cookies[COOKIE]
        headers = {"cookie": f"{COOKIE}={cookie}; {COOKIE}={cookie}"}
        assert (await other.client.get("/", headers=headers)).status_code == 400


# Its end


async def _is_over(browser: Customer) -> None:
    """The next page says so, of whatever kind it is, and the one after that is nobody's."""
    over = await browser.get("/invoices")
    assert over.status_code == 410
    assert "This support view is over" in over.text
    assert "deployment-mark" not in over.text
    after = await browser.get("/")
    assert (after.status_code, after.headers["location"]) == (303, "/sign-in")


async def test_it_ends_after_half_an_hour_however_often_it_is_used(shop: Shop) -> None:
    helper = await hire(shop)
    async with helper.looking("ada") as browser:
        await age_views(shop, "29 minutes")
        assert (await browser.get("/")).status_code == 200
        await age_views(shop, "61 seconds")
        await _is_over(browser)
    assert (await log_of(shop))[-1][3]["how"] == "time"


async def test_its_browser_keeps_the_cookie_until_it_is_told_of_the_end(shop: Shop) -> None:
    helper = await hire(shop)
    async with helper.looking("ada") as browser:
        [kept] = [it.expires for it in browser.client.cookies.jar if it.name == COOKIE]
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        [view] = await unit.fetch("select extract(epoch from expires_at) from support_views")
    assert kept is not None
    assert kept > view[0] + 3600


async def _lose_role(helper: Helper) -> None:
    async with helper.shop.deployment.db.system() as connection:
        tenant = helper.shop.tenant_id
        await set_role(connection, "merchant", tenant, helper.staff.id, "analyst")


async def _be_removed(helper: Helper) -> None:
    tenant = helper.shop.tenant_id
    async with helper.shop.deployment.db.unit(tenant) as unit:
        await remove_member(unit.connection, "merchant", tenant, helper.staff.id)


async def _sign_out(helper: Helper) -> None:
    async with helper.shop.deployment.db.system() as connection:
        await revoke_staff_session(connection, helper.token)


@pytest.mark.parametrize("withdraw", [_lose_role, _be_removed, _sign_out])
async def test_it_ends_with_what_allowed_it(shop: Shop, withdraw: Withdraw) -> None:
    helper = await hire(shop)
    async with helper.looking("ada") as browser:
        assert (await browser.get("/")).status_code == 200
        await withdraw(helper)
        await _is_over(browser)
    assert (await log_of(shop))[-1][3]["how"] == "withdrawn"


async def test_what_was_ended_does_not_come_back_with_the_role(shop: Shop) -> None:
    helper = await hire(shop)
    async with helper.looking("ada") as browser:
        cookie = browser.client.cookies[COOKIE]
        await _lose_role(helper)
        await _is_over(browser)
        async with shop.deployment.db.system() as connection:
            await set_role(connection, "merchant", shop.tenant_id, helper.staff.id, "support")
        browser.client.cookies.set(COOKIE, cookie)
        assert (await browser.get("/")).status_code == 410


async def test_a_copied_cookie_ends_with_the_button(shop: Shop) -> None:
    helper = await hire(shop)
    async with helper.looking("ada") as browser, shop.visitor() as copy:
        copy.client.cookies.set(COOKIE, browser.client.cookies[COOKIE])
        page = (await copy.get("/")).text
        await browser.post("/support-view/end", {"csrf": _csrf(page)})
        assert (await copy.get("/")).status_code == 410


async def test_another_site_cannot_end_it(shop: Shop) -> None:
    helper = await hire(shop)
    async with helper.looking("ada") as browser:
        form = {"csrf": _csrf((await browser.get("/")).text)}
        for origin, sent in (("https://evil.example", form), (shop.origin, {})):
            answer = await browser.client.post(
                "/support-view/end", data=sent, headers={"origin": origin}
            )
            assert answer.status_code == 403
        assert (await browser.get("/")).status_code == 200


async def test_it_ends_when_the_merchant_is_suspended(shop: Shop) -> None:
    helper = await hire(shop)
    async with helper.looking("ada") as browser:
        async with shop.deployment.db.system() as connection:
            await set_status(connection, shop.tenant_id, "suspended")
        await until(lambda: _status(shop) == "suspended")
        assert (await browser.get("/")).status_code == 503


def _status(shop: Shop) -> str:
    entry = shop.deployment.directory.by_id(shop.tenant_id)
    return entry.status if entry else ""
