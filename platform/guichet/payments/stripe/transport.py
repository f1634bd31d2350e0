"""How requests travel to Stripe: one pool of connections for all tenants, every wait bounded."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

import anyio
import httpx
import stripe

#: The longest that one request may wait for each step, in seconds. A charge is answered late at
#: times, so reading gets most of the whole call's limit.
_TIMEOUT = httpx.Timeout(connect=3.0, read=9.0, write=3.0, pool=3.0)
_LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=20, keepalive_expiry=30.0)
#: Of these connections one tenant may hold so many at a time.
_SHARE = 20


class Transport(stripe.HTTPClient):
    """The SDK's connection over httpx, shared by every tenant's client: it holds no key.

    The SDK's own httpx client makes a TLS context for each instance, and sends bodies in a way
    that httpx has deprecated.
    """

    name = "httpx"

    def __init__(self) -> None:
        super().__init__()
        self._client = httpx.AsyncClient(
            timeout=_TIMEOUT, limits=_LIMITS, follow_redirects=False, cookies=None
        )

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        try:
            response = await self._client.request(
                method, url, headers=dict(headers), content=post_data or None
            )
        except httpx.HTTPError as error:
            lost = stripe.APIConnectionError(type(error).__name__, should_retry=True)  # type: ignore[no-untyped-call]
            raise lost from error
        return response.content, response.status_code, response.headers

    def sleep_async(self, secs: float) -> Awaitable[None]:
        return anyio.sleep(secs)

    async def close_async(self) -> None:
        await self._client.aclose()


class Share(stripe.HTTPClient):
    """One tenant's share of the transport.

    Where its provider hangs, its own customers wait for each other, and nobody else's for them.
    """

    name = Transport.name

    def __init__(self, transport: stripe.HTTPClient) -> None:
        super().__init__()
        self._transport = transport
        self._gate = asyncio.Semaphore(_SHARE)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        async with self._gate:
            return await self._transport.request_async(method, url, headers, post_data)

    def sleep_async(self, secs: float) -> Awaitable[None]:
        return self._transport.sleep_async(secs)
