"""The console's door under attack: links, others' cookies, limits, what it tells."""

import asyncio
import re

import httpx
import msgspec
import pytest

from guichet.auth.csrf import csrf_token
from guichet.auth.mail_links import make_link_token
from guichet.auth.sessions import new_token, open_session
from guichet.auth.staff.links import NOBODY, staff_link_token
from guichet.db import Database
from guichet.settings import Settings
from tests.auth.conftest import add_customer
from tests.console.conftest import AsStaff
from tests.console.town import BROWSER, CONSOLE, LUMEN, SESSION, Town, open_town, post, sessions


async def link_path(town: Town, next_path: str = "/", age: str = "0 minutes") -> str:
    """A sign-in link of Lumen's admin."""
    link = await town.link(await town.hire("admin"), next_path, age)
    return f"/sign-in/link/{staff_link_token(town.deployment.settings.master_keys, link)}"


async def mails(db: Database) -> list[str]:
    async with db.system() as connection:
        rows = await connection.fetch("select recipient from staff_messages order by queued_at")
    return [row["recipient"] for row in rows]


# Links


async def test_a_link_lets_its_person_in_once(town: Town, console: httpx.AsyncClient) -> None:
    path = await link_path(town, "/merchants/lumen/members")
    assert "admin@example.com" in (await console.get(path)).text
    entered = await post(console, path)
    assert (entered.status_code, entered.headers["location"]) == (303, "/merchants/lumen/members")
    assert (await console.get("/merchants/lumen/members")).status_code == 200
    async with town.browser() as thief:
        assert (await post(thief, path)).status_code == 400
        assert SESSION not in thief.cookies


async def test_of_clicks_at_the_same_time_one_gets_in(town: Town, as_staff: AsStaff) -> None:
    path = await link_path(town)
    clients = [await as_staff(None) for _ in range(4)]
    answers = await asyncio.gather(*(post(client, path) for client in clients))
    assert sorted(it.status_code for it in answers) == [303, 400, 400, 400]
    assert await sessions(town.deployment.db) == 1


async def test_a_mail_scanner_that_follows_a_link_lets_nobody_in(
    town: Town, console: httpx.AsyncClient
) -> None:
    path = await link_path(town)
    for method in ("GET", "HEAD", "GET"):
        answer = await console.request(method, path)
        assert SESSION not in answer.headers.get("set-cookie", "")
    # Without our page's form a POST is nobody's button.
    assert (await console.post(path)).status_code == 403
    assert await sessions(town.deployment.db) == 0
    assert (await post(console, path)).status_code == 303


async def test_a_link_ends_after_a_quarter_of_an_hour(
    town: Town, console: httpx.AsyncClient
) -> None:
    path = await link_path(town, age="15 minutes")
    assert (await console.get(path)).status_code == 400
    assert (await post(console, path)).status_code == 400
    assert await sessions(town.deployment.db) == 0


@pytest.mark.parametrize("kind", ["of another purpose", "of a tenant", "of another key", "cut"])
async def test_a_token_that_is_no_link_of_staff_lets_nobody_in(
    town: Town, console: httpx.AsyncClient, kind: str
) -> None:
    link = await town.link(await town.hire("admin"))
    keys = town.deployment.settings.master_keys
    token = {
        "of another purpose": make_link_token(keys, NOBODY, link, "invitation"),
        "of a tenant": make_link_token(keys, town.lumen.id, link, "staff_sign_in"),
        "of another key": staff_link_token(["A" * 43 + "="], link),
        "cut": staff_link_token(keys, link)[:-1],
    }[kind]
    assert (await console.get(f"/sign-in/link/{token}")).status_code == 400
    assert (await post(console, f"/sign-in/link/{token}")).status_code == 400
    assert await sessions(town.deployment.db) == 0


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example"]
)
async def test_no_sign_in_ends_elsewhere(
    town: Town, console: httpx.AsyncClient, wanted: str
) -> None:
    await town.hire("admin")
    sent = await post(console, "/sign-in/link", {"email": "admin@example.com", "next": wanted})
    assert sent.status_code == 200
    async with town.deployment.db.system() as connection:
        kept = await connection.fetchval("select facts ->> 'next' from staff_messages")
    assert kept == "/"
    page = await console.get("/sign-in", params={"next": wanted})
    assert "evil.example" not in re.sub(r'href="/language/[^"]*"', "", page.text)
    async with town.browser(await town.session(await town.hire("admin"))) as signed_in:
        again = await signed_in.get("/sign-in", params={"next": wanted})
        assert again.headers["location"] == "/"
        chosen = await signed_in.get("/language/fr", params={"next": wanted})
        assert chosen.headers["location"] == "/"


# What the door tells


async def test_the_door_says_and_does_the_same_for_everybody(
    town: Town, console: httpx.AsyncClient
) -> None:
    await town.hire("admin")
    known = await post(console, "/sign-in/link", {"email": "admin@example.com"})
    unknown = await post(console, "/sign-in/link", {"email": "nobody@example.com"})
    assert known.status_code == unknown.status_code == 200
    assert _same(known, "admin@example.com") == _same(unknown, "nobody@example.com")
    # Both wrote the very same row: whose address it is only the worker looks up.
    assert await mails(town.deployment.db) == ["admin@example.com", "nobody@example.com"]
    async with town.deployment.db.system() as connection:
        assert await connection.fetchval("select count(1) from staff_links") == 0


def _same(answer: httpx.Response, email: str) -> tuple[str, list[str]]:
    text = re.sub(r'name="csrf" value="[^"]*"', "", answer.text.replace(email, "…"))
    return text, sorted(name for name in answer.headers if name != "x-request-id")


async def test_an_address_gets_three_links_a_minute_from_wherever_they_are_asked_for(
    town: Town,
) -> None:
    for who in ("admin@example.com", "nobody@example.com"):
        statuses = []
        for number in range(5):
            async with town.browser(address=f"203.0.113.{number + 10}") as browser:
                answer = await post(browser, "/sign-in/link", {"email": who.upper()})
                statuses.append(answer.status_code)
        assert statuses == [200, 200, 200, 429, 429]


async def test_a_client_gets_sixty_tries_a_minute_however_many_come_at_once(town: Town) -> None:
    # No more at once than a slow machine answers before its own limits of time.
    doorway = asyncio.Semaphore(8)
    async with town.browser() as browser:

        async def ask(number: int) -> int:
            async with doorway:
                answer = await post(browser, "/sign-in/link", {"email": f"n{number}@example.com"})
            return answer.status_code

        statuses = await asyncio.gather(*(ask(number) for number in range(70)))
    assert (statuses.count(200), statuses.count(429)) == (60, 10)
    # A header that anybody can send makes nobody somebody else.
    async with town.browser() as browser:
        answer = await post(
            browser,
            "/sign-in/link",
            {"email": "last@example.com"},
            headers={"x-forwarded-for": "198.51.100.1"},
        )
        assert answer.status_code == 429


async def test_guesses_of_links_are_counted(town: Town, console: httpx.AsyncClient) -> None:
    path = f"/sign-in/link/{'A' * 64}"
    statuses = [(await console.get(path)).status_code for _ in range(61)]
    assert statuses == [400] * 60 + [429]


async def test_without_redis_nobody_signs_in_and_pages_stay_up(settings: Settings) -> None:
    away = msgspec.structs.replace(settings, redis_url="redis://127.0.0.1:1")
    async with open_town(away) as town:
        path = await link_path(town)
        async with town.browser() as browser:
            assert (await post(browser, path)).status_code == 503
            refused = await post(browser, "/sign-in/link", {"email": "admin@example.com"})
            assert refused.status_code == 503
        admin = await town.hire("admin")
        async with town.browser(await town.session(admin)) as browser:
            assert (await browser.get("/merchants/lumen/members")).status_code == 200


# Sessions and cookies


async def test_a_session_that_was_planted_is_not_adopted(town: Town) -> None:
    path, planted = await link_path(town), new_token()
    async with town.browser(planted) as victim, town.browser(planted) as attacker:
        assert (await victim.get("/")).headers["location"] == "/sign-in"
        token = csrf_token(victim.cookies[BROWSER], NOBODY)
        entered = await victim.post(path, data={"csrf": token}, headers={"origin": CONSOLE})
        assert entered.status_code == 303
        assert victim.cookies[SESSION] != planted
        assert (await attacker.get("/")).headers["location"] == "/sign-in"


async def test_a_sign_in_ends_the_session_that_the_browser_had(
    town: Town, as_staff: AsStaff
) -> None:
    other = await as_staff("owner_of_volta")
    before = other.cookies[SESSION]
    assert (await post(other, await link_path(town))).status_code == 303
    async with town.browser(before) as thief:
        assert (await thief.get("/")).headers["location"] == "/sign-in"


async def test_signing_out_ends_the_session_wherever_it_was_copied_to(
    town: Town, as_staff: AsStaff
) -> None:
    admin = await as_staff("admin")
    async with town.browser(admin.cookies[SESSION]) as copy:
        assert (await post(admin, "/sign-out")).status_code == 303
        assert (await copy.get("/merchants/lumen/members")).status_code == 303


async def test_a_customers_session_is_worth_nothing_at_the_console_nor_the_reverse(
    town: Town,
) -> None:
    db, lumen = town.deployment.db, town.lumen.id
    await add_customer(db, lumen, "cus_ada", "admin@example.com", status="active")
    async with db.unit(lumen) as unit:
        customers = await open_session(unit, "cus_ada", "test", "a test")
    staffs = await town.session(await town.hire("admin"))
    async with town.browser(customers) as at_console:
        assert (await at_console.get("/")).headers["location"] == "/sign-in"
        answer = await post(at_console, "/merchants/lumen/members")
        assert answer.headers["location"].startswith("/sign-in")
    async with town.browser(staffs, LUMEN) as at_portal:
        assert (await at_portal.get("/")).headers["location"] == "/sign-in"
    async with town.browser(customers, LUMEN) as at_home:
        assert (await at_home.get("/")).status_code == 200


@pytest.mark.parametrize("fault", ["origin", "null", "none", "token", "another's token"])
async def test_a_form_that_is_not_ours_is_refused(
    town: Town, as_staff: AsStaff, fault: str
) -> None:
    admin = await as_staff("admin")
    fields = {"csrf": csrf_token(admin.cookies[SESSION], NOBODY)}
    headers = {"origin": CONSOLE}
    match fault:
        case "origin":
            headers = {"origin": LUMEN}
        case "null":
            headers = {"origin": "null"}
        case "none":
            headers = {}
        case "token":
            fields = {}
        case "another's token":
            other = await town.session(await town.hire("owner"))
            fields = {"csrf": csrf_token(other, NOBODY)}
    answer = await admin.post("/sign-out", data=fields, headers=headers)
    assert answer.status_code == 403
    assert (await admin.get("/merchants/lumen/members")).status_code == 200


async def test_nothing_that_opens_a_session_is_stored(town: Town) -> None:
    token = await town.session(await town.hire("admin"))
    async with town.deployment.db.system() as connection:
        assert token not in await connection.fetchval(
            "select staff_sessions::text from staff_sessions"
        )
