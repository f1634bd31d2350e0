"""Invitations: for one address, once, for seven days, and as long as their maker may make them."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from guichet.auth.mail_links import make_link_token
from guichet.auth.staff.links import NOBODY, staff_link_token
from tenants.staff import find_staff
from tests.console.conftest import AsStaff
from tests.console.people import MERCHANT, invite, log_of, mails_to_staff, make_invitation, roles
from tests.console.town import SESSION, Town, post


async def test_whoever_holds_the_mails_link_joins_with_a_session(
    town: Town, as_staff: AsStaff, console: httpx.AsyncClient
) -> None:
    path = await make_invitation(town, as_staff)
    page = await console.get(path)
    assert page.status_code == 200
    assert "You are invited to Lumen" in page.text
    assert "new@example.com" in page.text
    joined = await post(console, path, {"name": "  Noor \n Haddad "})
    assert (joined.status_code, joined.headers["location"]) == (303, MERCHANT)
    assert (await console.get(f"{MERCHANT}/members")).status_code == 200
    assert (await roles(town))["new"] == "admin"
    assert (await log_of(town))[-2:] == [
        ("owner@example.com", "member.invited", "new@example.com", {"role": "admin"}),
        (
            "new@example.com",
            "member.joined",
            "new@example.com",
            {"role": "admin", "invited_by": "owner@example.com"},
        ),
    ]


async def test_a_mail_scanner_that_follows_the_link_lets_nobody_in(
    town: Town, as_staff: AsStaff, console: httpx.AsyncClient
) -> None:
    path = await make_invitation(town, as_staff)
    for _ in range(3):
        page = await console.get(path)
        assert SESSION not in page.headers.get("set-cookie", "")
    assert "new" not in await roles(town)
    assert (await post(console, path)).status_code == 303


async def test_an_invitation_is_good_once_even_when_accepted_twice_at_the_same_time(
    town: Town, as_staff: AsStaff
) -> None:
    path = await make_invitation(town, as_staff)
    clients = [await as_staff(None) for _ in range(4)]
    answers = await asyncio.gather(*(post(client, path) for client in clients))
    assert sorted(answer.status_code for answer in answers) == [303, 404, 404, 404]
    over = await clients[0].get(path)
    assert (over.status_code, "This invitation is over" in over.text) == (404, True)


async def test_an_invitation_that_was_taken_back_or_is_over_lets_nobody_in(
    town: Town, as_staff: AsStaff, console: httpx.AsyncClient
) -> None:
    path = await make_invitation(town, as_staff)
    async with town.deployment.db.system() as connection:
        await connection.execute("update tenant_invitations set expires_at = now()")
    assert (await post(console, path)).status_code == 404
    owner = await as_staff("owner")
    await invite(owner, "new@example.com")
    async with town.deployment.db.system() as connection:
        invited = await connection.fetchval("select id from tenant_invitations")
    assert (await console.get(path)).status_code == 200
    revoked = await post(owner, f"{MERCHANT}/invitations/{invited}/revoke")
    assert revoked.status_code == 303
    assert (await post(console, path)).status_code == 404
    assert "new" not in await roles(town)


@pytest.mark.parametrize("kind", ["guessed", "of a sign-in", "changed", "empty"])
async def test_a_link_that_is_no_invitations_lets_nobody_in(
    town: Town, as_staff: AsStaff, console: httpx.AsyncClient, kind: str
) -> None:
    path = await make_invitation(town, as_staff)
    keys = town.deployment.settings.master_keys
    link = await town.link(await town.hire("admin"))
    tokens = {
        "guessed": make_link_token(keys, NOBODY, uuid4(), "invitation"),
        "of a sign-in": staff_link_token(keys, link),
        "changed": path.removeprefix("/invitations/")[:-1] + "!",
        "empty": "x",
    }
    path = f"/invitations/{tokens[kind]}"
    assert (await console.get(path)).status_code == 404
    assert (await post(console, path)).status_code == 404
    assert SESSION not in console.cookies


async def test_an_invitation_ends_with_the_role_of_whoever_made_it(
    town: Town, as_staff: AsStaff, console: httpx.AsyncClient
) -> None:
    path = await make_invitation(town, as_staff, "owner")
    async with town.deployment.db.system() as connection:
        await connection.execute("update tenant_members set role = 'admin'")
    assert (await post(console, path)).status_code == 404
    # An admin might still invite somebody to be one.
    async with town.deployment.db.system() as connection:
        await connection.execute("update tenant_invitations set role = 'support'")
    assert (await post(console, path)).status_code == 303


async def test_whoever_is_a_member_already_stays_what_they_are(
    town: Town, as_staff: AsStaff, console: httpx.AsyncClient
) -> None:
    path = await make_invitation(town, as_staff, "analyst")
    await town.hire("admin", "new@example.com")
    assert (await post(console, path)).status_code == 303
    assert (await roles(town))["new"] == "admin"
    again = await invite(await as_staff("owner"), "New@Example.com", "analyst")
    assert (again.status_code, "is a member already" in again.text) == (409, True)


async def test_somebody_else_who_is_signed_in_is_told_and_goes_on_as_the_invited_one(
    town: Town, as_staff: AsStaff
) -> None:
    path = await make_invitation(town, as_staff)
    other = await as_staff("owner_of_volta")
    before = other.cookies[SESSION]
    page = await other.get(path)
    assert "You are signed in as owner_of_volta@example.com" in page.text
    assert (await post(other, path)).status_code == 303
    assert other.cookies[SESSION] != before
    assert (await other.get(f"{MERCHANT}/members")).status_code == 200
    # The former session is over, not only forgotten.
    async with town.browser(before) as thief:
        assert (await thief.get("/")).headers["location"].startswith("/sign-in")


async def test_a_person_without_an_account_is_made_once_and_by_accepting_only(
    town: Town, as_staff: AsStaff, console: httpx.AsyncClient
) -> None:
    path = await make_invitation(town, as_staff)
    async with town.deployment.db.system() as connection:
        assert await find_staff(connection, "new@example.com") is None
    await post(console, path, {"name": "<b>Noor</b>"})
    async with town.deployment.db.system() as connection:
        found = await find_staff(connection, "new@example.com")
    assert found is not None
    assert found.name == "<b>Noor</b>"
    page = await (await as_staff("owner")).get(f"{MERCHANT}/members")
    assert "<b>Noor" not in page.text
    assert "&lt;b&gt;Noor&lt;/b&gt;" in page.text


@pytest.mark.parametrize("email", ["", "x", "a@b", "é@example.com", "a@example.com\nBcc: b@x.com"])
async def test_what_is_no_address_is_refused_with_what_was_typed(
    town: Town, as_staff: AsStaff, email: str
) -> None:
    answer = await invite(await as_staff("owner"), email)
    assert answer.status_code == 422
    assert "Write an address of mail" in answer.text
    assert await mails_to_staff(town) == 0


async def test_nobody_is_flooded_with_mails(town: Town, as_staff: AsStaff) -> None:
    owner = await as_staff("owner")
    statuses = [(await invite(owner, "new@example.com")).status_code for _ in range(5)]
    assert statuses == [303, 303, 303, 429, 429]
    assert await mails_to_staff(town) == 3
    async with town.deployment.db.system() as connection:
        assert await connection.fetchval("select count(1) from tenant_invitations") == 1


async def test_an_invitation_is_sent_again_for_seven_more_days(
    town: Town, as_staff: AsStaff
) -> None:
    await make_invitation(town, as_staff)
    async with town.deployment.db.system() as connection:
        invited = await connection.fetchval(
            "update tenant_invitations set expires_at = now() returning id"
        )
    admin = await as_staff("admin")
    page = await admin.get(f"{MERCHANT}/members")
    assert "Over" in page.text
    answer = await post(admin, f"{MERCHANT}/invitations/{invited}/resend")
    assert answer.status_code == 303
    async with town.deployment.db.system() as connection:
        row = await connection.fetchrow(
            "select expires_at - now() as left, invited_by from tenant_invitations"
        )
    assert row is not None
    assert row["left"].days == 6
    assert row["invited_by"] == "admin@example.com"
    assert await mails_to_staff(town) == 2


async def test_an_invitation_of_another_workspace_is_not_found(
    town: Town, as_staff: AsStaff
) -> None:
    await make_invitation(town, as_staff)
    async with town.deployment.db.system() as connection:
        invited = await connection.fetchval("select id from tenant_invitations")
    volta = await as_staff("owner_of_volta")
    for act in ("resend", "revoke"):
        answer = await post(volta, f"/merchants/volta/invitations/{invited}/{act}")
        assert answer.status_code == 404
        answer = await post(volta, f"{MERCHANT}/invitations/{invited}/{act}")
        assert answer.status_code == 404
    async with town.deployment.db.system() as connection:
        assert await connection.fetchval("select revoked_at from tenant_invitations") is None


async def test_an_admin_does_not_take_back_an_owners_invitation(
    town: Town, as_staff: AsStaff
) -> None:
    await make_invitation(town, as_staff, "owner")
    async with town.deployment.db.system() as connection:
        invited = await connection.fetchval("select id from tenant_invitations")
    admin = await as_staff("admin")
    for act in ("resend", "revoke"):
        answer = await post(admin, f"{MERCHANT}/invitations/{invited}/{act}")
        assert answer.status_code == 403
    async with town.deployment.db.system() as connection:
        assert await connection.fetchval("select revoked_at from tenant_invitations") is None
