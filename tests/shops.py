"""A merchant's shop at the sandbox: its catalog and customers, made through Stripe's own SDK."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import msgspec
import stripe
from stripe.params import CustomerCreateParams

from guichet.db import Database
from guichet.payments.choose import SECRET_KEY, WEBHOOK_SECRET
from guichet.payments.stripe.adapter import Stripe, Transport
from guichet.settings import Settings
from tenants.vault import Vault
from tests.databases import DatabaseUrls
from tests.loopback import NO_AUTHORITIES
from tests.merchants import add_merchant, registry_for

#: What deliveries to a test's tenant are signed with, where no endpoint of the sandbox does it.
SIGNING_SECRET = "whsec_0123456789abcdef"


class Shop:
    """An account of its own, and both ways into it: the SDK's and the port's."""

    def __init__(self, url: str, key: str, transport: Transport, control: httpx.AsyncClient):
        self.url = url
        self.key = key
        self.sdk = stripe.StripeClient(key, base_addresses={"api": url}, http_client=transport).v1
        self.port = Stripe(key, url, transport)
        self._control = control
        self.product = ""
        self.monthly = ""
        self.larger = ""
        self.yearly = ""

    async def open(self) -> None:
        """A catalog of one product at 10 and 30 euros a month and 100 euros a year."""
        self.product = (await self.sdk.products.create_async({"name": "Lumen"})).id
        self.monthly = await self.add_price(1000, "month")
        self.larger = await self.add_price(3000, "month")
        self.yearly = await self.add_price(10000, "year")

    async def add_price(self, amount: int, interval: str) -> str:
        price = await self.sdk.prices.create_async(
            {
                "product": self.product,
                "unit_amount": amount,
                "currency": "eur",
                "recurring": {"interval": interval},
            }
        )
        return price.id

    async def add_customer(
        self, email: str = "ada@example.com", card: str = "pm_card_visa", clock: str | None = None
    ) -> str:
        """A customer whose default payment method is one of Stripe's test cards."""
        parameters: CustomerCreateParams = {"email": email, "name": "Ada"}
        if clock:
            parameters["test_clock"] = clock
        customer = await self.sdk.customers.create_async(parameters)
        await self.set_card(customer.id, card)
        return customer.id

    async def set_card(self, customer: str, card: str) -> str:
        method = await self.sdk.payment_methods.attach_async(card, {"customer": customer})
        await self.sdk.customers.update_async(
            customer, {"invoice_settings": {"default_payment_method": method.id}}
        )
        return method.id

    async def subscribe(
        self, customer: str, price: str | None = None, trial_days: int = 0
    ) -> stripe.Subscription:
        return await self.sdk.subscriptions.create_async(
            {
                "customer": customer,
                "items": [{"price": price or self.monthly}],
                "trial_period_days": trial_days,
            }
        )

    async def set(self, **switches: Any) -> None:
        """Turn the sandbox's switches for this account."""
        answer = await self._control.post(
            f"{self.url}/_control/settings",
            content=msgspec.json.encode(switches),
            headers={"authorization": f"Bearer {self.key}", "content-type": "application/json"},
        )
        assert answer.status_code == 200, answer.text


@contextlib.asynccontextmanager
async def open_shop(url: str, key: str) -> AsyncIterator[Shop]:
    """A new shop, whose connections are closed in the end."""
    transport = Transport()
    async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITIES) as control:
        shop = Shop(url, key, transport, control)
        await shop.open()
        yield shop
        await transport.close_async()


async def add_portal(
    settings: Settings, urls: DatabaseUrls, db: Database, key: str, slug: str = "lumen"
) -> UUID:
    """A tenant whose provider is the shop with this key."""
    tenant = await add_merchant(registry_for(urls, db), slug, slug.title())
    await set_secret(settings, db, tenant.id, SECRET_KEY, key)
    await set_secret(settings, db, tenant.id, WEBHOOK_SECRET, SIGNING_SECRET)
    return tenant.id


async def set_secret(
    settings: Settings, db: Database, tenant_id: UUID, name: str, value: str
) -> None:
    async with db.unit(tenant_id) as unit:
        await Vault(settings.master_keys).store(unit.connection, tenant_id, name, value)
