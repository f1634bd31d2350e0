"""A merchant with one customer, a provider that can lie, and a browser that signs in."""

import base64
import os
import time
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx
import msgspec
import pytest
from redis.asyncio import Redis

from guichet.auth.discovery import Discovery
from guichet.auth.identity_http import open_identity_http
from guichet.auth.oidc import Callback, RelyingParty
from guichet.auth.signing_in import Finished, SignIn, Visitor
from guichet.auth.throttle import Throttle
from guichet.db import Database
from tenants.agencies import add_agency
from tenants.identity_providers import IdentityProvider, secret_name
from tenants.tenant import add_tenant
from tenants.vault import Vault
from tests.auth.hostile_provider import HostileProvider
from tests.loopback import NO_AUTHORITIES

REDIRECT_URI = "http://lumen.localhost:8000/sign-in/work/callback"


class Clock:
    """Now, and later when told so."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Merchants(NamedTuple):
    """Two tenants that share nothing."""

    lumen: UUID
    marmite: UUID


@pytest.fixture
async def merchants(db: Database) -> Merchants:
    async with db.system() as connection:
        agency = await add_agency(connection, "atelier", "Atelier")
        lumen = await add_tenant(connection, agency, "lumen", "Lumen")
        marmite = await add_tenant(connection, agency, "marmite", "Marmite")
    return Merchants(lumen.id, marmite.id)


async def add_customer(
    db: Database, tenant_id: UUID, customer_id: str, email: str | None, *, status: str = ""
) -> None:
    """Mirror a customer, with a subscription of `status` if one is given; later ones are newer."""
    async with db.unit(tenant_id) as unit:
        await unit.execute(
            """
            insert into customers (tenant_id, id, email, created_at, copy_no)
            values ($1, $2, $3, clock_timestamp(), nextval('mirror_copies'))
            """,
            tenant_id,
            customer_id,
            email,
        )
        if status:
            await unit.execute(
                """
                insert into subscriptions (
                  tenant_id, id, customer_id, status, currency, cancel_at_period_end, created_at,
                  copy_no
                )
                values ($1, $2, $3, $4, 'eur', false, now(), nextval('mirror_copies'))
                """,
                tenant_id,
                f"sub_{customer_id}",
                customer_id,
                status,
            )


async def count_sessions(db: Database, tenant_id: UUID) -> int:
    """How many sessions a tenant's customers have ever had."""
    async with db.unit(tenant_id) as unit:
        counted: int = await unit.fetchval(
            "select count(*) from sessions where tenant_id = $1", tenant_id
        )
        return counted


@pytest.fixture
def hostile() -> Iterator[HostileProvider]:
    with HostileProvider() as provider:
        yield provider


@pytest.fixture
def work(hostile: HostileProvider) -> IdentityProvider:
    """The hostile provider as the merchant configured it."""
    return IdentityProvider("work", "Work", hostile.issuer, hostile.client_id)


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Asked(NamedTuple):
    """What was asked of the payment provider, and what it will bring into the mirror."""

    emails: list[str]
    brings: list[tuple[str, str]]


@pytest.fixture
def asked() -> Asked:
    return Asked([], [])


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def sign_in(
    db: Database,
    merchants: Merchants,
    hostile: HostileProvider,
    clock: Clock,
    asked: Asked,
    redis: Redis,
) -> AsyncIterator[SignIn]:
    """Sign-in as it is put together in production, with the hostile provider's secret sealed."""
    vault = Vault([base64.b64encode(os.urandom(32)).decode()])
    for tenant_id in merchants:
        async with db.unit(tenant_id) as unit:
            name = secret_name("work")
            await vault.store(unit.connection, tenant_id, name, hostile.client_secret)

    async def bring_customers(tenant_id: UUID, email: str) -> None:
        asked.emails.append(email)
        for customer_id, address in asked.brings:
            await add_customer(db, tenant_id, customer_id, address)

    async with open_identity_http(allow_loopback=True) as http:
        party = RelyingParty(http, Discovery(http, clock), clock)
        yield SignIn(db, vault, party, Throttle(redis), bring_customers)


class Browser:
    """A browser that follows a sign-in by itself, or step by step."""

    def __init__(self, sign_in: SignIn, provider: IdentityProvider, tenant_id: UUID) -> None:
        self.sign_in = sign_in
        self.provider = provider
        self.visitor = Visitor(tenant_id, "203.0.113.7", None, None, "Firefox/133.0 Linux", "r1")
        self.sent_to = ""

    async def start(self, next_path: str = "/") -> str:
        """Click the button; answers the provider's address, which the browser goes to next."""
        started = await self.sign_in.start(self.visitor, self.provider, REDIRECT_URI, next_path)
        self.visitor = msgspec.structs.replace(self.visitor, browser=started.browser)
        self.sent_to = started.url
        return started.url

    async def consent(self) -> Callback:
        """Consent at the provider; answers the callback that it redirects to."""
        async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITIES) as client:
            response = await client.get(self.sent_to)
        query = dict(parse_qsl(urlsplit(response.headers["location"]).query))
        known = {name: query[name] for name in ("state", "code", "iss", "error") if name in query}
        return msgspec.convert(known, Callback)

    async def finish(self, callback: Callback) -> Finished:
        """Come back from the provider."""
        finished = await self.sign_in.finish(self.visitor, self.provider, REDIRECT_URI, callback)
        self.visitor = msgspec.structs.replace(self.visitor, session=finished.token)
        return finished

    async def enter(self, next_path: str = "/") -> Finished:
        """All of it."""
        await self.start(next_path)
        return await self.finish(await self.consent())


@pytest.fixture
async def ada(
    db: Database, sign_in: SignIn, work: IdentityProvider, merchants: Merchants
) -> Browser:
    """The browser of a customer of Lumen, whom the mirror knows as `cus_ada`."""
    await add_customer(db, merchants.lumen, "cus_ada", "ada@example.com", status="active")
    return Browser(sign_in, work, merchants.lumen)
