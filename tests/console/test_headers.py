"""Every answer of the console and of previews has its headers, whatever it is an answer to.

The routes are those of the table of routes, so a new one is asked here by itself.
"""

import re
from collections.abc import AsyncIterator
from html import unescape

import asyncpg
import httpx
import msgspec
import pytest

from guichet.auth.staff.preview_links import open_preview
from guichet.edge.headers import CONTENT_SECURITY_POLICY
from guichet.settings import Settings
from guichet.web.caching import PICTURE_POLICY
from guichet.web.previews import PAGES
from tenants.assets import keep_picture
from tenants.branding import Branding
from tenants.configuration import Configuration
from tenants.drafts import replace_draft
from tenants.pictures import read_picture
from tests.console.expected_headers import (
    CONSOLE_POLICY,
    ON_CONSOLE,
    ON_PREVIEW,
    PREVIEW_POLICY,
    faults,
    policy_of,
)
from tests.console.secure import (
    BROWSER,
    DOMAIN,
    PREVIEW,
    SESSION,
    Visitor,
    open_secure_town,
    visit,
)
from tests.console.test_roles import TABLE
from tests.console.town import Town
from tests.cutting_proxy import proxy_before


def cookies(answer: httpx.Response) -> set[str]:
    return {it.partition("=")[0] for it in answer.headers.get_list("set-cookie")}


@pytest.fixture
async def town(settings: Settings) -> AsyncIterator[Town]:
    async with open_secure_town(settings) as town:
        yield town


async def ask_all(visitor: Visitor, **fields: str) -> dict[str, httpx.Response]:
    """Every route's answer to somebody; who signs out does so last."""
    keys = sorted(TABLE, key=lambda key: (key == "POST /sign-out", key))
    return {key: await visitor.ask(key, fields) for key in keys}


def wrong(answers: dict[str, httpx.Response]) -> dict[str, list[str]]:
    """The faults of console pages, by what was asked for."""
    found = {key: list(faults(it, ON_CONSOLE, CONSOLE_POLICY)) for key, it in answers.items()}
    return {key: told for key, told in found.items() if told}


def asks_who(key: str) -> bool:
    """Whether a route looks up who is asking: all but files do."""
    return key not in ("GET /assets/{folder:str}/{name:str}", "GET /configuration.schema.json")


def statuses(answers: dict[str, httpx.Response]) -> set[int]:
    return {answer.status_code for answer in answers.values()}


async def test_every_route_answers_whoever_may_use_it_with_its_headers(town: Town) -> None:
    async with visit(town, "agency_owner") as owner:
        answers = await ask_all(owner)
    assert wrong(answers) == {}
    assert {200, 303, 400, 404, 409, 422, 503} <= statuses(answers)
    given = {key: cookies(answer) for key, answer in answers.items() if cookies(answer)}
    # Nobody's language is called so in the table.
    assert given == {"POST /sign-out": {SESSION}}


async def test_every_route_answers_whoever_may_not_with_its_headers(town: Town) -> None:
    for who, status in (("analyst", 403), ("owner_of_volta", 404)):
        async with visit(town, who) as visitor:  # type: ignore[arg-type]
            answers = await ask_all(visitor)
        assert wrong(answers) == {}
        assert status in statuses(answers)
        assert {k for k, it in answers.items() if cookies(it)} == {"POST /sign-out"}


async def test_every_route_answers_nobody_with_its_headers_and_a_form_s_cookie_at_most(
    town: Town,
) -> None:
    answers = {}
    for key in TABLE:
        async with visit(town, None) as nobody:
            answers[key] = await nobody.ask(key)
    assert wrong(answers) == {}
    assert {200, 303, 403, 404} <= statuses(answers)
    for key, answer in answers.items():
        has_form = 'name="csrf"' in answer.text
        assert cookies(answer) == ({BROWSER} if has_form else set()), key


async def test_every_refused_form_has_its_headers(town: Town) -> None:
    async with visit(town, "agency_owner") as owner:
        forged = owner._replace(csrf="A" * 43)
        answers = {key: await forged.ask(key) for key in TABLE if key.startswith("POST ")}
    assert wrong(answers) == {}
    assert statuses(answers) == {403}


async def test_what_is_no_route_has_its_headers(town: Town) -> None:
    members = "/merchants/lumen/members"
    async with visit(town, "agency_owner") as owner:
        answers = {
            f"{method} {path}": await owner.client.request(method, path)
            for method, path in (
                ("GET", "/no-such-page"),
                ("GET", "/merchants/lumen/no-such-page"),
                *((method, members) for method in ("PUT", "DELETE", "OPTIONS", "HEAD")),
            )
        }
        # These are answered before anybody looks at the host.
        hostless = [await owner.client.get(it) for it in ("/%00", "/" + "x" * 5000, "/health/x")]
    assert wrong(answers) == {}
    assert statuses(answers) == {200, 204, 404, 405}
    for answer in hostless:
        assert list(faults(answer, ON_CONSOLE, policy_of(CONTENT_SECURITY_POLICY))) == []


async def test_a_language_is_the_only_thing_that_a_signed_in_browser_is_told_to_keep(
    town: Town,
) -> None:
    async with visit(town, "agency_owner") as owner:
        answer = await owner.client.get("/language/fr?next=/merchants/lumen")
    assert cookies(answer) == {"__Host-guichet-language"}
    assert wrong({"language": answer}) == {}


async def test_a_route_that_breaks_answers_with_its_headers(town: Town, settings: Settings) -> None:
    async with visit(town, "agency_owner") as owner:
        database = await asyncpg.connect(settings.owner_database_url)
        await database.execute("alter table staff_sessions rename to misplaced")
        await database.close()
        answers = {key: await owner.ask(key) for key in TABLE if asks_who(key)}
    assert wrong(answers) == {}
    assert statuses(answers) == {500}
    assert {key for key, answer in answers.items() if cookies(answer)} == set()


async def test_a_route_without_a_database_answers_with_its_headers(settings: Settings) -> None:
    async with proxy_before(settings.database_url) as (proxy, url):
        away = msgspec.structs.replace(settings, database_url=url)
        async with open_secure_town(away) as town, visit(town, "agency_owner") as owner:
            proxy.refuse()
            answers = {key: await owner.ask(key) for key in TABLE if asks_who(key)}
            await proxy.listen()
    assert wrong(answers) == {}
    assert statuses(answers) == {503}
    assert {key for key, answer in answers.items() if cookies(answer)} == set()


async def test_files_of_the_console_are_kept_and_a_picture_by_its_browser_alone(
    town: Town,
) -> None:
    logo = read_picture(
        b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'
    )
    async with town.deployment.db.unit(town.lumen.id) as unit:
        picture_id = await keep_picture(unit.connection, unit.tenant_id, logo)
    async with visit(town, "agency_owner") as owner:
        page = await owner.client.get("/merchants/lumen/members")
        files = sorted(set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', page.text)))
        answers = {path: await owner.client.get(path) for path in files}
        picture = await owner.client.get(f"/merchants/lumen/pictures/{picture_id}")
    assert len(answers) > 2
    kept = ON_CONSOLE | {"cache-control": "public, max-age=31536000, immutable"}
    for path, answer in answers.items():
        assert answer.status_code == 200
        assert (path, *faults(answer, kept, CONSOLE_POLICY)) == (path,)
        assert not cookies(answer)
    alone = ON_CONSOLE | {"cache-control": "private, max-age=86400"}
    assert list(faults(picture, alone, policy_of(PICTURE_POLICY))) == []


async def test_the_page_that_leads_to_a_portal_sends_forms_there_and_to_the_console_alone(
    town: Town,
) -> None:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await unit.execute(
            """
            insert into customers (tenant_id, id, email, name, created_at, copy_no)
            values ($1, 'cus_1', 'ada@example.com', 'Ada', now(), 1)
            """,
            unit.tenant_id,
        )
    async with visit(town, "agency_owner") as owner:
        key = "POST /merchants/{merchant:str}/customers/{customer_id:str}/portal"
        answer = await owner.ask(key, {"reason": "Because."}, customer_id="cus_1")
    assert answer.status_code == 200, answer.text
    policy = {name: text for name, text in CONSOLE_POLICY.items() if name != "frame-src"}
    policy["form-action"] = f"'self' https://lumen.{DOMAIN}"
    # The portal learns whose form it is, and no more.
    headers = ON_CONSOLE | {"referrer-policy": "strict-origin"}
    assert list(faults(answer, headers, policy)) == []


@pytest.mark.parametrize("theme", ["plain", "hearth", "current"])
async def test_every_page_of_a_preview_has_its_headers_in_every_theme(
    town: Town, theme: str
) -> None:
    configuration = Configuration(branding=Branding(theme=theme))
    staff = await town.hire("admin")
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await replace_draft(unit.connection, unit.tenant_id, configuration, "a test")
        token = await open_preview(unit, town.deployment.settings.master_keys, staff.id)
    async with visit(town, None, PREVIEW) as browser:
        asked = [f"/lumen/{token}/{page}" for page in (*PAGES, "show", "no-such-page")]
        page = await browser.client.get(asked[0])
        asked += re.findall(r'(?:href|src)="(/lumen/[^"]+/assets/[^"]+)"', page.text)
        asked += [f"/lumen/{'A' * 64}/home", f"/nobody/{token}/home", "/", "/lumen"]
        asked += [f"/lumen/{token}/assets/pictures/none"]
        answers = {path: await browser.client.get(unescape(path)) for path in asked}
        answers["POST"] = await browser.client.post(asked[0])
    assert {200, 404, 405} <= statuses(answers)
    assert sum("/assets/" in path for path in asked) > 2
    for path, answer in answers.items():
        assert (path, *faults(answer, ON_PREVIEW, PREVIEW_POLICY)) == (path,)
        assert not cookies(answer)


async def test_a_preview_without_a_database_has_its_headers(settings: Settings) -> None:
    async with proxy_before(settings.database_url) as (proxy, url):
        away = msgspec.structs.replace(settings, database_url=url)
        async with open_secure_town(away) as town, visit(town, None, PREVIEW) as browser:
            proxy.refuse()
            answer = await browser.client.get(f"/lumen/{'A' * 64}/home")
            await proxy.listen()
    assert answer.status_code == 503
    assert list(faults(answer, ON_PREVIEW, PREVIEW_POLICY)) == []
