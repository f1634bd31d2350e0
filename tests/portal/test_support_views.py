"""A support view from its hand-over to its end, and the customer's own session beside it."""

import re
from collections.abc import Awaitable, Callable

import pytest

from guichet.auth.staff.sessions import revoke_staff_session
from guichet.auth.support import MAY_LOOK
from guichet.console.access import SUPPORTERS
from guichet.demo.merchants import MARMITE
from tenants.members import remove_member, set_role
from tenants.tenant import set_status
from tests.portal.looking import COOKIE, Helper, hire, log_of, take_over
from tests.portal.shop import Customer, Shop, add_shop
from tests.tenancy.waiting import until

Withdraw = Callable[[Helper], Awaitable[None]]

CONSOLE = "http://console.localhost:8000"


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


# Handing over


async def test_what_is_handed_over_is_good_once(shop: Shop) -> None:
    helper = await hire(shop)
    token = await helper.hand_over()
    async with shop.visitor() as first, shop.visitor() as second:
        await take_over(first, token)
        again = await second.client.post(
            "/support-view", data={"token": token}, headers={"origin": CONSOLE}
        )
        assert again.status_code == 403
        assert COOKIE not in second.client.cookies
        assert (await first.get("/")).status_code == 200


@pytest.mark.parametrize("origin", ["http://lumen.localhost:8000", "https://evil.example", "null"])
async def test_only_the_consoles_page_hands_over(shop: Shop, origin: str) -> None:
    token = await (await hire(shop)).hand_over()
    async with shop.visitor() as browser:
        answer = await browser.client.post(
            "/support-view", data={"token": token}, headers={"origin": origin}
        )
        assert answer.status_code == 403
        bare = await browser.client.post("/support-view", data={"token": token})
        assert bare.status_code == 403
        looked = await browser.client.get(f"/support-view?token={token}")
        assert looked.status_code == 405
        await take_over(browser, token)


async def test_what_is_handed_over_is_good_for_a_minute(shop: Shop) -> None:
    token = await (await hire(shop)).hand_over()
    await _age(shop, "61 seconds")
    async with shop.visitor() as browser:
        late = await browser.client.post(
            "/support-view", data={"token": token}, headers={"origin": CONSOLE}
        )
        assert late.status_code == 403


async def test_nothing_that_is_kept_opens_anything(shop: Shop) -> None:
    token = await (await hire(shop)).hand_over()
    async with shop.visitor() as browser:
        await take_over(browser, token)
        cookie = browser.client.cookies[COOKIE]
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        held = await unit.fetchval(
            """
            select string_agg(held::text, ' ')
            from (
              select support_views::text from support_views where tenant_id = $1
              union all
              select audit_log::text from audit_log where tenant_id = $1
            ) as held
            """,
            shop.tenant_id,
        )
    assert token not in held
    assert cookie not in held


async def test_a_view_of_one_merchant_is_worth_nothing_at_another(shop: Shop) -> None:
    other = await add_shop(shop.edge, shop.deployment, MARMITE)
    helper = await hire(shop)
    token = await helper.hand_over()
    async with other.visitor() as stranger:
        answer = await stranger.client.post(
            "/support-view", data={"token": token}, headers={"origin": CONSOLE}
        )
        assert answer.status_code == 403
        async with helper.looking("ada") as browser:
            cookie = browser.client.cookies[COOKIE]
        stranger.client.cookies.set(COOKIE, cookie)
        assert (await stranger.get("/")).status_code == 410


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


async def _age(shop: Shop, by: str) -> None:
    """Let so much time go by for all views."""
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await unit.execute(
            """
            update support_views
            set expires_at = expires_at - $2::text::interval
            where tenant_id = $1
            """,
            shop.tenant_id,
            by,
        )


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
        await _age(shop, "29 minutes")
        assert (await browser.get("/")).status_code == 200
        await _age(shop, "61 seconds")
        await _is_over(browser)
    assert (await log_of(shop))[-1][3]["how"] == "time"


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
