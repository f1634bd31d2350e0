"""A support view at the portal: how it begins, is known again at each request, and ends."""

from litestar import post
from litestar.di import NamedDependency
from litestar.response.base import ASGIResponse

from guichet import audit
from guichet.auth.cookies import support_cookie
from guichet.auth.csrf import ForgedForm, check_form, check_origin
from guichet.auth.support import Ending, KnownView, end_view, find_view, take_over_view
from guichet.db import Unit
from guichet.portal.read_only import ALWAYS
from guichet.portal.visit import HTML, Visit
from guichet.web.forms import AnyRequest, read_form


async def recognise_view(visit: Visit) -> None:
    """Find out whether this browser is in a support view; costs nothing where it has none.

    A view that is over is noted as ended, with the reason.
    """
    name = support_cookie(visit.deployment.settings).name.encode()
    if not any(key == b"cookie" and name in value for key, value in visit.scope["headers"]):
        return
    token = visit.cookies.support
    if token is None or visit.scope["path"].startswith("/assets/"):
        return
    async with visit.deployment.db.system() as connection:
        view = await find_view(connection, visit.tenant.id, token)
    if view is not None:
        visit.look_as(view)
        return
    visit.support_is_over = True
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        ended = await end_view(unit, token)
        if ended is not None:
            await _record_end(visit, unit, *ended)


@post("/support-view", opt=ALWAYS)
async def begin(visit: NamedDependency[Visit], request: AnyRequest) -> ASGIResponse:
    """Take over what the console's page hands to us, and nothing but that page.

    The token comes in a form, so that no address has it: no history, log, or other site.
    """
    form = await read_form(request)
    check_origin(visit.scope["headers"], visit.deployment.directory.console_url("").rstrip("/"))
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        token, view = await take_over_view(unit, form.get("token", ""))
        await _record(visit, unit, view, "support_view.begun", until=view.expires_at.isoformat())
    cookie = support_cookie(visit.deployment.settings).holding(token)
    return visit.redirect("/", cookies=(cookie,))


@post("/support-view/end", opt=ALWAYS, status_code=200)
async def end(visit: NamedDependency[Visit], request: AnyRequest) -> ASGIResponse:
    """End the view, and go back to the customer in the console."""
    form, token = await read_form(request), visit.cookies.support
    check_form(visit.scope["headers"], form.get("csrf"), token, visit.tenant.id, visit.origin)
    if token is None:
        raise ForgedForm
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        ended = await end_view(unit, token, by_button=True)
        if ended is not None:
            await _record_end(visit, unit, *ended)
    return _show_end(visit, ended[0].customer_id if ended else "")


HANDLERS = (begin, end)


def _show_end(visit: Visit, customer_id: str) -> ASGIResponse:
    visit.support = None
    path = f"/merchants/{visit.tenant.slug}/customers/{customer_id}".rstrip("/")
    url = visit.deployment.directory.console_url(path)
    page = visit.page("support_ended.html", console_url=url)
    return ASGIResponse(
        body=page.body,
        media_type=HTML,
        # A browser's policy for forms follows redirects, and may not leave this host.
        headers={"refresh": f"0; url={url}"},
        cookies=(support_cookie(visit.deployment.settings).cleared(),),
    )


async def _record_end(visit: Visit, unit: Unit, view: KnownView, ending: Ending) -> None:
    await _record(visit, unit, view, "support_view.ended", how=ending)


async def _record(visit: Visit, unit: Unit, view: KnownView, action: str, **more: str) -> None:
    details: dict[str, object] = {"view": str(view.id), **more}
    await audit.record(
        unit, "staff", view.staff_email, action, view.customer_id, details, visit.request_id
    )
