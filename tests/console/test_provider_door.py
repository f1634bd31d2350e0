"""The console's door for who comes from an identity provider, and for who only says so."""

import re
from collections.abc import AsyncIterator, Iterator
from html import unescape
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from guichet.auth.sessions import new_token
from guichet.settings import Settings
from tests.auth.hostile_provider import HostileProvider
from tests.console.town import CONSOLE, SESSION, Town, open_town, sessions
from tests.loopback import NO_AUTHORITIES


@pytest.fixture
def hostile() -> Iterator[HostileProvider]:
    with HostileProvider() as provider:
        provider.user |= {"sub": "admin-1", "email": "admin@example.com"}
        yield provider


@pytest.fixture
async def house(settings: Settings, hostile: HostileProvider) -> AsyncIterator[Town]:
    """The town with an identity provider for its staff."""
    known = msgspec.structs.replace(
        settings,
        staff_oidc_issuer=hostile.issuer,
        staff_oidc_client_id=hostile.client_id,
        staff_oidc_client_secret=hostile.client_secret,
    )
    async with open_town(known) as town:
        yield town


async def callback(browser: httpx.AsyncClient, next_path: str = "/") -> str:
    """Click on the button and consent; answers where the browser is sent back to."""
    page = await browser.get("/sign-in", params={"next": next_path})
    link = re.search(r'href="(/sign-in/oidc[^"]*)"', page.text)
    assert link is not None
    started = await browser.get(unescape(link[1]))
    assert started.status_code == 303
    async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITIES) as elsewhere:
        consented = await elsewhere.get(started.headers["location"])
    back = urlsplit(consented.headers["location"])
    assert f"{back.scheme}://{back.netloc}" == CONSOLE
    return f"{back.path}?{back.query}"


async def test_staff_come_in_with_their_provider_to_the_page_they_wanted(house: Town) -> None:
    await house.hire("admin")
    async with house.browser() as browser:
        entered = await browser.get(await callback(browser, "/merchants/lumen/members"))
        assert entered.headers["location"] == "/merchants/lumen/members"
        assert (await browser.get("/merchants/lumen/members")).status_code == 200


async def test_a_callback_works_once_and_in_its_own_browser_only(house: Town) -> None:
    await house.hire("admin")
    async with house.browser() as browser, house.browser() as thief:
        path = await callback(browser)
        assert (await thief.get(path)).status_code == 400
        assert SESSION not in thief.cookies
        assert (await browser.get(path)).status_code == 303
        assert (await browser.get(path)).status_code == 400
    assert await sessions(house.deployment.db) == 1


@pytest.mark.parametrize("change", ["another", "none", "twice"])
async def test_a_callback_with_a_wrong_state_is_refused(house: Town, change: str) -> None:
    await house.hire("admin")
    async with house.browser() as browser:
        path = await callback(browser)
        state = re.search(r"state=[^&]*", path)
        assert state is not None
        replaced = {
            "another": path.replace(state[0], f"state={new_token()}"),
            "none": path.replace(state[0], "x=y"),
            "twice": f"{path}&{state[0]}",
        }[change]
        assert (await browser.get(replaced)).status_code == 400
    assert await sessions(house.deployment.db) == 0


async def test_an_address_that_the_provider_did_not_verify_opens_nobodys_account(
    house: Town, hostile: HostileProvider
) -> None:
    await house.hire("admin")
    hostile.user["email_verified"] = False
    async with house.browser() as browser:
        assert (await browser.get(await callback(browser))).status_code == 403
    assert await sessions(house.deployment.db) == 0


async def test_whoever_belongs_to_nothing_is_told_so_and_nobody_is_made(house: Town) -> None:
    async with house.browser() as browser:
        answer = await browser.get(await callback(browser))
    assert (answer.status_code, "You belong to no workspace" in answer.text) == (403, True)
    async with house.deployment.db.system() as connection:
        assert await connection.fetchval("select count(1) from staff") == 0


async def test_a_person_is_linked_by_their_subject_and_not_by_an_address_that_changes(
    house: Town, hostile: HostileProvider
) -> None:
    await house.hire("admin")
    await house.hire("owner")
    async with house.browser() as browser:
        assert (await browser.get(await callback(browser))).status_code == 303
    hostile.user["email"] = "owner@example.com"
    async with house.browser() as browser:
        await browser.get(await callback(browser))
        page = await browser.get("/merchants/lumen/members")
        # It is the admin still, who may not make owners.
        assert 'value="owner"' not in page.text
