"""What is done to members and invitations, each with its row of the audit log in the same unit."""

import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

from guichet import audit
from guichet.audit import Actor
from guichet.auth.staff.invitations import invite
from guichet.auth.staff.mail import SEND_STAFF_MESSAGES
from guichet.console.members.rules import check_givable, check_removal, check_role
from guichet.console.visit import Visit
from guichet.db import Connection, Unit
from guichet.errors import Conflict, NotFound
from tenants.invitations import Invitation, list_invitations, revoke_invitation
from tenants.members import list_members, lock_members, remove_member, set_role
from tenants.staff import canonical_email

#: Invitations of one workspace that wait at a time.
MOST_INVITATIONS = 100


class MemberAlready(Conflict):
    """This person is a member already."""

    code = "member_already"


class TooManyInvitations(Conflict):
    """A hundred invitations are waiting. Please take back those that nobody needs any more."""

    code = "too_many_invitations"


async def send_invitation(visit: Visit, email: str, role: str) -> None:
    """Invite somebody.

    Raises `MalformedEmail`, `UnknownRole`, `NotYourRole`, `MemberAlready`, `TooManyInvitations`,
    and `SignInFailed` for too many mails.
    """
    place, plain = visit.place, canonical_email(email)
    check_givable(place.kind, place.role, role)
    await visit.sign_in.allow_invitation(place.id, plain)
    async with visit.deployment.db.system() as connection:
        members = await list_members(connection, place.kind, place.id)
        if any(it.email == plain for it in members):
            raise MemberAlready
        waiting = await list_invitations(connection, place.kind, place.id)
        if len(waiting) >= MOST_INVITATIONS and all(it.email != plain for it in waiting):
            raise TooManyInvitations
        await invite(connection, place, plain, role, visit.staff, visit.locale)
        await _note(visit, connection, "member.invited", plain, {"role": role})
    await visit.deployment.outbox.knock(SEND_STAFF_MESSAGES)


async def resend_invitation(visit: Visit, invitation_id: UUID) -> None:
    """Send the mail once more, good for another seven days. Raises as above, and `NotFound`."""
    place = visit.place
    async with visit.deployment.db.system() as connection:
        waiting = await list_invitations(connection, place.kind, place.id)
    found = _find(waiting, invitation_id)
    check_givable(place.kind, place.role, found.role)
    await visit.sign_in.allow_invitation(place.id, found.email)
    async with visit.deployment.db.system() as connection:
        await invite(connection, place, found.email, found.role, visit.staff, visit.locale)
        details: dict[str, object] = {"role": found.role}
        await _note(visit, connection, "invitation.resent", found.email, details)
    await visit.deployment.outbox.knock(SEND_STAFF_MESSAGES)


async def take_back_invitation(visit: Visit, invitation_id: UUID) -> None:
    """End an invitation: its link lets nobody in any more. Raises `NotFound` or `NotYourRole`."""
    place = visit.place
    async with _scope(visit) as connection:
        revoked = await revoke_invitation(connection, place.kind, place.id, invitation_id)
        if revoked is None:
            raise NotFound
        email, role = revoked
        check_givable(place.kind, place.role, role)
        await _note(visit, connection, "invitation.revoked", email, {"role": role})


async def change_role(visit: Visit, staff_id: UUID, role: str) -> None:
    """Give a member another role. Raises what `check_role` does."""
    place = visit.place
    async with _scope(visit) as connection:
        members = await lock_members(connection, place.kind, place.id)
        member = check_role(place.kind, place.role, visit.staff.id, members, staff_id, role)
        if member.role == role:
            return
        await set_role(connection, place.kind, place.id, staff_id, role)
        details: dict[str, object] = {"before": {"role": member.role}, "after": {"role": role}}
        await _note(visit, connection, "member.changed", member.email, details)


async def remove(visit: Visit, staff_id: UUID) -> None:
    """Take a member out of the workspace. Raises what `check_removal` does."""
    place = visit.place
    async with _scope(visit) as connection:
        members = await lock_members(connection, place.kind, place.id)
        member = check_removal(place.kind, place.role, visit.staff.id, members, staff_id)
        await remove_member(connection, place.kind, place.id, staff_id)
        details: dict[str, object] = {"before": {"role": member.role}}
        await _note(visit, connection, "member.removed", member.email, details)


@contextlib.asynccontextmanager
async def _scope(visit: Visit) -> AsyncIterator[Connection]:
    """One transaction in which this workspace's rows are the only ones."""
    db, place = visit.deployment.db, visit.place
    if place.kind == "agency":
        async with db.agency(place.id) as connection:
            yield connection
    else:
        async with db.unit(place.id) as unit:
            yield unit.connection


async def _note(
    visit: Visit, connection: Connection, action: str, subject: str, details: dict[str, object]
) -> None:
    place = visit.place
    if place.kind == "merchant":
        await visit.record(Unit(connection, place.id), action, subject, details)
        return
    by = Actor("staff", visit.staff.email)
    await audit.record_for_agency(connection, place, by, action, details, visit.request_id, subject)


def _find(invitations: list[Invitation], invitation_id: UUID) -> Invitation:
    for invitation in invitations:
        if invitation.id == invitation_id:
            return invitation
    raise NotFound
