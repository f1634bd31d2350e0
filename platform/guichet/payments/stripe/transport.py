"""How requests travel to Stripe: one pool of connections for all tenants, every wait bounded."""

import functools
import ssl
from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

import anyio
import httpx
import stripe

#: What the SDK knows of an answer: body, status and headers.
Answer = tuple[bytes, int, Mapping[str, str]]

#: The longest that one request may wait for each step, in seconds. A charge is answered late at
#: times, so reading gets most of the whole call's limit.
_TIMEOUT = httpx.Timeout(connect=3.0, read=9.0, write=3.0, pool=3.0)
_EXTENSIONS = {"timeout": _TIMEOUT.as_dict()}
#: What the SDK leaves to its client.
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "Connection": "keep-alive"}
#: Fifty tenants' whole shares, within the 1,024 files that a process may usually have open.
_LIMITS = httpx.Limits(max_connections=500, max_keepalive_connections=20, keepalive_expiry=30.0)


class Lost(stripe.APIConnectionError):
    """The request went out and no answer came back: it may have been done."""


class NotSent(stripe.APIConnectionError):
    """The request never left, so nothing was done. `away`: the provider is not to be reached."""

    def __init__(self, reason: str, *, away: bool = True) -> None:
        super().__init__(reason)  # type: ignore[no-untyped-call]
        self.away = away


class Wire(Protocol):
    """What a tenant's requests are sent with: the transport, or something before it."""

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> Answer: ...

    def sleep_async(self, secs: float) -> Awaitable[None]: ...


class Transport(stripe.HTTPClient):
    """The SDK's connection over httpx, shared by every tenant's client: it holds no key.

    The SDK's own httpx client makes a TLS context for each instance, and sends bodies in a way
    that httpx has deprecated.
    """

    name = "httpx"

    def __init__(self) -> None:
        super().__init__()
        self._client = httpx.AsyncClient(
            verify=_authorities(), limits=_LIMITS, follow_redirects=False, cookies=None
        )

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> Answer:
        """One request; raises `NotSent` or `Lost`."""
        # Made here, since the client's own way of making one costs a quarter of the whole request.
        request = httpx.Request(
            method,
            url,
            headers={**_HEADERS, **headers},
            content=post_data or None,
            extensions=_EXTENSIONS,
        )
        try:
            response = await self._client.send(request)
        except httpx.PoolTimeout as error:
            # The connections are taken, by other tenants too: no word on this one's provider.
            raise NotSent(type(error).__name__, away=False) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotSent(type(error).__name__) from error
        except httpx.HTTPError as error:
            raise Lost(type(error).__name__) from error  # type: ignore[no-untyped-call]
        return response.content, response.status_code, response.headers

    def sleep_async(self, secs: float) -> Awaitable[None]:
        return anyio.sleep(secs)

    async def close_async(self) -> None:
        await self._client.aclose()


@functools.cache
def _authorities() -> ssl.SSLContext:
    """Whose certificates count: read once in a process, for it takes 20 ms."""
    return httpx.create_ssl_context()
