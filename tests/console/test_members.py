"""Who belongs to a workspace: roles, and who goes; each act in the audit log."""

import asyncio
import re
from uuid import uuid4

import httpx
import pytest

from tests.console.conftest import AsStaff
from tests.console.people import (
    AGENCY,
    MERCHANT,
    agency_roles,
    id_of,
    invite,
    link_of,
    log_of,
    mails_to_staff,
    roles,
)
from tests.console.town import LUMEN, SESSION, Town, Who, post

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
    assert await mails_to_staff(town) == 0
