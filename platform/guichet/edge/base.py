"""The base host: in the demo, a page that lists the portals; otherwise nothing to see."""

from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from guichet.deployment import Deployment
from guichet.edge.pages import THEME, header
from guichet.errors import NotFound
from guichet.theming.locale import negotiate

#: Where the edge leaves the deployment in the ASGI scope of the base host.
DEPLOYMENT = "guichet.deployment"

_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}


async def base_door(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request to the base host; raises `NotFound` for all but its page and assets."""
    deployment: Deployment = scope["state"][DEPLOYMENT]
    response = _asset(deployment, scope["path"])
    if response is None and scope["path"] == "/" and deployment.settings.demo:
        response = _demo_page(deployment, scope)
    if response is None:
        raise NotFound
    await response(scope, receive, send)


def _asset(deployment: Deployment, path: str) -> ASGIResponse | None:
    found = deployment.pages.asset(path)
    if found is None:
        return None
    return ASGIResponse(body=found.body, media_type=found.media_type, headers=_FOR_EVER)


def _demo_page(deployment: Deployment, scope: Scope) -> ASGIResponse:
    directory = deployment.directory
    portals = tuple(
        {"name": entry.name, "slug": entry.slug, "url": directory.url(entry)}
        for entry in sorted(directory, key=lambda entry: entry.slug)
        if entry.status == "active"
    )
    body = deployment.pages.render(
        THEME,
        "demo.html",
        negotiate(None, header(scope, b"accept-language"), "en"),
        portals=portals,
    )
    return ASGIResponse(body=body, media_type="text/html; charset=utf-8")
