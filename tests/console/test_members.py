"""Who belongs to a workspace: invitations, roles, and who goes; each act in the audit log."""

import asyncio
import re
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from guichet.auth.mail_links import make_link_token
from guichet.auth.staff.links import NOBODY, staff_link_token
from tenants.staff import find_staff
from tests.console.conftest import AsStaff
from tests.console.town import LUMEN, SESSION, Town, Who, post

MERCHANT, AGENCY = "/merchants/lumen", "/agencies/atelier"


async def id_of(town: Town, who: str) -> UUID:
    """The id of a person of `town.hire`."""
    async with town.deployment.db.system() as connection:
        found = await find_staff(connection, who if "@" in who else f"{who}@example.com")
    assert found is not None
    return found.id


async def roles(town: Town) -> dict[str, str]:
    """What everybody is at Lumen."""
    async with town.deployment.db.system() as connection:
        rows = await connection.fetch(
            "select email, role from tenant_members where tenant_id = $1", town.lumen.id
        )
    return {row["email"].removesuffix("@example.com"): row["role"] for row in rows}


async def agency_roles(town: Town) -> dict[str, str]:
    async with town.deployment.db.system() as connection:
        rows = await connection.fetch(
            "select email, role from agency_members where agency_id = $1", town.atelier.id
        )
    return {row["email"].removesuffix("@example.com"): row["role"] for row in rows}


async def log_of(town: Town) -> list[tuple[str, str, str, Any]]:
    """Actor, act, object and details of Lumen's audit log."""
    async with town.deployment.db.unit(town.lumen.id) as unit:
        rows = await unit.fetch(
            """
            select actor, action, object, details::text as details
            from audit_log
            where tenant_id = $1
            order by at
            """,
            town.lumen.id,
        )
    return [(*tuple(row)[:3], msgspec.json.decode(row["details"])) for row in rows]


async def link_of(town: Town, email: str) -> str:
    """The path of the newest invitation of an address, as its mail has it."""
    async with town.deployment.db.system() as connection:
        invited = await connection.fetchval(
            """
            select facts ->> 'invitation'
            from staff_messages
            where recipient = $1
            and kind <> 'sign_in'
            order by queued_at desc
            limit 1
            """,
            email,
        )
    keys = town.deployment.settings.master_keys
    return f"/invitations/{make_link_token(keys, NOBODY, UUID(invited), 'invitation')}"


async def invite(
    client: httpx.AsyncClient, email: str, role: str = "admin", place: str = MERCHANT
) -> httpx.Response:
    return await post(client, f"{place}/members", {"email": email, "role": role})


async def make_invitation(town: Town, as_staff: AsStaff, role: str = "admin") -> str:
    """An invitation of `new@example.com` by Lumen's owner; answers its path."""
    assert (await invite(await as_staff("owner"), "new@example.com", role)).status_code == 303
    return await link_of(town, "new@example.com")


# Invitations


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
    assert await _mails(town) == 0


async def _mails(town: Town) -> int:
    async with town.deployment.db.system() as connection:
        counted: int = await connection.fetchval("select count(1) from staff_messages")
    return counted


async def test_nobody_is_flooded_with_mails(town: Town, as_staff: AsStaff) -> None:
    owner = await as_staff("owner")
    statuses = [(await invite(owner, "new@example.com")).status_code for _ in range(5)]
    assert statuses == [303, 303, 303, 429, 429]
    assert await _mails(town) == 3
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
    assert await _mails(town) == 2


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


# Roles


@pytest.mark.parametrize("who", ["admin", "agency_member"])
async def test_owners_alone_make_owners(town: Town, as_staff: AsStaff, who: Who) -> None:
    client = await as_staff(who)
    await town.hire("support")
    assert (await invite(client, "new@example.com", "owner")).status_code == 403
    path = f"{MERCHANT}/members/{await id_of(town, 'support')}/role"
    assert (await post(client, path, {"role": "owner"})).status_code == 403
    assert (await post(client, path, {"role": "analyst"})).status_code == 303
    assert (await roles(town))["support"] == "analyst"


@pytest.mark.parametrize("act", ["role", "remove"])
async def test_an_admin_does_nothing_to_an_owner(town: Town, as_staff: AsStaff, act: str) -> None:
    client = await as_staff("admin")
    await town.hire("owner")
    await town.hire("owner", "second@example.com")
    path = f"{MERCHANT}/members/{await id_of(town, 'owner')}/{act}"
    answer = await post(client, path, {"role": "analyst"})
    assert answer.status_code == 403
    assert (await roles(town))["owner"] == "owner"


@pytest.mark.parametrize("role", ["owner", "analyst"])
async def test_nobody_changes_their_own_role(town: Town, as_staff: AsStaff, role: str) -> None:
    for who in ("admin", "owner"):
        client = await as_staff(who)
        path = f"{MERCHANT}/members/{await id_of(town, who)}/role"
        answer = await post(client, path, {"role": role})
        assert answer.status_code == 403
        assert "Nobody changes their own role" in answer.text
    assert await roles(town) == {"admin": "admin", "owner": "owner"}


async def test_an_agencys_person_does_not_raise_their_own_membership_of_a_merchant(
    town: Town, as_staff: AsStaff
) -> None:
    client = await as_staff("agency_member")
    await town.hire("analyst", "agency_member@example.com")
    path = f"{MERCHANT}/members/{await id_of(town, 'agency_member')}/role"
    assert (await post(client, path, {"role": "admin"})).status_code == 403


@pytest.mark.parametrize("role", ["", "agency_owner", "member", "root"])
async def test_a_role_that_does_not_exist_is_refused(
    town: Town, as_staff: AsStaff, role: str
) -> None:
    client = await as_staff("owner")
    await town.hire("support")
    path = f"{MERCHANT}/members/{await id_of(town, 'support')}/role"
    assert (await post(client, path, {"role": role})).status_code == 422
    assert (await invite(client, "new@example.com", role)).status_code == 422


async def test_a_change_of_role_is_in_the_log_with_before_and_after(
    town: Town, as_staff: AsStaff
) -> None:
    client = await as_staff("owner")
    await town.hire("support")
    path = f"{MERCHANT}/members/{await id_of(town, 'support')}/role"
    await post(client, path, {"role": "admin"})
    await post(client, path, {"role": "admin"})
    assert await log_of(town) == [
        (
            "owner@example.com",
            "member.changed",
            "support@example.com",
            {"before": {"role": "support"}, "after": {"role": "admin"}},
        )
    ]


async def test_the_last_owner_stays(town: Town, as_staff: AsStaff) -> None:
    keeper = await as_staff("agency_owner")
    await town.hire("owner")
    path = f"{MERCHANT}/members/{await id_of(town, 'owner')}"
    for act in ("role", "remove"):
        answer = await post(keeper, f"{path}/{act}", {"role": "admin"})
        assert answer.status_code == 409
        assert "needs an owner" in answer.text
    assert await roles(town) == {"owner": "owner"}


@pytest.mark.parametrize("act", ["role", "remove"])
async def test_two_owners_who_unmake_each_other_at_once_leave_one(
    town: Town, as_staff: AsStaff, act: str
) -> None:
    first, second = await as_staff("owner"), await as_staff(None)
    other = await town.hire("owner", "second@example.com")
    second.cookies.set(SESSION, await town.session(other), second.base_url.host)
    answers = await asyncio.gather(
        post(first, f"{MERCHANT}/members/{other.id}/{act}", {"role": "admin"}),
        post(second, f"{MERCHANT}/members/{await id_of(town, 'owner')}/{act}", {"role": "admin"}),
    )
    # Whoever came second was no owner any more, or would have taken the last one.
    assert min(it.status_code for it in answers) == 303
    assert list((await roles(town)).values()).count("owner") == 1


async def test_two_owners_who_go_at_once_leave_one(town: Town, as_staff: AsStaff) -> None:
    first, second = await as_staff("owner"), await as_staff(None)
    other = await town.hire("owner", "second@example.com")
    second.cookies.set(SESSION, await town.session(other), second.base_url.host)
    answers = await asyncio.gather(
        post(first, f"{MERCHANT}/members/{await id_of(town, 'owner')}/remove"),
        post(second, f"{MERCHANT}/members/{other.id}/remove"),
    )
    assert sorted(it.status_code for it in answers) == [303, 409]
    assert len(await roles(town)) == 1


# Going


async def test_whoever_is_removed_can_do_nothing_from_the_next_request_on(
    town: Town, as_staff: AsStaff
) -> None:
    owner, admin = await as_staff("owner"), await as_staff("admin")
    assert (await admin.get(f"{MERCHANT}/cancelling")).status_code == 200
    path = f"{MERCHANT}/members/{await id_of(town, 'admin')}/remove"
    assert (await post(owner, path)).status_code == 303
    assert (await admin.get(f"{MERCHANT}/cancelling")).status_code == 404
    assert (await post(admin, f"{MERCHANT}/cancelling")).status_code == 404
    assert (await log_of(town))[-1] == (
        "owner@example.com",
        "member.removed",
        "admin@example.com",
        {"before": {"role": "admin"}},
    )


async def test_a_role_that_is_lowered_in_the_middle_of_a_session_counts_at_once(
    town: Town, as_staff: AsStaff
) -> None:
    owner, admin = await as_staff("owner"), await as_staff("admin")
    assert (await admin.get(f"{MERCHANT}/members")).status_code == 200
    path = f"{MERCHANT}/members/{await id_of(town, 'admin')}/role"
    await post(owner, path, {"role": "analyst"})
    assert (await admin.get(f"{MERCHANT}/members")).status_code == 403
    assert (await invite(admin, "new@example.com")).status_code == 403


async def test_a_member_may_go_and_is_led_out(town: Town, as_staff: AsStaff) -> None:
    admin = await as_staff("admin")
    path = f"{MERCHANT}/members/{await id_of(town, 'admin')}/remove"
    answer = await post(admin, path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert await roles(town) == {}


async def test_a_member_of_another_workspace_is_not_found(town: Town, as_staff: AsStaff) -> None:
    owner = await as_staff("owner")
    await town.hire("owner_of_volta")
    stranger = await id_of(town, "owner_of_volta")
    for act in ("role", "remove"):
        path = f"{MERCHANT}/members/{stranger}/{act}"
        assert (await post(owner, path, {"role": "analyst"})).status_code == 404
    for id_ in ("x", "0", str(uuid4())):
        assert (await post(owner, f"{MERCHANT}/members/{id_}/remove")).status_code == 404


# Agencies


async def test_an_agencys_owner_invites_and_the_invited_one_sees_all_its_merchants(
    town: Town, as_staff: AsStaff, console: httpx.AsyncClient
) -> None:
    owner = await as_staff("agency_owner")
    assert (await invite(owner, "new@example.com", "member", AGENCY)).status_code == 303
    path = await link_of(town, "new@example.com")
    joined = await post(console, path)
    assert joined.headers["location"] == AGENCY
    assert (await console.get(f"{MERCHANT}/cancelling")).status_code == 200
    assert (await console.get("/merchants/volta/cancelling")).status_code == 404
    async with town.deployment.db.agency(town.atelier.id) as connection:
        rows = await connection.fetch(
            "select actor, action, object from agency_audit_log where agency_id = $1 order by at",
            town.atelier.id,
        )
    assert [tuple(row) for row in rows] == [
        ("agency_owner@example.com", "member.invited", "new@example.com"),
        ("new@example.com", "member.joined", "new@example.com"),
    ]


async def test_an_agencys_member_sees_who_belongs_to_it_and_decides_nothing(
    town: Town, as_staff: AsStaff
) -> None:
    member = await as_staff("agency_member")
    await town.hire("agency_owner")
    page = await member.get(f"{AGENCY}/members")
    assert "agency_owner@example.com" in page.text
    assert "Send the invitation" not in page.text
    assert (await invite(member, "new@example.com", "member", AGENCY)).status_code == 403
    owner = await id_of(town, "agency_owner")
    assert (await post(member, f"{AGENCY}/members/{owner}/remove")).status_code == 403
    own = await id_of(town, "agency_member")
    assert (await post(member, f"{AGENCY}/members/{own}/remove")).status_code == 303
    assert await agency_roles(town) == {"agency_owner": "owner"}


async def test_an_agencys_last_owner_stays(town: Town, as_staff: AsStaff) -> None:
    owner = await as_staff("agency_owner")
    path = f"{AGENCY}/members/{await id_of(town, 'agency_owner')}/remove"
    assert (await post(owner, path)).status_code == 409
    await town.hire("agency_member")
    other = await id_of(town, "agency_member")
    changed = await post(owner, f"{AGENCY}/members/{other}/role", {"role": "owner"})
    assert changed.status_code == 303
    assert (await post(owner, path)).status_code == 303
    assert await agency_roles(town) == {"agency_member": "owner"}
    # And with it what they might do at its merchants.
    assert (await owner.get(f"{MERCHANT}/members")).status_code == 404


async def test_a_merchants_page_shows_the_agencys_people_as_such(
    town: Town, as_staff: AsStaff
) -> None:
    await town.hire("agency_owner")
    await town.hire("owner_of_forge")
    page = await (await as_staff("owner")).get(f"{MERCHANT}/members")
    assert re.search("People of the agency.*agency_owner@example.com", page.text, re.DOTALL)
    assert "owner_of_forge" not in page.text
    assert str(await id_of(town, "agency_owner")) not in page.text


async def test_a_form_from_a_portals_origin_is_refused(town: Town, as_staff: AsStaff) -> None:
    owner = await as_staff("owner")
    answer = await post(
        owner,
        f"{MERCHANT}/members",
        {"email": "new@example.com", "role": "admin"},
        headers={"origin": LUMEN},
    )
    assert answer.status_code == 403
    assert await _mails(town) == 0
