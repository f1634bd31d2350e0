"""The page of a workspace's people, and what its forms do; routes name the workspace's kind."""

from collections.abc import Awaitable
from uuid import UUID

import msgspec
from litestar.response.base import ASGIResponse

from guichet.auth.failures import TooManySignIns
from guichet.console.members.acts import (
    MemberAlready,
    TooManyInvitations,
    change_role,
    remove,
    resend_invitation,
    send_invitation,
    take_back_invitation,
)
from guichet.console.members.rules import LastOwner, OwnRole, UnknownRole, givable
from guichet.console.visit import NotYourRole, Visit
from guichet.errors import GuichetError, InvalidInput, NotFound, TooManyRequests
from guichet.theming.locale import gettext
from tenants.invitations import Invitation, list_invitations
from tenants.members import Member, list_keepers, list_members
from tenants.staff import MalformedEmail

#: Mistakes that are told on the page itself, with its status.
_TOLD = (LastOwner, OwnRole, NotYourRole, UnknownRole)


class TooManyMails(TooManyRequests):
    """Too many invitations were sent in a moment. Please wait a minute and try again."""

    code = "too_many_mails"


class NoAddress(InvalidInput):
    """Write an address of mail such as name@example.com."""

    code = "no_address"


class Person(msgspec.Struct, frozen=True):
    """A row of the page."""

    member: Member
    is_you: bool
    #: Roles that the visitor may give this person; none for somebody whom they may not change.
    roles: tuple[str, ...]
    may_go: bool


class Waiting(msgspec.Struct, frozen=True):
    """An invitation, and whether the visitor may send it once more or take it back."""

    invitation: Invitation
    may_change: bool


async def show(
    visit: Visit,
    *,
    status: int = 200,
    done: str = "",
    refusal: str = "",
    fields: dict[str, str] | None = None,
    mistakes: dict[str, str] | None = None,
) -> ASGIResponse:
    """Who belongs to the workspace and who is invited; `done` is what was done a moment ago."""
    place = visit.place
    async with visit.deployment.db.system() as connection:
        members = await list_members(connection, place.kind, place.id)
        invitations = await list_invitations(connection, place.kind, place.id)
        keepers = await list_keepers(connection, place.id) if place.kind == "merchant" else []
    roles = () if place.role == "agency_member" and place.kind == "agency" else _roles(visit)
    return visit.page(
        "members.html",
        status=status,
        people=[_person(visit, it, roles) for it in members],
        keepers=keepers,
        waiting=[Waiting(it, it.role in roles) for it in invitations],
        roles=roles,
        path=visit.path(),
        refusal=refusal,
        fields=fields or {"role": roles[-1] if roles else ""},
        mistakes=mistakes or {},
        done=done,
    )


def _roles(visit: Visit) -> tuple[str, ...]:
    return givable(visit.place.kind, visit.place.role)


def _person(visit: Visit, member: Member, roles: tuple[str, ...]) -> Person:
    is_you = member.staff_id == visit.staff.id
    may_change = member.role in roles and not is_you
    return Person(member, is_you, roles if may_change else (), may_change or is_you)


async def take_invitation(visit: Visit) -> ASGIResponse:
    """Invite whom the form names."""
    email, role = visit.form.get("email", ""), visit.form.get("role", "")
    try:
        await send_invitation(visit, email, role)
    except MalformedEmail:
        return await _show_mistake(visit, "email", NoAddress())
    except (MemberAlready, TooManyInvitations) as error:
        return await _show_mistake(visit, "email", error)
    except UnknownRole as error:
        return await _show_mistake(visit, "role", error)
    except TooManySignIns:
        return await _show_mistake(visit, "email", TooManyMails())
    return _back(visit, "invited")


async def _show_mistake(visit: Visit, field: str, error: GuichetError) -> ASGIResponse:
    fields = {name: visit.form.get(name, "")[:254] for name in ("email", "role")}
    mistakes = {field: gettext(visit.locale)(error.message)}
    return await show(visit, status=error.status, fields=fields, mistakes=mistakes)


async def take_role(visit: Visit, person: str) -> ASGIResponse:
    """Give a member the role that the form names."""
    role = visit.form.get("role", "")
    return await _do(visit, change_role(visit, _id(person), role), "changed")


async def take_removal(visit: Visit, person: str) -> ASGIResponse:
    """Remove a member; whoever went by themselves is led out."""
    staff_id = _id(person)
    answer = await _do(visit, remove(visit, staff_id), "removed")
    is_gone = answer.status_code == 303 and staff_id == visit.staff.id
    return visit.redirect("/") if is_gone else answer


async def take_resending(visit: Visit, invitation: str) -> ASGIResponse:
    """Send an invitation once more."""
    return await _do(visit, resend_invitation(visit, _id(invitation)), "resent")


async def take_revocation(visit: Visit, invitation: str) -> ASGIResponse:
    """Take an invitation back."""
    return await _do(visit, take_back_invitation(visit, _id(invitation)), "revoked")


async def _do(visit: Visit, act: Awaitable[None], done: str) -> ASGIResponse:
    try:
        await act
    except _TOLD as error:
        return await show(visit, status=error.status, refusal=error.message)
    except TooManySignIns:
        return await show(visit, status=TooManyMails.status, refusal=TooManyMails().message)
    return _back(visit, done)


def _back(visit: Visit, done: str) -> ASGIResponse:
    return visit.redirect(visit.path(f"/members?done={done}"))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None
