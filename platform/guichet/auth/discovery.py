"""What an identity provider says of itself: its addresses and its keys, remembered for an hour."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import msgspec
from authlib.oidc.discovery import get_well_known_url  # type: ignore[import-untyped]

from guichet.auth.failures import (
    IdentityNotTrusted,
    IdentityProviderMisconfigured,
    IdentityProviderUnreachable,
)
from guichet.auth.identity_http import IdentityHttp, origin
from tenants.identity_providers import IdentityProvider

_Value = TypeVar("_Value")

_REMEMBERED_SECONDS = 3600.0
#: A token signed with an unknown key makes us ask for the keys again, but no sooner than this.
_REFETCH_FLOOR_SECONDS = 30.0
_MOST_REMEMBERED = 1024

#: Issuers whose documented endpoints are on hosts of another name. Every other provider keeps its
#: endpoints on the issuer's own origin, or the merchant names the other hosts.
_KNOWN_HOSTS = {
    "https://accounts.google.com": (
        "oauth2.googleapis.com",
        "openidconnect.googleapis.com",
        "www.googleapis.com",
    ),
}


class Metadata(msgspec.Struct, frozen=True):
    """A discovery document (OpenID Connect Discovery 1.0 section 3) with its defaults."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    #: RFC 9207 section 3: whether an `iss` must come with the callback.
    authorization_response_iss_parameter_supported: bool = False
    #: RFC 8414 section 2; many say nothing of it.
    code_challenge_methods_supported: tuple[str, ...] | None = None


class KeyDocument(msgspec.Struct, frozen=True):
    """A JWK set as it came (RFC 7517 section 5); a key that is not understood is passed over."""

    keys: tuple[dict[str, object], ...]


class _Entry(msgspec.Struct, Generic[_Value], frozen=True):
    value: _Value
    fetched_at: float


class _Memory(Generic[_Value]):
    """Remembers what was fetched for each address, and asks once however many are waiting."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry[_Value]] = {}
        self._fetching: dict[str, asyncio.Task[_Value]] = {}

    async def get(
        self, address: str, fetch: Callable[[str], Awaitable[_Value]], oldest_seconds: float
    ) -> _Value:
        """What `fetch` answered at most `oldest_seconds` ago, or answers now."""
        entry = self._entries.get(address)
        if entry is not None and self._clock() - entry.fetched_at < oldest_seconds:
            return entry.value
        task = self._fetching.get(address)
        if task is None:
            task = asyncio.create_task(self._fetch(address, fetch))
            self._fetching[address] = task
            task.add_done_callback(lambda done: self._fetched(address, done))
        # Whoever goes away does not end the fetch that others wait for.
        return await asyncio.shield(task)

    async def _fetch(self, address: str, fetch: Callable[[str], Awaitable[_Value]]) -> _Value:
        value = await fetch(address)
        self._entries.pop(address, None)
        self._entries[address] = _Entry(value, self._clock())
        if len(self._entries) > _MOST_REMEMBERED:
            del self._entries[next(iter(self._entries))]
        return value

    def _fetched(self, address: str, task: "asyncio.Task[_Value]") -> None:
        del self._fetching[address]
        if not task.cancelled():
            # Read, so that a failure which nobody waits for any more is not reported as lost.
            task.exception()


class Discovery:
    """Addresses and keys of identity providers, by issuer."""

    def __init__(self, http: IdentityHttp, clock: Callable[[], float] = time.time) -> None:
        self._http = http
        self._metadata: _Memory[Metadata] = _Memory(clock)
        self._keys: _Memory[KeyDocument] = _Memory(clock)

    async def metadata(self, provider: IdentityProvider) -> Metadata:
        """The provider's discovery document, if it is the issuer's own and names only its hosts.

        Raises `IdentityProviderMisconfigured` when another issuer speaks or an endpoint is on a
        foreign host, which would be handed the client secret and the customer.
        """
        metadata = await self.describe(provider)
        if self.foreign_hosts(provider, metadata):
            raise IdentityProviderMisconfigured(reason="an endpoint is on a foreign host")
        return metadata

    async def describe(self, provider: IdentityProvider, *, refetch: bool = False) -> Metadata:
        """The issuer's own document, wherever its endpoints are; `refetch` asks for it anew."""
        return await self._metadata.get(
            provider.issuer, self._fetch_metadata, 0.0 if refetch else _REMEMBERED_SECONDS
        )

    def foreign_hosts(self, provider: IdentityProvider, metadata: Metadata) -> tuple[str, ...]:
        """Origins of endpoints that are neither the issuer's nor named; empty where all is well.

        Raises `IdentityProviderMisconfigured` for an address that none may have.
        """
        hosts = (*provider.endpoint_hosts, *_KNOWN_HOSTS.get(provider.issuer, ()))
        allowed = {origin(provider.issuer), *(origin(f"https://{host}") for host in hosts)}
        foreign = {}
        for url in (
            metadata.authorization_endpoint,
            metadata.token_endpoint,
            metadata.jwks_uri,
            metadata.userinfo_endpoint,
        ):
            if url is None:
                continue
            self._http.check(url)
            if origin(url) not in allowed:
                foreign[origin(url)] = True
        return tuple(foreign)

    async def keys(self, metadata: Metadata, *, refetch: bool = False) -> KeyDocument:
        """The provider's keys; `refetch` when a token names one that is not among them."""
        return await self._keys.get(
            metadata.jwks_uri,
            self._fetch_keys,
            _REFETCH_FLOOR_SECONDS if refetch else _REMEMBERED_SECONDS,
        )

    async def _fetch_metadata(self, issuer: str) -> Metadata:
        metadata = await self._fetch(get_well_known_url(issuer, external=True), Metadata)
        if metadata.issuer != issuer:
            raise IdentityProviderMisconfigured(reason="discovery answers for another issuer")
        return metadata

    async def _fetch_keys(self, url: str) -> KeyDocument:
        return await self._fetch(url, KeyDocument)

    async def _fetch(self, url: str, kind: type[_Value]) -> _Value:
        answer = await self._http.get(url)
        if answer.status != 200:
            raise IdentityProviderUnreachable(reason=f"{kind.__name__}: status {answer.status}")
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except msgspec.MsgspecError as error:
            raise IdentityNotTrusted(reason=f"{kind.__name__} cannot be read") from error
