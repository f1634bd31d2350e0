"""Errors as pages of the console."""

from http import HTTPStatus

import structlog
from litestar.response import Response

from guichet.console.visit import HTML, visit_at
from guichet.errors import GuichetError, SignInRequired
from guichet.web.failures import known_error
from guichet.web.forms import AnyRequest

_log = structlog.get_logger()
#: What a script is told that saves a form while nobody is signed in any more.
_ENDED = b'{"saved": false, "ended": true}'


def show_error(request: AnyRequest, error: Exception) -> Response[bytes]:
    """The page of an error; who is not signed in is asked to, and comes back afterwards."""
    visit = visit_at(request)
    if isinstance(error, SignInRequired):
        if visit.header(b"x-autosave"):
            return Response(_ENDED, status_code=401, media_type="application/json")
        return Response(b"", status_code=303, headers={"location": visit.sign_in_path()})
    known = known_error(error)
    if known.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error(
            "request failed",
            request_id=visit.request_id,
            door="console",
            code=known.code,
            error=type(error).__name__,
            exc_info=None if isinstance(error, GuichetError) else error,
        )
    page = visit.page("error.html", status=known.status, title=known.title, message=known.message)
    return Response(page.body, status_code=known.status, media_type=HTML)
