"""The base host: no page of its own, only what pages without a tenant look like, and an answer for
the reverse proxy."""

from collections.abc import Awaitable, Callable

from litestar.types import HTTPScope, Receive, Send

from guichet.deployment import Deployment
from guichet.edge.certificates import PATH as TLS_ALLOWED
from guichet.edge.certificates import answer_tls_allowed
from guichet.errors import NotFound
from guichet.web.caching import kept_for_ever

#: What answers the requests for one kind of host.
Door = Callable[[HTTPScope, Receive, Send], Awaitable[None]]

#: Where the edge leaves the deployment in the ASGI scope of the base host.
DEPLOYMENT = "guichet.deployment"


async def base_door(scope: HTTPScope, receive: Receive, send: Send) -> None:
    """Answer with a file of a theme, or the proxy; raises `NotFound` for everything else."""
    deployment: Deployment = scope["state"][DEPLOYMENT]
    if scope["path"] == TLS_ALLOWED:
        await answer_tls_allowed(deployment, scope["query_string"])(scope, receive, send)
        return
    found = deployment.pages.asset(scope["path"])
    if found is None:
        raise NotFound
    await kept_for_ever(found.body, found.media_type)(scope, receive, send)
