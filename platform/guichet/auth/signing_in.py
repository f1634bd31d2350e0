"""A sign-in from its first click to its session, with nothing kept of one that fails.

No transaction is open while a provider is asked: an attempt is used up in one, the session is
opened in another, together with the link to the customer and the audit row.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import msgspec
from redis.asyncio import Redis

from guichet import audit
from guichet.auth.attempts import Attempt, begin_attempt, take_attempt
from guichet.auth.client_secrets import open_client_secret
from guichet.auth.devices import device_label
from guichet.auth.discovery import Discovery
from guichet.auth.failures import NoAccount, SignInDeclined
from guichet.auth.identity_http import open_identity_http
from guichet.auth.links import link_customer
from guichet.auth.oidc import Callback, Claims, Exchange, RelyingParty
from guichet.auth.sessions import find_session, new_token, open_session, revoke
from guichet.auth.throttle import Throttle
from guichet.db import Database
from guichet.settings import Settings
from tenants.identity_providers import IdentityProvider
from tenants.vault import Vault

#: Asks the payment provider for a tenant's customers with this email and writes them into the
#: mirror; `bring_customers` in production.
BringCustomers = Callable[[UUID, str], Awaitable[None]]


class Visitor(msgspec.Struct, frozen=True):
    """A browser at a tenant's door, as its request shows it."""

    tenant_id: UUID
    #: The client's address, as `client_address` has it.
    address: str
    #: Values of our cookies.
    browser: str | None
    session: str | None
    user_agent: str
    request_id: str


class Started(msgspec.Struct, frozen=True):
    """Where to send the browser, and the value of its browser cookie from now on."""

    url: str
    browser: str


class Finished(msgspec.Struct, frozen=True):
    """The token of the new session, and the page that was wanted."""

    token: str
    next_path: str


class SignIn:
    """Signs customers in with their merchant's identity providers."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        relying_party: RelyingParty,
        throttle: Throttle,
        bring_customers: BringCustomers,
    ) -> None:
        self._db = db
        self._vault = vault
        self.relying_party = relying_party
        self._throttle = throttle
        self._bring_customers = bring_customers

    async def start(
        self, visitor: Visitor, provider: IdentityProvider, redirect_uri: str, next_path: str
    ) -> Started:
        """Begin an attempt bound to this browser; raises `SignInFailed`."""
        await self._throttle.count("start", visitor.tenant_id, visitor.address)
        browser = visitor.browser or new_token()
        async with self._db.unit(visitor.tenant_id) as unit:
            state, attempt = await begin_attempt(unit, provider.id, browser, next_path)
        url = await self.relying_party.authorization_url(
            provider, redirect_uri, state, attempt.nonce, attempt.code_verifier
        )
        return Started(url, browser)

    async def finish(
        self,
        visitor: Visitor,
        provider: IdentityProvider,
        redirect_uri: str,
        callback: Callback,
    ) -> Finished:
        """Use up the attempt, learn who it is, and open a session; raises `SignInFailed`."""
        await self._throttle.count("callback", visitor.tenant_id, visitor.address)
        if callback.error == "access_denied" and not callback.state:
            # Some providers leave the state out here. No attempt is used up, and none is needed.
            raise SignInDeclined(reason="access_denied, without the state")
        async with self._db.unit(visitor.tenant_id) as unit:
            attempt = await take_attempt(unit, provider.id, visitor.browser, callback.state)
        await self.relying_party.check_callback(provider, callback)
        claims = await self._redeem(visitor, provider, redirect_uri, callback, attempt)
        token = await self._enter(visitor, provider, claims)
        return Finished(token, attempt.next_path)

    async def sign_out(self, visitor: Visitor) -> None:
        """End the browser's session, wherever its token may have been copied to."""
        if visitor.session is None:
            return
        async with self._db.unit(visitor.tenant_id) as unit:
            session = await find_session(unit, visitor.session)
            if await revoke(unit, visitor.session) and session is not None:
                await audit.record(
                    unit,
                    "customer",
                    session.customer_id,
                    "customer.signed_out",
                    session.customer_id,
                    {"session": str(session.id)},
                    visitor.request_id,
                )

    async def _redeem(
        self,
        visitor: Visitor,
        provider: IdentityProvider,
        redirect_uri: str,
        callback: Callback,
        attempt: Attempt,
    ) -> Claims:
        async with self._db.unit(visitor.tenant_id) as unit:
            secret = await open_client_secret(unit, self._vault, provider)
        exchange = Exchange(
            client_secret=secret,
            redirect_uri=redirect_uri,
            code=callback.code,
            code_verifier=attempt.code_verifier,
            nonce=attempt.nonce,
        )
        return await self.relying_party.redeem(provider, exchange)

    async def _enter(self, visitor: Visitor, provider: IdentityProvider, claims: Claims) -> str:
        """The token of a new session; a customer whom the mirror lacks is asked for once."""
        token = await self._open_session(visitor, provider, claims)
        if token is None:
            await self._bring_customers(visitor.tenant_id, str(claims.email))
            token = await self._open_session(visitor, provider, claims)
        if token is None:
            raise NoAccount(reason="no customer has this email", email=claims.email)
        return token

    async def _open_session(
        self, visitor: Visitor, provider: IdentityProvider, claims: Claims
    ) -> str | None:
        device = device_label(visitor.user_agent)
        async with self._db.unit(visitor.tenant_id) as unit:
            customer_id = await link_customer(unit, claims)
            if customer_id is None:
                return None
            token = await open_session(unit, customer_id, provider.id, device, visitor.session)
            await audit.record(
                unit,
                "customer",
                customer_id,
                "customer.signed_in",
                customer_id,
                {"provider": provider.id, "device": device},
                visitor.request_id,
            )
        return token


@contextlib.asynccontextmanager
async def open_sign_in(
    settings: Settings, db: Database, vault: Vault, bring_customers: BringCustomers
) -> AsyncIterator[SignIn]:
    """Open the connections to identity providers and to Redis; plain http in the demo only."""
    redis = Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
    async with open_identity_http(settings.demo) as http, contextlib.aclosing(redis):
        party = RelyingParty(http, Discovery(http))
        yield SignIn(db, vault, party, Throttle(redis), bring_customers)
