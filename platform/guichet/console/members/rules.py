"""What one member may do to another: pure, and asked again once the members are locked.

Owners alone make owners and unmake them; nobody changes their own role; an owner is always left.
"""

from collections.abc import Sequence
from uuid import UUID

from guichet.console.visit import NotYourRole
from guichet.errors import Conflict, Forbidden, InvalidInput, NotFound
from tenants.invitations import ROLES
from tenants.members import Member
from tenants.staff import Kind, Role

#: Who may make somebody an owner, of an agency or of a merchant's workspace.
_OWNING: tuple[Role, ...] = ("agency_owner", "owner")


class OwnRole(Forbidden):
    """Nobody changes their own role. Another owner can do it for you."""

    code = "own_role"


class LastOwner(Conflict):
    """A workspace needs an owner. Please make somebody else one first."""

    code = "last_owner"


class UnknownRole(InvalidInput):
    """Choose one of the roles."""

    code = "unknown_role"


def givable(kind: Kind, acting: Role) -> tuple[str, ...]:
    """The roles that somebody may give in a workspace of this kind, the widest first."""
    return tuple(role for role in ROLES[kind] if role != "owner" or acting in _OWNING)


def check_givable(kind: Kind, acting: Role, role: str) -> None:
    """Whether somebody may give a role at all; raises `UnknownRole` or `NotYourRole`."""
    if role not in ROLES[kind]:
        raise UnknownRole
    if role not in givable(kind, acting):
        raise NotYourRole


def check_role(
    kind: Kind, acting: Role, acting_id: UUID, members: Sequence[Member], id_: UUID, role: str
) -> Member:
    """Whether a member may be given a role; answers them as they are.

    Raises `NotFound`, `OwnRole`, `UnknownRole`, `NotYourRole` or `LastOwner`.
    """
    member = _find(members, id_)
    if id_ == acting_id:
        raise OwnRole
    _check_standing(kind, acting, acting_id, members)
    check_givable(kind, acting, role)
    check_givable(kind, acting, member.role)
    if role != "owner":
        _keep_an_owner(members, member)
    return member


def check_removal(
    kind: Kind, acting: Role, acting_id: UUID, members: Sequence[Member], id_: UUID
) -> Member:
    """Whether a member may be removed; everybody may go by themselves. Raises as above."""
    member = _find(members, id_)
    if id_ != acting_id:
        _check_standing(kind, acting, acting_id, members)
        if member.role not in givable(kind, acting):
            raise NotYourRole
    _keep_an_owner(members, member)
    return member


def _find(members: Sequence[Member], id_: UUID) -> Member:
    for member in members:
        if member.staff_id == id_:
            return member
    raise NotFound


def _check_standing(kind: Kind, acting: Role, acting_id: UUID, members: Sequence[Member]) -> None:
    """Whoever acts is what they came in as; an agency's people have their rights elsewhere."""
    if kind == "merchant" and acting.startswith("agency_"):
        return
    own = next((it.role for it in members if it.staff_id == acting_id), None)
    if own != acting.removeprefix("agency_"):
        raise NotYourRole


def _keep_an_owner(members: Sequence[Member], leaving: Member) -> None:
    owners = [it for it in members if it.role == "owner"]
    if owners == [leaving]:
        raise LastOwner
