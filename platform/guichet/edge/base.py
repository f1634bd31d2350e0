"""The base host: no page of its own, only what pages without a tenant look like."""

from collections.abc import Awaitable, Callable

from litestar.response.base import ASGIResponse
from litestar.types import HTTPScope, Receive, Send

from guichet.deployment import Deployment
from guichet.errors import NotFound

#: What answers the requests for one kind of host.
Door = Callable[[HTTPScope, Receive, Send], Awaitable[None]]

#: Where the edge leaves the deployment in the ASGI scope of the base host.
DEPLOYMENT = "guichet.deployment"

_FOR_EVER = "public, max-age=31536000, immutable"


async def base_door(scope: HTTPScope, receive: Receive, send: Send) -> None:
    """Answer with a file of a theme; raises `NotFound` for everything else."""
    deployment: Deployment = scope["state"][DEPLOYMENT]
    found = deployment.pages.asset(scope["path"])
    if found is None:
        raise NotFound
    headers = {"content-type": found.media_type, "cache-control": _FOR_EVER}
    response = ASGIResponse(body=found.body, headers=headers)
    await response(scope, receive, send)
