"""Errors as pages of the tenant's own look."""

from http import HTTPStatus

import structlog
from litestar.exceptions import HTTPException
from litestar.response import Response

from guichet.errors import (
    GuichetError,
    MalformedRequest,
    NotFound,
    SignInRequired,
    Unavailable,
)
from guichet.portal.forms import AnyRequest
from guichet.portal.visit import HTML, visit_of

_log = structlog.get_logger()


class MethodNotAllowed(MalformedRequest):
    """This page cannot be used in this way. Please go back and try again."""

    status = 405
    code = "method_not_allowed"


class TooLarge(MalformedRequest):
    """What was sent is too large."""

    status = 413
    code = "too_large"


def show_error(request: AnyRequest, error: Exception) -> Response[bytes]:
    """The page of an error; who is not signed in is asked to, and comes back afterwards."""
    visit = visit_of(request)
    if isinstance(error, SignInRequired):
        return Response(b"", status_code=303, headers={"location": visit.sign_in_path()})
    known = _known(error)
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
    return Response(page.body, status_code=known.status, media_type=HTML)


def _known(error: Exception) -> GuichetError:
    """One of our errors for whatever was raised."""
    match error:
        case GuichetError():
            return error
        case HTTPException(status_code=404):
            return NotFound()
        case HTTPException(status_code=405):
            return MethodNotAllowed()
        case HTTPException(status_code=413):
            return TooLarge()
        case HTTPException(status_code=status) if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return MalformedRequest()
        case TimeoutError() | OSError():
            return Unavailable()
        case _:
            return GuichetError()
