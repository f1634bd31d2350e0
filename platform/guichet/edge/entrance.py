"""What happens to every request before a door opens.

The `Host` header decides the door: a tenant's portal, the console, previews, the base host, or
none. Each answer leaves with a request id and the security headers, is counted and is logged as
one line. A plain ASGI program, because a framework's middleware does not run for its router's own
404 and 405.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import quote

import structlog
from litestar.enums import ScopeType
from litestar.response.base import ASGIResponse
from litestar.types import (
    HTTPScope,
    LifeSpanScope,
    Receive,
    Send,
)

from guichet.console.visit import ARRIVAL, Arrival
from guichet.deployment import PATIENCE_SECONDS, Deployment, await_deployment
from guichet.edge.base import DEPLOYMENT, Door, base_door
from guichet.edge.exchange import Exchange
from guichet.edge.headers import security_headers
from guichet.edge.health import answer_health
from guichet.edge.lifespan import hold_open
from guichet.edge.pages import error_page
from guichet.errors import GuichetError, MalformedRequest, NotFound, Unavailable
from guichet.portal.brand import Brands
from guichet.portal.preview.door import show_preview
from guichet.portal.support import recognise_view
from guichet.portal.visit import VISIT, Visit
from guichet.settings import Settings
from guichet.tenancy import TenantEntry, canonical_host
from guichet.webhooks.incoming import receive_events
from guichet.webhooks.intake import EventIntake

_log = structlog.get_logger()

#: A request gets this many seconds; every call out has a shorter time-out of its own.
TIME_LIMIT_S = 25
#: Longer request targets are refused.
MAX_TARGET_BYTES = 4096


class UnknownHost(NotFound):
    """There is no portal at this address."""

    title = "Nothing is here"
    code = "unknown_host"


class Suspended(Unavailable):
    """This portal is closed at the moment. Please contact the company you buy from."""

    title = "This portal is closed"
    code = "suspended"


class TargetTooLong(MalformedRequest):
    """This address is too long."""

    status = 414
    code = "target_too_long"


class Edge:
    """The deployment as one ASGI program; each door is an ASGI program of its own."""

    def __init__(
        self,
        settings: Settings,
        portal: Door,
        console: Door,
        base: Door,
        patience_s: float = PATIENCE_SECONDS,
    ) -> None:
        self.settings = settings
        self._patience_s = patience_s
        self._portal = portal
        self._console = console
        self._base = base
        self._headers = security_headers(settings)
        self._console_headers = security_headers(settings, "console")
        self._preview_headers = security_headers(settings, "preview")
        self._deployment: Deployment | None = None
        self._brands: Brands | None = None
        self._intake: EventIntake | None = None
        self._leaving = False

    def leave(self) -> None:
        """From now on say that this process is not ready, and go on serving."""
        self._leaving = True

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator[Deployment]:
        """Hold the deployment open; what a server does for the lifespan protocol, and tests too."""
        async with await_deployment(self.settings, self._patience_s) as deployment:
            self._brands = Brands(deployment.pages, deployment.directory)
            self._intake = EventIntake(deployment.db, deployment.vault, deployment.outbox)
            self._deployment = deployment
            try:
                yield deployment
            finally:
                self._deployment = None

    async def __call__(
        self, scope: HTTPScope | LifeSpanScope, receive: Receive, send: Send
    ) -> None:
        if scope["type"] == "lifespan":
            await hold_open(self.lifespan(), receive, send)
        elif scope["type"] == ScopeType.HTTP:
            exchange = Exchange(scope, send, self._headers)
            try:
                async with asyncio.timeout(TIME_LIMIT_S):
                    await self._answer(exchange, receive)
            except Exception as error:
                await self._answer_failure(exchange, receive, error)
            finally:
                exchange.record()

    async def _answer(self, exchange: Exchange, receive: Receive) -> None:
        scope = exchange.scope
        if scope["path"].startswith("/health/"):
            ready = None if self._leaving else self._deployment
            await answer_health(ready, scope, receive, exchange.send)
            return
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_TARGET_BYTES:
            raise TargetTooLong
        if self._deployment is None:
            raise Unavailable
        host = canonical_host(scope["headers"], scope.get("raw_path") or b"/")
        if not scope["path"].startswith("/"):
            raise MalformedRequest
        # No address of ours has a NUL in it, and PostgreSQL takes none in a text.
        if "\0" in scope["path"]:
            raise NotFound
        entry = self._deployment.directory.find(host)
        if entry is not None:
            await self._open_portal(self._deployment, entry, host, exchange, receive)
        elif host == self.settings.console_host:
            exchange.door = "console"
            exchange.headers = self._console_headers
            scope["state"] = {ARRIVAL: Arrival(self._deployment, exchange.request_id)}
            await self._console(scope, receive, exchange.send)
        elif host == self.settings.preview_host:
            exchange.door = "preview"
            exchange.headers = self._preview_headers
            await show_preview(self._deployment, exchange.request_id, scope, receive, exchange.send)
        elif host == self.settings.base_host:
            exchange.door = "base"
            scope["state"] = {DEPLOYMENT: self._deployment}
            await self._base(scope, receive, exchange.send)
        else:
            await _refuse(UnknownHost(), self._deployment, exchange, receive)

    async def _open_portal(
        self,
        deployment: Deployment,
        entry: TenantEntry,
        host: str,
        exchange: Exchange,
        receive: Receive,
    ) -> None:
        exchange.door = "portal"
        exchange.tenant = entry.slug
        scope = exchange.scope
        # Events come to any host of a tenant, and a suspended tenant's are refused by the intake.
        if scope["path"].startswith("/webhooks/"):
            assert self._intake is not None
            exchange.door = "webhooks"
            await receive_events(self._intake, entry, scope, receive, exchange.send)
            return
        if host != deployment.directory.host(entry):
            await _redirect_to_own_host(deployment, entry, exchange, receive)
            return
        if entry.status != "active":
            await _refuse(Suspended(), deployment, exchange, receive)
            return
        assert self._brands is not None
        brand = await self._brands.brand(entry)
        is_head = exchange.method == "HEAD"
        visit = Visit(deployment, entry, brand, scope, exchange.request_id, is_head=is_head)
        await recognise_view(visit)
        scope["state"] = {VISIT: visit}
        await self._portal(scope, receive, exchange.send)

    async def _answer_failure(self, exchange: Exchange, receive: Receive, error: Exception) -> None:
        if not isinstance(error, GuichetError):
            _log.error("unhandled", request_id=exchange.request_id, exc_info=error)
            error = Unavailable() if isinstance(error, TimeoutError | OSError) else GuichetError()
        if exchange.status:
            return
        response = error_page(self._deployment, exchange.scope, error)
        await response(exchange.scope, receive, exchange.send)


async def _refuse(
    error: GuichetError, deployment: Deployment, exchange: Exchange, receive: Receive
) -> None:
    """Refuse a request to a host without an open portal, but for what the page saying so needs."""
    if not exchange.scope["path"].startswith("/assets/"):
        raise error
    exchange.scope["state"] = {DEPLOYMENT: deployment}
    await base_door(exchange.scope, receive, exchange.send)


async def _redirect_to_own_host(
    deployment: Deployment, entry: TenantEntry, exchange: Exchange, receive: Receive
) -> None:
    """Send a visitor of the slug's host to the tenant's custom domain: one portal, one origin."""
    scope = exchange.scope
    path = scope["path"] if scope["method"] in ("GET", "HEAD") else "/"
    query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
    response = ASGIResponse(
        status_code=307 if path == scope["path"] else 303,
        headers={"location": deployment.directory.url(entry, quote(path) + query)},
    )
    await response(scope, receive, exchange.send)
