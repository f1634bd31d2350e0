"""The console attacked: forms of other sites, floods, forged hosts, and who was thrown out."""

import re
from datetime import timedelta
from uuid import uuid4

import httpx
import msgspec
import pytest

from guichet.auth.csrf import csrf_token
from guichet.auth.staff.links import NOBODY
from guichet.auth.staff.preview_links import open_preview
from tenants.assets import keep_picture
from tenants.branding import Branding
from tenants.checks import MOST_MISTAKES, InvalidConfiguration, read_document
from tenants.configuration import Configuration
from tenants.drafts import replace_draft
from tenants.pictures import read_picture
from tests.console.conftest import AsStaff
from tests.console.people import MERCHANT, invite, link_of
from tests.console.secure import path_of
from tests.console.test_roles import TABLE
from tests.console.town import BROWSER, CONSOLE, SESSION, Town, post
from tests.console.town import LUMEN as PORTAL

POSTS = sorted(key for key in TABLE if key.startswith("POST "))
PREVIEW = "http://preview.localhost:8000"


# Forms of other sites


@pytest.mark.parametrize(
    "fault",
    [
        "no token",
        "the browser's token",
        "another's token",
        "a portal",
        "null",
        "cross-site",
        "none",
    ],
)
@pytest.mark.parametrize("autosave", [False, True])
async def test_no_post_is_taken_that_our_own_page_did_not_send(
    town: Town, as_staff: AsStaff, fault: str, autosave: bool
) -> None:
    """Each route of the table, by whoever may do most; a script's requests too."""
    owner = await as_staff("agency_owner")
    fields = {"csrf": csrf_token(owner.cookies[SESSION], NOBODY)}
    headers = {"origin": CONSOLE}
    match fault:
        case "no token":
            fields = {}
        case "the browser's token":
            fields = {"csrf": csrf_token(owner.cookies[BROWSER], NOBODY)}
        case "another's token":
            fields = {"csrf": csrf_token(await town.session(await town.hire("owner")), NOBODY)}
        case "a portal":
            headers = {"origin": PORTAL}
        case "null":
            headers = {"origin": "null"}
        case "cross-site":
            headers = {"sec-fetch-site": "same-site"}
        case "none":
            headers = {}
    if autosave:
        headers["x-autosave"] = "1"
    answers = {
        key: (await owner.post(path_of(key), data=fields, headers=headers)).status_code
        for key in POSTS
    }
    assert answers == dict.fromkeys(POSTS, 403)
    assert (await owner.get(f"{MERCHANT}/members")).status_code == 200


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data", ""])
async def test_a_body_that_is_no_form_of_ours_does_nothing(
    town: Town, as_staff: AsStaff, kind: str
) -> None:
    owner = await as_staff("agency_owner")
    token = csrf_token(owner.cookies[SESSION], NOBODY)
    body = msgspec.json.encode({"csrf": token, "email": "x@example.com", "role": "owner"})
    for key in POSTS:
        headers = {"origin": CONSOLE, "content-type": kind}
        answer = await owner.post(path_of(key), content=body, headers=headers)
        assert answer.status_code in (400, 403), key


async def test_a_page_of_another_site_cannot_sign_a_browser_in(town: Town) -> None:
    """Nor into an account of the attacker's, by a link or an invitation that is good."""
    link = await town.link(await town.hire("admin"))
    assert link
    async with town.browser(await town.session(await town.hire("owner"))) as owner:
        await invite(owner, "new@example.com")
    path = await link_of(town, "new@example.com")
    async with town.browser() as attacker, town.browser() as victim:
        theirs = csrf_token(attacker.cookies[BROWSER], NOBODY)
        for headers in ({"origin": "https://evil.example"}, {"origin": CONSOLE}):
            answer = await victim.post(path, data={"csrf": theirs}, headers=headers)
            assert answer.status_code == 403
            assert SESSION not in victim.cookies
        assert (await post(victim, path)).status_code == 303


# Floods


async def test_a_stranger_s_form_is_small(console: httpx.AsyncClient) -> None:
    kinds = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x")
    for kind in kinds:
        headers = {"origin": CONSOLE, "content-type": kind}
        for path in ("/sign-in/link", f"/sign-in/link/{'A' * 64}", f"/invitations/{'A' * 64}"):
            answer = await console.post(path, content=b"a" * 20_000, headers=headers)
            assert answer.status_code == 413


async def test_a_form_of_a_million_fields_is_refused_unread(as_staff: AsStaff) -> None:
    owner = await as_staff("owner")
    headers = {"origin": CONSOLE, "content-type": "application/x-www-form-urlencoded"}
    for body in (b"a&" * 1_000_000, b"a=b&" * 2_001):
        answer = await owner.post(f"{MERCHANT}/texts", content=body, headers=headers)
        assert answer.status_code == 400


async def test_of_a_file_with_thousands_of_mistakes_the_first_hundred_are_told() -> None:
    plans = b'{"plans": [' + b"{}," * 60_000 + b"{}]}"
    fields = msgspec.json.encode({f"field_{number}": 1 for number in range(10_000)})
    for document in (plans, fields):
        with pytest.raises(InvalidConfiguration) as refused:
            read_document(document)
        assert len(refused.value.mistakes) == MOST_MISTAKES


# Who was thrown out


async def test_whoever_lost_their_role_sees_no_picture_in_an_old_preview(
    town: Town, as_staff: AsStaff
) -> None:
    staff = await town.hire("admin")
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'
    async with town.deployment.db.unit(town.lumen.id) as unit:
        picture_id = await keep_picture(unit.connection, unit.tenant_id, read_picture(svg))
        configuration = Configuration(branding=Branding(logo=picture_id))
        await replace_draft(unit.connection, unit.tenant_id, configuration, "a test")
        token = await open_preview(unit, town.deployment.settings.master_keys, staff.id)
    folder = f"/lumen/{token}"
    page = await _preview(town, f"{folder}/home")
    sheet = re.search(rf'href="({folder}/assets/[^"]*brand\.css)', page.text)
    assert sheet
    paths = [f"{folder}/home", sheet[1], f"{folder}/assets/pictures/{picture_id}"]
    assert [(await _preview(town, path)).status_code for path in paths] == [200, 200, 200]
    owner = await as_staff("owner")
    assert (await post(owner, f"{MERCHANT}/members/{staff.id}/remove")).status_code == 303
    assert [(await _preview(town, path)).status_code for path in paths] == [404, 404, 404]


async def _preview(town: Town, path: str) -> httpx.Response:
    async with town.browser(origin=PREVIEW) as browser:
        return await browser.get(path)


@pytest.mark.parametrize("key", [key for key in POSTS if "{merchant:" in key])
async def test_a_form_left_open_by_somebody_removed_does_nothing(
    town: Town, as_staff: AsStaff, key: str
) -> None:
    """Of each route: the session lives on, and what it may do ends with the role."""
    admin, owner = await as_staff("admin"), await as_staff("owner")
    person = (await town.hire("admin")).id
    assert (await post(owner, f"{MERCHANT}/members/{person}/remove")).status_code == 303
    before = await _rows(town)
    answer = await post(admin, path_of(key), {"seen": "", "reason": "x", "token": uuid4().hex})
    assert answer.status_code == 404
    assert await _rows(town) == before


async def _rows(town: Town) -> int:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        counted: int = await unit.fetchval(
            "select count(1) from audit_log where tenant_id = $1", town.lumen.id
        )
    return counted


@pytest.mark.parametrize(
    "host",
    ["CONSOLE.localhost:8000", "console.localhost.:8000", "console.localhost:8000."],
)
async def test_the_console_s_own_addresses_are_made_from_nothing_that_was_sent(
    town: Town, console: httpx.AsyncClient, host: str
) -> None:
    forged = {"host": host, "x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    answer = await console.get("/merchants/lumen/members", headers=forged)
    assert "evil" not in answer.headers.get("location", "") + answer.text
    sent = await post(console, "/sign-in/link", {"email": "admin@example.com"}, headers=forged)
    assert "evil" not in sent.text
    async with town.deployment.db.system() as connection:
        facts = await connection.fetchval("select string_agg(facts::text, '') from staff_messages")
    assert "evil" not in (facts or "")


# A stolen cookie


async def test_a_session_ends_three_days_after_its_use_and_a_fortnight_after_the_sign_in(
    town: Town, as_staff: AsStaff
) -> None:
    admin = await as_staff("admin")
    page = f"{MERCHANT}/members"
    await _age(town, created="13 days 23 hours", left="1 minute")
    assert (await admin.get(page)).status_code == 200
    async with town.deployment.db.system() as connection:
        left = await connection.fetchval("select expires_at - now() from staff_sessions")
    # It was seen, so it lives on: to the end of the fortnight, and not for three days.
    assert timedelta(minutes=30) < left <= timedelta(hours=1)
    await _age(town, created="1 day", left="30 minutes")
    assert (await admin.get(page)).status_code == 200
    await _age(town, created="1 day", left="-1 second")
    assert (await admin.get(page)).headers["location"].startswith("/sign-in")


async def _age(town: Town, created: str, left: str) -> None:
    """Have every session begun so long ago, unseen for an hour, and with so much time left."""
    async with town.deployment.db.system() as connection:
        await connection.execute(
            """
            update staff_sessions
            set
              created_at = now() - $1::text::interval,
              seen_at = now() - interval '1 hour',
              expires_at = now() + $2::text::interval
            """,
            created,
            left,
        )
