"""Errors as pages of the tenant's own look."""

from http import HTTPStatus

import structlog
from litestar.response import Response

from guichet.auth.cookies import support_cookie
from guichet.errors import GuichetError, SignInRequired
from guichet.portal.read_only import SupportViewOver
from guichet.portal.visit import HTML, visit_at
from guichet.web.failures import known_error
from guichet.web.forms import AnyRequest

_log = structlog.get_logger()


def show_error(request: AnyRequest, error: Exception) -> Response[bytes]:
    """The page of an error; who is not signed in is asked to, and comes back afterwards."""
    visit = visit_at(request)
    if isinstance(error, SignInRequired):
        return Response(b"", status_code=303, headers={"location": visit.sign_in_path()})
    known = known_error(error)
    if known.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error(
            "request failed",
            request_id=visit.request_id,
            tenant=visit.tenant.slug,
            code=known.code,
            error=type(error).__name__,
            exc_info=None if isinstance(error, GuichetError) else error,
        )
    page = visit.page("error.html", status=known.status, title=known.title, message=known.message)
    cleared = [support_cookie(visit.deployment.settings).cleared()]
    cookies = cleared if isinstance(known, SupportViewOver) else None
    return Response(page.body, status_code=known.status, media_type=HTML, cookies=cookies)
