"""Pages without a tenant, in Guichet's own plain look: errors of the edge, and the base host."""

import structlog
from jinja2 import TemplateError
from litestar.response.base import ASGIResponse
from litestar.types import Scope

from guichet.deployment import Deployment
from guichet.errors import GuichetError
from guichet.theming.locale import gettext, negotiate

_log = structlog.get_logger()

THEME = "platform"
#: Litestar adds the charset to a text.
HTML = "text/html"


def header(scope: Scope, name: bytes) -> str:
    """A request header's first value, or the empty string."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def error_page(deployment: Deployment | None, scope: Scope, error: GuichetError) -> ASGIResponse:
    """What went wrong, in the visitor's language, without the look of any merchant."""
    locale = negotiate(None, header(scope, b"accept-language"), "en")
    try:
        if deployment is not None:
            body = deployment.pages.render(
                THEME,
                "plain_error.html",
                locale,
                status=error.status,
                title=error.title,
                message=error.message,
            )
            return ASGIResponse(body=body, status_code=error.status, media_type=HTML)
    except TemplateError as broken:
        _log.error("error page broken", error=type(broken).__name__)
    return ASGIResponse(
        body=gettext(locale)(error.message), status_code=error.status, media_type="text/plain"
    )
