"""Signing in and out through the whole web program, as a browser does it."""

import re
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from guichet.auth.sessions import new_token
from guichet.settings import Settings
from tests.auth.hostile_provider import HostileProvider
from tests.auth.merchants import (
    LUMEN,
    MARMITE,
    Portal,
    add_merchants,
    callback_path,
    opened,
    sign_in,
)


@pytest.fixture
async def portal(
    settings_without_sandbox: Settings, hostile: HostileProvider
) -> AsyncIterator[Portal]:
    await add_merchants(settings_without_sandbox, hostile)
    async with opened(settings_without_sandbox) as portal:
        yield portal


@pytest.fixture
async def portal_with_payments(
    settings: Settings, hostile: HostileProvider
) -> AsyncIterator[Portal]:
    """A portal whose payment provider answers, and has no customers."""
    await add_merchants(settings, hostile)
    async with opened(settings) as portal:
        yield portal


async def test_a_customer_is_asked_to_sign_in_and_comes_back_to_the_page(portal: Portal) -> None:
    async with portal.browser() as browser:
        asked = await browser.get("/invoices")
        assert asked.status_code == 303
        assert asked.headers["location"] == "/sign-in?next=/invoices"
        entered = await sign_in(browser, "/invoices")
        assert (entered.status_code, entered.headers["location"]) == (303, "/invoices")
        page = await browser.get("/invoices")
        assert page.status_code == 200
        assert "ada@example.com" in page.text
        again = await browser.get("/sign-in", params={"next": "/invoices"})
        assert (again.status_code, again.headers["location"]) == (303, "/invoices")


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_no_link_makes_the_sign_in_end_elsewhere(portal: Portal, wanted: str) -> None:
    async with portal.browser() as browser:
        entered = await sign_in(browser, wanted)
        assert entered.headers["location"] == "/"
        again = await browser.get("/sign-in", params={"next": wanted})
        assert again.headers["location"] == "/"


async def test_a_failed_sign_in_says_why_and_leaves_nothing(
    portal: Portal, hostile: HostileProvider
) -> None:
    hostile.claims["nonce"] = "another"
    async with portal.browser() as browser:
        failed = await sign_in(browser)
        assert failed.status_code == 502
        assert "could not be verified" in failed.text
        assert "set-cookie" not in failed.headers
        browser.headers["accept-language"] = "fr"
        french = await sign_in(browser)
        assert '<html lang="fr"' in french.text
        assert "could not be verified" not in french.text


async def test_somebody_who_is_no_customer_gets_a_page_that_says_so(
    portal_with_payments: Portal, hostile: HostileProvider
) -> None:
    hostile.user |= {"sub": "zoe-1", "email": "zoe@example.com"}
    async with portal_with_payments.browser() as browser:
        page = await sign_in(browser)
    assert page.status_code == 403
    assert "zoe@example.com" in page.text
    assert "set-cookie" not in page.headers


async def test_what_a_provider_calls_somebody_is_text_on_the_page(
    portal_with_payments: Portal, hostile: HostileProvider
) -> None:
    hostile.user["email"] = '"><script>alert(1)</script>@example.com'
    async with portal_with_payments.browser() as browser:
        page = await sign_in(browser)
    assert page.status_code == 403
    assert "<script>alert" not in page.text


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state=x",
        "code=x",
        "state=a&state=b&code=x",
        "&".join(f"p{number}=1" for number in range(50)),
        "state=%ff&code=%00",
        "error=access_denied&state=x",
        "error=%3Cscript%3E&error_description=%3Cscript%3Ealert(1)%3C/script%3E",
    ],
)
async def test_a_callback_that_nobody_began_is_refused_politely(portal: Portal, query: str) -> None:
    async with portal.browser() as browser:
        page = await browser.get(f"/sign-in/work/callback?{query}")
    assert page.status_code == 400
    assert "start again" in page.text
    assert "<script>alert" not in page.text


async def test_a_callback_with_a_parameter_twice_is_refused_and_uses_nothing_up(
    portal: Portal,
) -> None:
    async with portal.browser() as browser:
        path = await callback_path(browser)
        assert (await browser.get(f"{path}&code=another")).status_code == 400
        assert (await browser.get(path)).status_code == 303


async def test_a_callback_of_one_portal_is_refused_at_another(portal: Portal) -> None:
    async with portal.browser() as lumen, portal.browser(MARMITE) as marmite:
        path = await callback_path(lumen)
        # The other portal's browser cookie is planted, as its own site could.
        marmite.cookies.set("guichet-browser", str(lumen.cookies["guichet-browser"]))
        assert (await marmite.get(path)).status_code == 400
        assert (await lumen.get(path)).status_code == 303
        assert (await lumen.get(path)).status_code == 400


async def test_an_unknown_provider_is_no_page(portal: Portal) -> None:
    async with portal.browser() as browser:
        for path in ("/sign-in/other", "/sign-in/other/callback", "/sign-in/work%2F..%2Fx"):
            assert (await browser.get(path)).status_code == 404


async def test_a_session_of_one_portal_opens_no_other(portal: Portal) -> None:
    async with portal.browser() as lumen, portal.browser(MARMITE) as marmite:
        await sign_in(lumen)
        assert (await lumen.get("/")).status_code == 200
        marmite.cookies.set("guichet-session", str(lumen.cookies["guichet-session"]))
        assert (await marmite.get("/")).status_code == 303


async def test_a_cookie_sent_twice_is_refused(portal: Portal) -> None:
    async with portal.browser() as browser:
        await sign_in(browser)
        cookie = f"guichet-session={browser.cookies['guichet-session']}"
        browser.cookies.clear()
        for value in (f"{cookie}; {cookie}", f"guichet-session={new_token()}; {cookie}"):
            for path in ("/", "/invoices", "/sign-in"):
                answer = await browser.get(path, headers={"cookie": value})
                assert answer.status_code == 400


async def csrf_of(browser: httpx.AsyncClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', (await browser.get("/")).text)
    assert found is not None
    return found[1]


async def test_signing_out_ends_the_session_wherever_its_cookie_went(portal: Portal) -> None:
    async with portal.browser() as browser:
        await sign_in(browser)
        copied = str(browser.cookies["guichet-session"])
        answer = await browser.post(
            "/sign-out", data={"csrf": await csrf_of(browser)}, headers={"origin": LUMEN}
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert "guichet-session" not in browser.cookies
        browser.cookies.set("guichet-session", copied)
        assert (await browser.get("/")).status_code == 303
        assert (await browser.get("/invoices")).status_code == 303


async def test_a_sign_out_that_another_site_sends_is_refused(portal: Portal) -> None:
    async with portal.browser() as browser, portal.browser(MARMITE) as elsewhere:
        await sign_in(browser)
        await sign_in(elsewhere)
        own, foreign = await csrf_of(browser), await csrf_of(elsewhere)
        for form, headers in (
            ({"csrf": own}, {"origin": MARMITE}),
            ({"csrf": own}, {"origin": "null"}),
            ({"csrf": own}, {"sec-fetch-site": "cross-site"}),
            ({"csrf": own}, {}),
            ({"csrf": foreign}, {"origin": LUMEN}),
            ({"csrf": ""}, {"origin": LUMEN}),
            ({}, {"origin": LUMEN}),
        ):
            answer = await browser.post("/sign-out", data=form, headers=headers)
            assert answer.status_code == 403, (form, headers)
            assert "set-cookie" not in answer.headers
        assert (await browser.get("/")).status_code == 200


async def test_a_cross_site_sign_out_without_the_cookie_clears_nothing(portal: Portal) -> None:
    async with portal.browser() as browser:
        answer = await browser.post("/sign-out", headers={"origin": "https://evil.example"})
        assert "set-cookie" not in answer.headers


async def test_a_forged_forwarding_header_gives_no_new_tries(portal: Portal) -> None:
    async with portal.browser() as browser:
        for number in range(61):
            forged = f"198.51.100.{number}"
            headers = {"x-forwarded-for": forged, "forwarded": f"for={forged}", "x-real-ip": forged}
            answer = await browser.get("/sign-in/work", headers=headers)
        assert answer.status_code == 429
        assert "too many tries" in answer.text
        assert (await browser.get("/sign-in")).status_code == 200
    async with portal.browser(address="203.0.113.8") as another:
        assert (await another.get("/sign-in/work")).status_code == 303


async def test_behind_a_trusted_proxy_each_client_has_tries_of_its_own(
    portal: Portal, settings_without_sandbox: Settings
) -> None:
    behind = msgspec.structs.replace(settings_without_sandbox, trusted_proxies=("10.0.0.0/8",))
    async with opened(behind) as portal, portal.browser(address="10.1.2.3") as proxy:
        for number in range(61):
            # What the client wrote itself stands left of what the proxy saw.
            headers = {"x-forwarded-for": f"198.51.100.{number}, 203.0.113.7"}
            answer = await proxy.get("/sign-in/work", headers=headers)
        assert answer.status_code == 429
        other = {"x-forwarded-for": "203.0.113.7, 203.0.113.8"}
        assert (await proxy.get("/sign-in/work", headers=other)).status_code == 303
        async with portal.browser(address="203.0.113.7") as direct:
            assert (await direct.get("/sign-in/work", headers=other)).status_code == 429


async def test_with_redis_down_nobody_signs_in_but_pages_stay_up(
    portal: Portal, settings_without_sandbox: Settings, unused_tcp_port: int
) -> None:
    async with portal.browser() as browser:
        await sign_in(browser)
        cookie = str(browser.cookies["guichet-session"])
    gone = f"redis://127.0.0.1:{unused_tcp_port}/0"
    without_redis = msgspec.structs.replace(settings_without_sandbox, redis_url=gone)
    async with opened(without_redis) as portal, portal.browser() as browser:
        refused = await browser.get("/sign-in/work")
        assert refused.status_code == 503
        assert "not possible right now" in refused.text
        assert (await browser.get("/sign-in")).status_code == 200
        browser.cookies.set("guichet-session", cookie)
        assert (await browser.get("/")).status_code == 200
        assert (await browser.get("/invoices")).status_code == 200
