"""The whole platform as a person runs it, and the merchants' own side of it."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
from stripe import Invoice, Subscription

from guichet.db import Database, connect
from guichet.demo.history import stripe_client
from guichet.demo.merchants import ALL, Merchant
from guichet.embedded.programs import free_port
from guichet.payments.choose import SECRET_KEY
from guichet.settings import Settings, read_settings
from tenants.tenant import find_tenant
from tenants.vault import Vault
from tests.demo.running import RunningDemo

#: How long an event may take from the provider to the mirror on a busy machine.
_ARRIVAL_SECONDS = 30
_POLL_SECONDS = 0.1


class Buyer(msgspec.Struct, frozen=True):
    """A customer of one merchant whom nobody else uses."""

    email: str
    customer_id: str
    subscription_id: str


class Shopfront:
    """One merchant of the demo: its portal's address, and its account at the sandbox."""

    def __init__(self, platform: "Platform", merchant: Merchant, tenant_id: UUID, key: str) -> None:
        self.merchant = merchant
        self.tenant_id = tenant_id
        self.origin = f"http://{merchant.slug}.{platform.settings.base_domain}"
        self.stripe = stripe_client(key, platform.settings.stripe_url)
        self.prices: dict[str, str] = {}
        self._platform = platform
        self._key = key

    async def read_prices(self) -> None:
        """Learn the prices' ids by the offers' keys."""
        found = await self.stripe.v1.prices.list_async({"limit": 100})
        self.prices = {price.lookup_key or "": price.id for price in found.data}

    async def new_buyer(self, plan: str, card: str = "pm_card_visa") -> Buyer:
        """Somebody buys at the merchant; the mirror has learnt of it when this returns."""
        email = f"{secrets.token_hex(5)}@example.com"
        await self._platform.introduce(email)
        customer = await self.stripe.v1.customers.create_async(
            {"email": email, "name": "Béatrice Dubois"}
        )
        await self.use_card(customer.id, "pm_card_visa")
        subscription = await self.stripe.v1.subscriptions.create_async(
            {"customer": customer.id, "items": [{"price": self.prices[plan]}]}
        )
        if card != "pm_card_visa":
            await self.use_card(customer.id, card)
        buyer = Buyer(email, customer.id, subscription.id)
        await self._arrived(buyer)
        return buyer

    async def use_card(self, customer_id: str, card: str) -> None:
        """Attach a test card and make it the default."""
        method = await self.stripe.v1.payment_methods.attach_async(card, {"customer": customer_id})
        await self.stripe.v1.customers.update_async(
            customer_id, {"invoice_settings": {"default_payment_method": method.id}}
        )

    async def invoices(self, buyer: Buyer) -> list[Invoice]:
        """The buyer's invoices at the provider, newest first."""
        found = await self.stripe.v1.invoices.list_async(
            {"customer": buyer.customer_id, "limit": 100}
        )
        return found.data

    async def subscription(self, buyer: Buyer) -> Subscription:
        """The buyer's subscription as the provider has it."""
        return await self.stripe.v1.subscriptions.retrieve_async(buyer.subscription_id)

    async def plan(self, buyer: Buyer) -> str:
        """The key of the offer that the buyer is on at the provider."""
        price_id = (await self.subscription(buyer))["items"].data[0].price.id
        return next(key for key, known in self.prices.items() if known == price_id)

    async def changes(self, buyer: Buyer) -> list[str]:
        """The states of all changes that the buyer asked for, in order."""
        async with self._platform.db.unit(self.tenant_id) as unit:
            rows = await unit.fetch(
                """
                select state
                from change_requests
                where tenant_id = $1
                and customer_id = $2
                order by started_at
                """,
                self.tenant_id,
                buyer.customer_id,
            )
        return [row["state"] for row in rows]

    async def buyer(self, email: str) -> Buyer:
        """One of the demo's people with their newest subscription."""
        (customer,) = (await self.stripe.v1.customers.list_async({"email": email})).data
        found = await self.stripe.v1.subscriptions.list_async({"customer": customer.id, "limit": 1})
        return Buyer(email, customer.id, found.data[0].id)

    async def owed(self, buyer: Buyer) -> int:
        """What the buyer's newest invoice leaves open, in minor units."""
        return (await self.invoices(buyer))[0].amount_remaining

    async def charges(self, buyer: Buyer) -> list[str]:
        """What became of each charge of the buyer's newest invoice, oldest first."""
        invoice = (await self.invoices(buyer))[0]
        payments = await self.stripe.v1.invoice_payments.list_async({"invoice": invoice.id})
        intents = [str(payment.payment.payment_intent) for payment in payments.data]
        charges = [
            charge
            for intent in intents
            for charge in (await self.stripe.v1.charges.list_async({"payment_intent": intent})).data
        ]
        # Lists are newest first, and a clock that stands still gives many of them one time.
        charges.reverse()
        return [charge.status for charge in sorted(charges, key=lambda charge: charge.created)]

    async def standing(self, buyer: Buyer) -> tuple[str, str]:
        """The state of the buyer's newest case, and the access that the subscription gives."""
        async with self._platform.db.unit(self.tenant_id) as unit:
            row = await unit.fetchrow(
                """
                select
                  failed.state,
                  subscription.access
                from dunning_cases as failed
                join subscriptions as subscription
                  on subscription.tenant_id = failed.tenant_id
                  and subscription.id = failed.subscription_id
                where failed.tenant_id = $1
                and failed.customer_id = $2
                order by failed.opened_at desc
                limit 1
                """,
                self.tenant_id,
                buyer.customer_id,
            )
        assert row
        return row["state"], row["access"]

    async def count_customers(self) -> tuple[int, int]:
        """How many customers the provider has, and how many the mirror."""
        there = await self.stripe.v1.customers.list_async({"limit": 100})
        async with self._platform.db.unit(self.tenant_id) as unit:
            here = await unit.fetchval(
                "select count(*) from customers where tenant_id = $1", self.tenant_id
            )
        return len(there.data), here

    async def end_sessions(self, buyer: Buyer) -> None:
        """Let the buyer's sessions be as old as they can get."""
        async with self._platform.db.unit(self.tenant_id) as unit:
            await unit.execute(
                """
                update sessions
                set expires_at = now()
                where tenant_id = $1
                and customer_id = $2
                """,
                self.tenant_id,
                buyer.customer_id,
            )

    @contextlib.asynccontextmanager
    async def misbehaving(self, **switches: object) -> AsyncIterator[None]:
        """Have the sandbox fail or dawdle for this merchant, until the block ends."""
        await self._set(switches)
        try:
            yield
        finally:
            await self._set({"latency_ms": 0, "fail_next_requests": []})

    async def _set(self, switches: dict[str, object]) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                f"{self._platform.settings.stripe_url}/_control/settings",
                headers={"authorization": f"Bearer {self._key}"},
                json=switches,
            )
        assert answer.status_code == 200, answer.text

    async def _arrived(self, buyer: Buyer) -> None:
        """Wait until the events have brought the purchase and the card into the mirror."""
        for _ in range(round(_ARRIVAL_SECONDS / _POLL_SECONDS)):
            async with self._platform.db.unit(self.tenant_id) as unit:
                known = await unit.fetchval(
                    """
                    select true
                    from subscriptions as subscription
                    join invoices as invoice
                      on invoice.tenant_id = subscription.tenant_id
                      and invoice.customer_id = subscription.customer_id
                    join customers as customer
                      on customer.tenant_id = subscription.tenant_id
                      and customer.id = subscription.customer_id
                    where subscription.tenant_id = $1
                    and subscription.id = $2
                    and subscription.status = 'active'
                    and invoice.status = 'paid'
                    """,
                    self.tenant_id,
                    buyer.subscription_id,
                )
            if known:
                return
            await asyncio.sleep(_POLL_SECONDS)
        raise AssertionError(f"the purchase of {buyer} never arrived")


class Platform:
    """The demo in processes of its own; what tests change in it, they change from outside."""

    def __init__(self, demo: RunningDemo, settings: Settings, issuer: str, db: Database) -> None:
        self.demo = demo
        self.settings = settings
        self.issuer = issuer
        self.db = db
        self.shopfronts: dict[str, Shopfront] = {}

    @property
    def base_url(self) -> str:
        """The address without a tenant, where the demo lists its portals."""
        return f"http://{self.settings.base_domain}"

    async def introduce(self, subject: str, **claims: object) -> None:
        """Have the identity provider vouch for somebody, unless the claims say otherwise."""
        told = {"email": subject, "email_verified": True, **claims}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.put(f"{self.issuer}/users/{subject}", json=told)
        assert answer.status_code == 204, answer.text

    def environ(self) -> dict[str, str]:
        """What the web process has in its environment."""
        return self.demo.process("serve").environ()

    async def find_merchants(self) -> None:
        """Open the merchants' accounts with the keys that the vault holds."""
        vault = Vault(self.settings.master_keys)
        for merchant in ALL:
            async with self.db.system() as connection:
                tenant = await find_tenant(connection, merchant.slug)
            async with self.db.unit(tenant.id) as unit:
                key = await vault.open(unit.connection, tenant.id, SECRET_KEY)
            assert key
            shopfront = Shopfront(self, merchant, tenant.id, key)
            await shopfront.read_prices()
            self.shopfronts[merchant.slug] = shopfront


@contextlib.asynccontextmanager
async def running_platform(directory: Path) -> AsyncIterator[Platform]:
    """Start the demo in a fresh home, and stop it."""
    demo = RunningDemo(directory / "home", free_port())
    try:
        await asyncio.to_thread(demo.start)
        settings = read_settings(demo.process("serve").environ())
        issuer = f"http://127.0.0.1:{_port(demo, 'identity')}"
        async with connect(settings.database_url, connections=4) as db:
            platform = Platform(demo, settings, issuer, db)
            await platform.find_merchants()
            yield platform
    finally:
        await asyncio.to_thread(demo.stop)


def _port(demo: RunningDemo, name: str) -> Any:
    return msgspec.json.decode((demo.home / "ports.json").read_bytes())[name]
