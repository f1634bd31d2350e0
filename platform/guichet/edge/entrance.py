"""What happens to every request before a door opens.

The `Host` header decides the door: a tenant's portal, the console, the base host, or none. Each
answer leaves with a request id and the security headers, is counted and is logged as one line. A
plain ASGI program, because a framework's middleware does not run for its router's own 404 and 405.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import quote

import structlog
from litestar.enums import HttpMethod, ScopeType
from litestar.response.base import ASGIResponse
from litestar.types import (
    HTTPScope,
    LifeSpanScope,
    Message,
    Receive,
    Send,
)
from prometheus_client import Counter, Histogram

from guichet.auth.mail_links import without_link_token
from guichet.console.visit import ARRIVAL, Arrival
from guichet.deployment import PATIENCE_SECONDS, Deployment, await_deployment
from guichet.edge.base import DEPLOYMENT, Door, base_door
from guichet.edge.headers import security_headers
from guichet.edge.health import answer_health
from guichet.edge.lifespan import hold_open
from guichet.edge.pages import error_page
from guichet.errors import GuichetError, MalformedRequest, NotFound, Unavailable
from guichet.logs import RequestLine, log_request
from guichet.portal.brand import Brands
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

_REQUESTS = Counter("guichet_requests", "Requests answered.", ["door", "method", "status"])
_SECONDS = Histogram(
    "guichet_request_seconds",
    "Time from a request's first byte to the end of its answer.",
    ["door"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25),
)
_METHODS = frozenset(("GET", "HEAD", "POST"))


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


class Exchange:
    """One request and its answer: adds the common headers and remembers what went out."""

    __slots__ = (
        "_headers",
        "_send",
        "door",
        "method",
        "request_id",
        "scope",
        "started",
        "status",
        "tenant",
    )

    def __init__(self, scope: HTTPScope, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self.scope = scope
        self.method = scope["method"]
        if self.method == "HEAD":
            # Every page answers HEAD as it answers GET, but for the body (RFC 9110 section 9.3.2).
            scope["method"] = HttpMethod.GET
        self.request_id = os.urandom(8).hex()
        self.started = time.perf_counter()
        self.status = 0
        self.door = "none"
        self.tenant = ""
        self._send = send
        self._headers = headers

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            headers.append((b"x-request-id", self.request_id.encode()))
            # What a page says of itself counts: the browser would obey the common policy besides.
            own = {name for name, _ in headers}
            headers.extend(header for header in self._headers if header[0] not in own)
            message["headers"] = headers
        elif message["type"] == "http.response.body" and self.method == "HEAD":
            message["body"] = b""
        await self._send(message)

    def record(self) -> None:
        """Count and log the exchange. A query string may hold a sign-in code: never logged."""
        seconds = time.perf_counter() - self.started
        method = self.method if self.method in _METHODS else "other"
        _REQUESTS.labels(self.door, method, self.status).inc()
        _SECONDS.labels(self.door).observe(seconds)
        log_request(
            RequestLine(
                request_id=self.request_id,
                tenant=self.tenant,
                door=self.door,
                method=method,
                path=without_link_token(self.scope["path"]),
                status=self.status,
                ms=round(seconds * 1000, 2),
                timestamp=datetime.now(UTC),
            )
        )


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
        self._headers = security_headers(settings.url_scheme)
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
            scope["state"] = {ARRIVAL: Arrival(self._deployment, exchange.request_id)}
            await self._console(scope, receive, exchange.send)
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
