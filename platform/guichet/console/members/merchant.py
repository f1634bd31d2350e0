"""A merchant's people."""

from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response.base import ASGIResponse

from guichet.console.access import EDITORS
from guichet.console.members import pages
from guichet.console.visit import Visit

Id = Annotated[str, PathParameter(max_length=36)]
_PATH = "/merchants/{merchant:str}"


@get(f"{_PATH}/members", opt=EDITORS)
async def members(
    visit: NamedDependency[Visit],
    done: Annotated[str, QueryParameter(max_length=20)] = "",
) -> ASGIResponse:
    """Everybody, and who is invited."""
    return await pages.show(visit, done=done)


@post(f"{_PATH}/members", opt=EDITORS)
async def invite(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Invite somebody by mail."""
    return await pages.take_invitation(visit)


@post(f"{_PATH}/members/{{person:str}}/role", opt=EDITORS)
async def change_role(visit: NamedDependency[Visit], person: Id) -> ASGIResponse:
    """Give a member another role."""
    return await pages.take_role(visit, person)


@post(f"{_PATH}/members/{{person:str}}/remove", opt=EDITORS)
async def remove(visit: NamedDependency[Visit], person: Id) -> ASGIResponse:
    """Remove a member, or go."""
    return await pages.take_removal(visit, person)


@post(f"{_PATH}/invitations/{{invitation:str}}/resend", opt=EDITORS)
async def resend(visit: NamedDependency[Visit], invitation: Id) -> ASGIResponse:
    """Send an invitation once more."""
    return await pages.take_resending(visit, invitation)


@post(f"{_PATH}/invitations/{{invitation:str}}/revoke", opt=EDITORS)
async def revoke(visit: NamedDependency[Visit], invitation: Id) -> ASGIResponse:
    """Take an invitation back."""
    return await pages.take_revocation(visit, invitation)


HANDLERS = (members, invite, change_role, remove, resend, revoke)
