"""The pages of signing in and out; what is checked stands in `guichet.auth.staff`."""

from typing import Annotated

import structlog
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response.base import ASGIResponse

from guichet.auth.callbacks import read_callback
from guichet.auth.cookies import browser_cookie, session_cookie
from guichet.auth.failures import SignInFailed
from guichet.auth.paths import local_path, sign_in_path
from guichet.auth.signing_in import Finished
from guichet.auth.staff.mail import SEND_STAFF_MESSAGES
from guichet.console.access import OPEN, SIGNED_IN
from guichet.console.visit import Visit
from guichet.errors import NotFound
from guichet.web.forms import MissingField
from tenants.identity_providers import IdentityProvider

log = structlog.get_logger()

NextPath = Annotated[str, QueryParameter(name="next", max_length=2000)]
_CALLBACK = "/sign-in/oidc/callback"


@get("/sign-in", opt=OPEN)
async def ask_who(visit: NamedDependency[Visit], next_path: NextPath = "/") -> ASGIResponse:
    """The ways to sign in; whoever is signed in already goes on."""
    if visit.session is not None:
        return visit.redirect(local_path(next_path))
    provider = visit.sign_in.provider
    return visit.page(
        "sign_in.html",
        provider_label=provider.label if provider else "",
        provider_url=sign_in_path(next_path, "oidc"),
        next_path=local_path(next_path),
        email="",
        message=None,
    )


@get("/sign-in/oidc", opt=OPEN)
async def start(visit: NamedDependency[Visit], next_path: NextPath = "/") -> ASGIResponse:
    """Send the browser to the provider, and bind what comes back to this browser."""
    provider = _provider(visit)
    redirect_uri = visit.deployment.directory.console_url(_CALLBACK)
    try:
        started = await visit.sign_in.start(
            visit.visitor, provider, redirect_uri, local_path(next_path)
        )
    except SignInFailed as failure:
        return _show_failure(visit, failure)
    cookie = browser_cookie(visit.deployment.settings).holding(started.browser)
    return visit.redirect(started.url, cookies=(cookie,))


@get(_CALLBACK, opt=OPEN)
async def finish(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Open the session of whoever the provider names."""
    provider = _provider(visit)
    redirect_uri = visit.deployment.directory.console_url(_CALLBACK)
    try:
        callback = read_callback(visit.scope["query_string"])
        finished = await visit.sign_in.finish(visit.visitor, provider, redirect_uri, callback)
    except SignInFailed as failure:
        return _show_failure(visit, failure)
    return _let_in(visit, finished)


@post("/sign-in/link", opt=OPEN, status_code=200)
async def mail_link(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Mail a link; the page says the same whether there is somebody with this address or not."""
    email = visit.form.get("email", "").strip()
    next_path = local_path(visit.form.get("next"))
    if not email:
        raise MissingField
    try:
        await visit.sign_in.mail_link(visit.visitor, email, next_path)
    except SignInFailed as failure:
        return _show_failure(visit, failure)
    await visit.deployment.outbox.knock(SEND_STAFF_MESSAGES)
    return visit.page("link_sent.html", email=email)


@get("/sign-in/link/{token:str}", opt=OPEN)
async def look_at_link(
    visit: NamedDependency[Visit], token: Annotated[str, PathParameter(max_length=100)]
) -> ASGIResponse:
    """Whom the link lets in, and the button that does."""
    try:
        link = await visit.sign_in.look_at_link(visit.visitor, token)
    except SignInFailed as failure:
        return _show_failure(visit, failure)
    return visit.page("link.html", email=link.staff.email, token=token)


@post("/sign-in/link/{token:str}", opt=OPEN)
async def follow_link(
    visit: NamedDependency[Visit], token: Annotated[str, PathParameter(max_length=100)]
) -> ASGIResponse:
    """Use up the link and open a session."""
    try:
        finished = await visit.sign_in.follow_link(visit.visitor, token)
    except SignInFailed as failure:
        return _show_failure(visit, failure)
    return _let_in(visit, finished)


@post("/sign-out", opt=SIGNED_IN)
async def sign_out(visit: NamedDependency[Visit]) -> ASGIResponse:
    """End the session here and in the browser; a second click on the button changes nothing."""
    await visit.sign_in.sign_out(visit.visitor)
    cookie = session_cookie(visit.deployment.settings)
    return visit.redirect("/sign-in", cookies=(cookie.cleared(),))


HANDLERS = (ask_who, start, finish, mail_link, look_at_link, follow_link, sign_out)


def _provider(visit: Visit) -> IdentityProvider:
    provider = visit.sign_in.provider
    if provider is None:
        raise NotFound
    return provider


def _let_in(visit: Visit, finished: Finished) -> ASGIResponse:
    cookie = session_cookie(visit.deployment.settings).holding(finished.token)
    return visit.redirect(finished.next_path, cookies=(cookie,))


def _show_failure(visit: Visit, failure: SignInFailed) -> ASGIResponse:
    log.warning(
        "sign-in failed",
        request_id=visit.request_id,
        door="console",
        code=failure.code,
        reason=failure.reason,
    )
    return visit.page("sign_in_failed.html", status=failure.status, message=failure.message)
