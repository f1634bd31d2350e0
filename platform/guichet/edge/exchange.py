"""One request and its answer, as the edge sees them: headers, count and log."""

import os
import time
from datetime import UTC, datetime

from litestar.enums import HttpMethod
from litestar.types import HTTPScope, Message, Send
from prometheus_client import Counter, Histogram

from guichet.auth.mail_links import without_link_token
from guichet.logs import RequestLine, log_request

_REQUESTS = Counter("guichet_requests", "Requests answered.", ["door", "method", "status"])
_SECONDS = Histogram(
    "guichet_request_seconds",
    "Time from a request's first byte to the end of its answer.",
    ["door"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25),
)
_METHODS = frozenset(("GET", "HEAD", "POST"))


class Exchange:
    """One request and its answer: adds the common headers and remembers what went out."""

    __slots__ = (
        "_send",
        "door",
        "headers",
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
        self.headers = headers

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            headers.append((b"x-request-id", self.request_id.encode()))
            # What a page says of itself counts: the browser would obey the common policy besides.
            own = {name for name, _ in headers}
            headers.extend(header for header in self.headers if header[0] not in own)
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
