"""`/health/live` and `/health/ready`, answered on any host, before a tenant is looked for."""

import asyncio

import msgspec
import structlog
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from guichet.deployment import Deployment

_log = structlog.get_logger()

#: Readiness asks the database; an answer later than this many seconds is a no.
DATABASE_LIMIT_S = 2


async def answer_health(
    deployment: Deployment | None, scope: Scope, receive: Receive, send: Send
) -> None:
    """Live: the process answers. Ready: it also reaches PostgreSQL; Redis may be away."""
    if scope["path"] == "/health/live":
        status, body = 200, {"status": "live"}
    elif scope["path"] != "/health/ready":
        status, body = 404, {"status": "unknown"}
    elif deployment is not None and await _reaches_database(deployment):
        status, body = 200, {"status": "ready"}
    else:
        status, body = 503, {"status": "not ready"}
    response = ASGIResponse(
        body=msgspec.json.encode(body), status_code=status, media_type="application/json"
    )
    await response(scope, receive, send)


async def _reaches_database(deployment: Deployment) -> bool:
    try:
        async with asyncio.timeout(DATABASE_LIMIT_S):
            return bool(await deployment.db.pool.fetchval("select true"))
    except Exception as error:
        _log.warning("not ready", error=type(error).__name__)
        return False
