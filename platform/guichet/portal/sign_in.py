"""The pages of signing in and out; what is checked stands in `guichet.auth`."""

from typing import Annotated
from urllib.parse import quote

import msgspec
import structlog
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response.base import ASGIResponse

from guichet.auth.callbacks import read_callback
from guichet.auth.client_addresses import client_address
from guichet.auth.cookies import browser_cookie, session_cookie
from guichet.auth.failures import NoAccount, SignInFailed
from guichet.auth.paths import local_path, sign_in_path
from guichet.auth.sessions import find_session
from guichet.auth.signing_in import Visitor
from guichet.errors import NotFound
from guichet.portal.visit import Visit
from guichet.web.forms import AnyRequest, read_form
from tenants.identity_providers import IdentityProvider

log = structlog.get_logger()

ProviderId = Annotated[str, PathParameter(max_length=100)]
NextPath = Annotated[str, QueryParameter(name="next", max_length=2000)]


class ProviderButton(msgspec.Struct, frozen=True):
    """One way to sign in."""

    label: str
    url: str


@get("/sign-in")
async def choose_provider(visit: NamedDependency[Visit], next_path: NextPath = "/") -> ASGIResponse:
    """The ways to sign in; whoever is signed in already goes on."""
    if await _is_signed_in(visit):
        return visit.redirect(local_path(next_path))
    buttons = tuple(
        ProviderButton(provider.label, sign_in_path(next_path, provider.id))
        for provider in visit.configuration.identity_providers
    )
    return visit.page("sign_in.html", providers=buttons, message=None)


@get("/sign-in/{provider_id:str}")
async def start(
    visit: NamedDependency[Visit], provider_id: ProviderId, next_path: NextPath = "/"
) -> ASGIResponse:
    """Send the browser to the provider, and bind what comes back to this browser."""
    provider = _provider(visit, provider_id)
    try:
        started = await visit.sign_in.start(
            _visitor(visit), provider, _redirect_uri(visit, provider), local_path(next_path)
        )
    except SignInFailed as failure:
        return _show_failure(visit, failure, next_path)
    cookie = browser_cookie(visit.deployment.settings).holding(started.browser)
    return visit.redirect(started.url, cookies=(cookie,))


@get("/sign-in/{provider_id:str}/callback")
async def finish(visit: NamedDependency[Visit], provider_id: ProviderId) -> ASGIResponse:
    """Open the session of whoever the provider names."""
    provider = _provider(visit, provider_id)
    try:
        callback = read_callback(visit.scope["query_string"])
        finished = await visit.sign_in.finish(
            _visitor(visit), provider, _redirect_uri(visit, provider), callback
        )
    except SignInFailed as failure:
        return _show_failure(visit, failure)
    cookie = session_cookie(visit.deployment.settings).holding(finished.token)
    return visit.redirect(finished.next_path, cookies=(cookie,))


@post("/sign-out")
async def sign_out(visit: NamedDependency[Visit], request: AnyRequest) -> ASGIResponse:
    """End the session here and in the browser; a second click on the button changes nothing.

    A form of another site comes without the cookie, and then nothing is cleared either.
    """
    if visit.cookies.session is None:
        return visit.redirect("/sign-in")
    visit.check_form(await read_form(request))
    await visit.sign_in.sign_out(_visitor(visit))
    cookie = session_cookie(visit.deployment.settings)
    return visit.redirect("/sign-in", cookies=(cookie.cleared(),))


HANDLERS = (choose_provider, start, finish, sign_out)


async def _is_signed_in(visit: Visit) -> bool:
    token = visit.cookies.session
    if token is None:
        return False
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        return await find_session(unit, token) is not None


def _provider(visit: Visit, provider_id: str) -> IdentityProvider:
    for provider in visit.configuration.identity_providers:
        if provider.id == provider_id:
            return provider
    raise NotFound


def _redirect_uri(visit: Visit, provider: IdentityProvider) -> str:
    """The callback's address, one for each provider, so that none answers for another."""
    path = f"/sign-in/{quote(provider.id, safe='')}/callback"
    return visit.deployment.directory.url(visit.tenant, path)


def _visitor(visit: Visit) -> Visitor:
    return Visitor(
        tenant_id=visit.tenant.id,
        address=client_address(visit.scope, visit.deployment.settings.trusted_proxies),
        browser=visit.cookies.browser,
        session=visit.cookies.session,
        user_agent=visit.header(b"user-agent"),
        request_id=visit.request_id,
    )


def _show_failure(visit: Visit, failure: SignInFailed, next_path: str = "/") -> ASGIResponse:
    log.warning(
        "sign-in failed",
        request_id=visit.request_id,
        tenant=visit.tenant.slug,
        code=failure.code,
        reason=failure.reason,
    )
    if isinstance(failure, NoAccount):
        return visit.page("no_account.html", status=failure.status, email=failure.email)
    return visit.page(
        "sign_in_failed.html",
        status=failure.status,
        message=failure.message,
        retry_url=sign_in_path(next_path),
    )
