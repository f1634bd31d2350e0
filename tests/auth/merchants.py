"""Two merchants whose customers sign in with the same provider, and a browser's steps there."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from guichet.app import create_app
from guichet.db import Database, connect
from guichet.deployment import Deployment
from guichet.edge.entrance import Edge
from guichet.payments.choose import SECRET_KEY
from guichet.settings import Settings
from tenants.agencies import Agency, add_agency
from tenants.configuration import Configuration, publish
from tenants.identity_providers import IdentityProvider, secret_name
from tenants.tenant import add_tenant
from tenants.vault import Vault
from tests.auth.conftest import Merchants, add_customer
from tests.auth.hostile_provider import HostileProvider
from tests.loopback import NO_AUTHORITIES

LUMEN = "http://lumen.localhost:8000"
MARMITE = "http://marmite.localhost:8000"


class Portal(NamedTuple):
    """The web program, open in this process."""

    edge: Edge
    deployment: Deployment

    @asynccontextmanager
    async def browser(
        self, origin: str = LUMEN, address: str = "203.0.113.7"
    ) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app=self.edge, client=(address, 40000))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=origin) as client:
            yield client


async def add_merchants(settings: Settings, hostile: HostileProvider) -> Merchants:
    """Lumen and Marmite, each with the customer Ada and a provider account that has nobody."""
    vault = Vault(settings.master_keys)
    async with connect(settings.database_url, connections=2) as db:
        async with db.system() as connection:
            agency = await add_agency(connection, "atelier", "Atelier")
        lumen = await _add_merchant(db, vault, agency, "lumen", hostile)
        marmite = await _add_merchant(db, vault, agency, "marmite", hostile)
    return Merchants(lumen, marmite)


async def _add_merchant(
    db: Database, vault: Vault, agency: Agency, slug: str, hostile: HostileProvider
) -> UUID:
    async with db.system() as connection:
        tenant = await add_tenant(connection, agency, slug, slug.title())
    provider = IdentityProvider("work", "Work account", hostile.issuer, hostile.client_id)
    async with db.unit(tenant.id) as unit:
        name = secret_name(provider.id)
        await vault.store(unit.connection, tenant.id, name, hostile.client_secret)
        await vault.store(unit.connection, tenant.id, SECRET_KEY, "sk_test_nobody")
        configuration = Configuration(identity_providers=(provider,))
        await publish(unit.connection, tenant.id, configuration, "a test")
    await add_customer(db, tenant.id, "cus_ada", "ada@example.com")
    return tenant.id


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Portal]:
    """Open the web program; merchants that are there already are in its directory at once."""
    edge = create_app(settings)
    async with edge.lifespan() as deployment:
        yield Portal(edge, deployment)


async def callback_path(browser: httpx.AsyncClient, next_path: str = "") -> str:
    """Click on the button and consent; answers where the provider sends the browser back to."""
    page = await browser.get("/sign-in", params={"next": next_path} if next_path else {})
    link = re.search(r'href="(/sign-in/work[^"]*)"', page.text)
    assert link is not None, page.text
    started = await browser.get(unescape(link[1]))
    assert started.status_code == 303, started.text
    async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITIES) as elsewhere:
        consented = await elsewhere.get(started.headers["location"])
    back = urlsplit(consented.headers["location"])
    assert back.netloc.endswith(".localhost:8000")
    return f"{back.path}?{back.query}"


async def sign_in(browser: httpx.AsyncClient, next_path: str = "") -> httpx.Response:
    return await browser.get(await callback_path(browser, next_path))
