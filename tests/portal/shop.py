"""A merchant for tests: a tenant, an account at the sandbox with a year of customers, a portal."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import httpx
import msgspec
import stripe
from stripe import Subscription

from guichet.app import create_app
from guichet.auth.sessions import open_session
from guichet.billing.importing import import_tenant
from guichet.demo.history import live_a_year, stripe_client
from guichet.demo.merchants import LUMEN, Merchant
from guichet.deployment import Deployment
from guichet.edge.entrance import Edge
from guichet.payments.choose import SECRET_KEY, WEBHOOK_SECRET
from guichet.settings import Settings
from tenants.agencies import add_agency
from tenants.catalog import ChangeRules, Plan
from tenants.configuration import Configuration, load_published, publish
from tenants.tenant import add_tenant
from tests.loopback import NO_AUTHORITIES

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


class Customer:
    """A browser that is signed in at one portal, without scripts."""

    def __init__(self, client: httpx.AsyncClient, origin: str, customer_id: str) -> None:
        self.client = client
        self.origin = origin
        self.customer_id = customer_id

    async def get(self, path: str) -> httpx.Response:
        """Open a page; redirects are not followed."""
        return await self.client.get(path)

    async def post(self, path: str, form: dict[str, str]) -> httpx.Response:
        """Send a form as a page of this portal would."""
        return await self.client.post(path, data=form, headers={"origin": self.origin})

    async def follow(self, path: str, form: dict[str, str]) -> httpx.Response:
        """Send a form and open the page it leads to."""
        answer = await self.post(path, form)
        assert answer.status_code == 303, answer.text
        return await self.get(answer.headers["location"])


class Shop(msgspec.Struct, frozen=True):
    """One merchant with everything that belongs to it."""

    edge: Edge
    deployment: Deployment
    merchant: Merchant
    tenant_id: UUID
    key: str
    webhook_secret: str
    stripe: stripe.StripeClient
    #: The prices' ids by the offers' keys.
    prices: dict[str, str]

    @property
    def origin(self) -> str:
        return f"http://{self.merchant.slug}.{self.deployment.settings.base_domain}"

    async def customer_id(self, who: str) -> str:
        """The provider's id of one of the demo's people, such as `ada`."""
        found = await self.stripe.v1.customers.list_async({"email": f"{who}@example.com"})
        return found.data[0].id

    async def subscription(self, who: str) -> Subscription:
        """The customer's newest subscription as the provider has it now."""
        found = await self.stripe.v1.subscriptions.list_async(
            {"customer": await self.customer_id(who), "status": "all"}
        )
        return found.data[0]

    async def control(self, switches: dict[str, object]) -> httpx.Response:
        """Turn the sandbox's switches for this merchant's account."""
        async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITIES) as client:
            return await client.post(
                f"{self.deployment.settings.stripe_url}/_control/settings",
                headers={"authorization": f"Bearer {self.key}"},
                json=switches,
            )

    async def republish(self, **sections: object) -> None:
        """Publish the configuration with some sections changed, and wait until it is in force."""
        async with self.deployment.db.unit(self.tenant_id) as unit:
            before = (await load_published(unit.connection, unit.tenant_id)).configuration
            changed = msgspec.structs.replace(before, **sections)
            version = await publish(unit.connection, unit.tenant_id, changed, "test")
        for _ in range(200):
            entry = self.deployment.directory.by_id(self.tenant_id)
            if entry is not None and entry.published_version == version:
                return
            await asyncio.sleep(0.05)
        raise TimeoutError(f"version {version} is not in force")

    @asynccontextmanager
    async def visitor(self) -> AsyncIterator[Customer]:
        """A browser that nobody has signed in with."""
        transport = httpx.ASGITransport(app=self.edge)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=self.origin) as client:
            yield Customer(client, self.origin, "")

    @asynccontextmanager
    async def signed_in(self, who: str) -> AsyncIterator[Customer]:
        """A browser with a session of one of the demo's people."""
        customer_id = await self.customer_id(who)
        async with self.deployment.db.unit(self.tenant_id) as unit:
            token = await open_session(unit, customer_id, "test", "a test")
        async with self.visitor() as browser:
            browser.client.cookies.set("guichet-session", token)
            browser.customer_id = customer_id
            yield browser


def left_for(answer: httpx.Response) -> str:
    """The provider's page that an answer goes on to by itself."""
    assert answer.status_code == 200, answer.text
    return answer.headers["refresh"].removeprefix("0; url=")


def form_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the page's form that goes to an address."""
    form = next(part for part in page.split("<form") if f'action="{action}"' in part)
    return dict(_HIDDEN.findall(form.split("</form>")[0]))


def hidden_fields(page: str) -> dict[str, str]:
    """The hidden fields of the page's last form that has any."""
    form = next(part for part in reversed(page.split("<form")) if "hidden" in part)
    return dict(_HIDDEN.findall(form))


@asynccontextmanager
async def open_shop(
    settings: Settings,
    merchant: Merchant = LUMEN,
    changes: ChangeRules | None = None,
) -> AsyncIterator[Shop]:
    """Make a merchant with its year, import it and open the deployment's web program."""
    edge = create_app(settings)
    async with edge.lifespan() as deployment:
        yield await add_shop(edge, deployment, merchant, changes)


async def add_shop(
    edge: Edge, deployment: Deployment, merchant: Merchant, changes: ChangeRules | None = None
) -> Shop:
    """Add one more merchant to a deployment that is open, in an agency of its own."""
    key = f"sk_test_{secrets.token_hex(12)}"
    client = stripe_client(key, deployment.settings.stripe_url)
    prices = await live_a_year(client, merchant, datetime.now(UTC))
    webhook_secret = f"whsec_{secrets.token_hex(16)}"
    async with deployment.db.system() as connection:
        agency = await add_agency(connection, f"agency-{merchant.slug}", "An agency")
        tenant = await add_tenant(connection, agency, merchant.slug, merchant.name)
    async with deployment.db.unit(tenant.id) as unit:
        await deployment.vault.store(unit.connection, tenant.id, SECRET_KEY, key)
        await deployment.vault.store(unit.connection, tenant.id, WEBHOOK_SECRET, webhook_secret)
        configuration = Configuration(
            locale=merchant.locale,
            branding=merchant.branding,
            plans=tuple(
                Plan(prices[it.key], {"en": it.english}, quantity_max=it.quantity_max)
                for it in merchant.offers
            ),
            changes=changes or merchant.changes,
            support_email=merchant.support_email,
        )
        await publish(unit.connection, tenant.id, configuration, "test")
    provider = await deployment.providers.client(tenant.id)
    await import_tenant(deployment.db, provider, tenant.id)
    return Shop(edge, deployment, merchant, tenant.id, key, webhook_secret, client, prices)
