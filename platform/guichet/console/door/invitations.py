"""Where the link of an invitation leads: what it is for, and the button that accepts it."""

from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.auth.cookies import session_cookie
from guichet.auth.failures import SignInFailed
from guichet.console.access import OPEN
from guichet.console.visit import Visit
from guichet.web.forms import MalformedForm

Token = Annotated[str, PathParameter(max_length=100)]
_LONGEST_NAME = 200


@get("/invitations/{token:str}", opt=OPEN)
async def look_at_invitation(visit: NamedDependency[Visit], token: Token) -> ASGIResponse:
    """Whom it is for, to what and as what. A mail scanner that comes here lets nobody in."""
    try:
        invitation = await visit.sign_in.look_at_invitation(visit.visitor, token)
    except SignInFailed as failure:
        return _show_end(visit, failure)
    signed_in = visit.session.staff.email if visit.session else ""
    return visit.page(
        "invitation.html",
        invitation=invitation,
        token=token,
        signed_in_as=signed_in if signed_in != invitation.email else "",
        is_known=signed_in == invitation.email,
    )


@post("/invitations/{token:str}", opt=OPEN)
async def accept_invitation(visit: NamedDependency[Visit], token: Token) -> ASGIResponse:
    """Join the workspace, in a session of the person whom the invitation is for."""
    name = " ".join(visit.form.get("name", "").split())
    if len(name) > _LONGEST_NAME:
        raise MalformedForm
    try:
        opened, invitation = await visit.sign_in.accept_invitation(
            visit.visitor, token, name, visit.request_id
        )
    except SignInFailed as failure:
        return _show_end(visit, failure)
    cookie = session_cookie(visit.deployment.settings).holding(opened)
    folder = "agencies" if invitation.kind == "agency" else "merchants"
    return visit.redirect(f"/{folder}/{invitation.slug}", cookies=(cookie,))


HANDLERS = (look_at_invitation, accept_invitation)


def _show_end(visit: Visit, failure: SignInFailed) -> ASGIResponse:
    return visit.page("invitation_over.html", status=failure.status, message=failure.message)
