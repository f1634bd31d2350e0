"""Requests to merchants' identity providers: short, bounded, and nowhere but where they were sent.

A provider's addresses come from a merchant's configuration and its discovery document, so an
answer is trusted with nothing: no redirect is followed, no compression accepted (a small body
could unfold into a large one), no more than 256 kB read, and all is over after eight seconds.
"""

import asyncio
import contextlib
import functools
import ipaddress
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator
from urllib.parse import SplitResult, urlsplit

import httpx
import msgspec

from guichet.auth.failures import IdentityProviderMisconfigured, IdentityProviderUnreachable

_LONGEST_BODY = 256 * 1024
_SECONDS = 8.0
#: So many requests to one provider at a time: a slow one keeps its own customers waiting only.
_AT_ONCE = 16
_FORM = "application/x-www-form-urlencoded"


class Answer(msgspec.Struct, frozen=True):
    """Status and body of a response that was read to its end."""

    status: int
    body: bytes


def origin(url: str) -> str:
    """Scheme, host and port of a URL as `scheme://host:port`, with the port always written."""
    parts = _split(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or _default_port(parts)}"


def check_url(url: str, allow_loopback: bool) -> None:
    """Refuse what is not an absolute https URL without userinfo and fragment.

    Plain http is accepted for this machine's own addresses, and only when `allow_loopback`.
    Raises `IdentityProviderMisconfigured`.
    """
    parts = _split(url)
    if not parts.hostname or parts.username is not None or parts.fragment or "\\" in url:
        raise IdentityProviderMisconfigured(reason="an address is not a plain absolute URL")
    if parts.scheme == "https":
        return
    if parts.scheme != "http" or not allow_loopback or not _is_loopback(parts.hostname):
        raise IdentityProviderMisconfigured(reason="an address is not https")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        # Reading the port is what finds one that is not a number.
        _ = parts.port
    except ValueError as error:
        raise IdentityProviderMisconfigured(reason="an address cannot be read") from error
    return parts


def _default_port(parts: SplitResult) -> int:
    return 443 if parts.scheme == "https" else 80


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class IdentityHttp:
    """One process's connections to all identity providers."""

    def __init__(
        self, client: httpx.AsyncClient, allow_loopback: bool, seconds: float = _SECONDS
    ) -> None:
        self._client = client
        self._allow_loopback = allow_loopback
        self._seconds = seconds
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(_AT_ONCE)
        )

    def check(self, url: str) -> None:
        """Refuse an address as `check_url` does."""
        check_url(url, self._allow_loopback)

    async def get(self, url: str, authorization: str = "") -> Answer:
        """Fetch JSON; raises `IdentityProviderUnreachable` when no complete answer comes."""
        return await self._request("GET", url, {"authorization": authorization})

    async def post(self, url: str, form: str, authorization: str = "") -> Answer:
        """Send an encoded form; raises `IdentityProviderUnreachable` as `get` does."""
        headers = {"authorization": authorization, "content-type": _FORM}
        return await self._request("POST", url, headers, form)

    async def _request(
        self, method: str, url: str, headers: dict[str, str], form: str | None = None
    ) -> Answer:
        self.check(url)
        wanted = {name: value for name, value in headers.items() if value}
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._turns[origin(url)],
                self._client.stream(method, url, headers=wanted, content=form) as response,
            ):
                return Answer(response.status_code, await _read(response))
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, TimeoutError) as error:
            raise IdentityProviderUnreachable(reason=type(error).__name__) from error


async def _read(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise IdentityProviderUnreachable(reason="a compressed answer, which was not asked for")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > _LONGEST_BODY:
            raise IdentityProviderUnreachable(reason="an answer of more than 256 kB")
    return bytes(body)


@contextlib.asynccontextmanager
async def open_identity_http(allow_loopback: bool) -> AsyncIterator[IdentityHttp]:
    """Open the client. Environment variables (proxies, netrc) do not reach it."""
    async with httpx.AsyncClient(
        verify=_authorities(),
        timeout=httpx.Timeout(5.0),
        limits=httpx.Limits(max_connections=256, max_keepalive_connections=16),
        headers={"accept": "application/json", "accept-encoding": "identity"},
        follow_redirects=False,
        trust_env=False,
    ) as client:
        yield IdentityHttp(client, allow_loopback)


@functools.cache
def _authorities() -> ssl.SSLContext:
    """Whose certificates count: read once in a process, for it takes 20 ms."""
    return httpx.create_ssl_context(trust_env=False)
