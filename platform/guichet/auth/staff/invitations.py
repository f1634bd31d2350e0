"""Invitations as they are mailed and followed: whoever holds the mail's link may accept."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from guichet.audit import Actor, record, record_for_agency
from guichet.auth.failures import SignInFailed
from guichet.auth.mail_links import read_link_token
from guichet.auth.staff.links import NOBODY
from guichet.auth.staff.mail import StaffMailKind, queue_staff_message
from guichet.db import Connection, Unit
from tenants.invitations import Invitation, find_invitation, put_invitation, use_invitation
from tenants.members import put_agency_member, put_tenant_member
from tenants.staff import AgencyRole, Kind, Staff, TenantRole, Workspace, add_staff

_MAILS: dict[Kind, StaffMailKind] = {
    "agency": "agency_invitation",
    "merchant": "tenant_invitation",
}


class InvitationOver(SignInFailed):
    """This invitation was used already, was taken back or is older than seven days. Please ask
    whoever invited you for another one.
    """

    status = 404
    code = "invitation_over"


async def invite(
    connection: Connection, place: Workspace, email: str, role: str, by: Staff, locale: str
) -> UUID:
    """Invite somebody to a workspace, or once more, and queue the mail; as `guichet_system`.

    `email` is a canonical one, `role` one that `by` may give, `locale` the language of people whose
    own nobody knows. Knock for `SEND_STAFF_MESSAGES` after the commit.
    """
    invited = await put_invitation(connection, place.kind, place.id, email, role, by.email)
    facts = {
        "invitation": str(invited),
        "workspace": place.name,
        "role": role,
        "invited_by": by.name or by.email,
    }
    await queue_staff_message(connection, _MAILS[place.kind], email, locale, facts)
    return invited


async def read_invitation(
    connection: Connection, master_keys: Sequence[str], token: str
) -> Invitation:
    """The invitation of a token; raises `InvitationOver` for one that is not good any more."""
    invitation_id = read_link_token(master_keys, NOBODY, token, "invitation")
    found = await find_invitation(connection, invitation_id) if invitation_id else None
    if found is None or not found.is_good:
        raise InvitationOver(reason="the invitation is over or no invitation of ours")
    return found


async def accept_invitation(
    connection: Connection, master_keys: Sequence[str], token: str, name: str, request_id: str
) -> tuple[Staff, Invitation]:
    """Make the person where there is none, and let them in. Raises `InvitationOver`.

    Whoever is a member already stays what they are.
    """
    invitation = await read_invitation(connection, master_keys, token)
    if not await use_invitation(connection, invitation):
        raise InvitationOver(reason="the invitation was used a moment ago")
    staff = await add_staff(connection, invitation.email, name)
    await _let_in(connection, invitation, staff)
    await _note(connection, invitation, staff, request_id)
    return staff, invitation


async def _let_in(connection: Connection, invitation: Invitation, staff: Staff) -> None:
    place, by = invitation.workspace_id, invitation.invited_by
    if invitation.kind == "agency":
        agency_role: AgencyRole = msgspec.convert(invitation.role, AgencyRole)
        await put_agency_member(connection, place, staff, agency_role, by, keep=True)
    else:
        role: TenantRole = msgspec.convert(invitation.role, TenantRole)
        await put_tenant_member(connection, place, staff, role, by, keep=True)


async def _note(
    connection: Connection, invitation: Invitation, staff: Staff, request_id: str
) -> None:
    action = "member.joined"
    details: dict[str, object] = {"role": invitation.role, "invited_by": invitation.invited_by}
    if invitation.kind == "merchant":
        unit = Unit(connection, invitation.workspace_id)
        await record(unit, "staff", staff.email, action, staff.email, details, request_id)
        return
    agency = Workspace(
        "agency", invitation.workspace_id, invitation.slug, invitation.name, "agency_member"
    )
    by = Actor("staff", staff.email)
    await record_for_agency(connection, agency, by, action, details, request_id, staff.email)
