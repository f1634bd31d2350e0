"""The way into a customer's portal for whoever helps them: only to look, with a reason."""

from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.auth.support import make_view
from guichet.billing.customer_stories import Person, find_person
from guichet.console.access import SUPPORTERS
from guichet.console.visit import HTML, Visit
from guichet.errors import Conflict, SignInRequired
from guichet.theming.locale import gettext
from guichet.web.content_policy import content_security_policy

_LONGEST_REASON = 500

CustomerId = Annotated[str, PathParameter(max_length=255)]


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class PortalClosed(Conflict):
    """The portal is closed while the merchant is suspended, so there is nothing to look at."""

    code = "portal_closed"


@get("/merchants/{merchant:str}/customers/{customer_id:str}/portal", opt=SUPPORTERS)
async def ask_why(visit: NamedDependency[Visit], customer_id: CustomerId) -> ASGIResponse:
    """Ask for the reason."""
    async with visit.deployment.db.unit(visit.place.id) as unit:
        person = await find_person(unit, customer_id)
    return _ask(visit, person, {}, {})


@post(
    "/merchants/{merchant:str}/customers/{customer_id:str}/portal", opt=SUPPORTERS, status_code=200
)
async def hand_over(visit: NamedDependency[Visit], customer_id: CustomerId) -> ASGIResponse:
    """Make a support view, and a page whose form hands it to the portal.

    The token stands in the form alone, which goes to the tenant's own host: no address has it.
    """
    if visit.session is None:
        raise SignInRequired
    reason = visit.form.get("reason", "").strip()
    async with visit.deployment.db.unit(visit.place.id) as unit:
        person = await find_person(unit, customer_id)
        if visit.tenant.status != "active":
            raise PortalClosed
        if not reason or len(reason) > _LONGEST_REASON:
            told = gettext(visit.locale)(_("Please say why, in up to 500 characters."))
            return _ask(visit, person, {"reason": reason}, {"reason": told}, status=422)
        made = await make_view(unit, customer_id, visit.staff, visit.session.id)
        details: dict[str, object] = {"view": str(made.id), "why": reason}
        await visit.record(unit, "support_view.asked", customer_id, details)
    return _hand_over(visit, person, made.token)


HANDLERS = (ask_why, hand_over)


def _ask(
    visit: Visit,
    person: Person,
    fields: dict[str, str],
    mistakes: dict[str, str],
    status: int = 200,
) -> ASGIResponse:
    return visit.page(
        "support_why.html",
        status=status,
        person=person,
        is_closed=visit.tenant.status != "active",
        fields=fields,
        mistakes=mistakes,
    )


def _hand_over(visit: Visit, person: Person, token: str) -> ASGIResponse:
    origin = visit.deployment.directory.url(visit.tenant, "").rstrip("/")
    page = visit.page("support_ready.html", person=person, portal=origin, token=token)
    # The page's other forms, such as the one to sign out, stay the console's own.
    policy = content_security_policy(forms=f"'self' {origin}", connects="'self'")
    return ASGIResponse(
        body=page.body,
        media_type=HTML,
        headers={
            "content-security-policy": policy,
            # The portal is told that the form is the console's, and no more than that.
            "referrer-policy": "strict-origin",
        },
    )
