"""One merchant of a year: an account at the sandbox, its clock, its people, and our tenant."""

import asyncio
import time
from datetime import UTC, datetime
from random import Random
from uuid import UUID

import httpx
import msgspec
import stripe

from guichet.db import LOST, Database
from guichet.errors import Unavailable
from tenants.configuration import load_published, publish
from tenants.retries import RetryPolicy
from tests.shops import Shop
from tests.soak import weather
from tests.years.people import CARDS, Person, declines
from tests.years.policies import Plan

#: What may go wrong for a merchant in bad weather; they try again another day.
FAILURES = (stripe.StripeError, OSError, httpx.TransportError)
_PLAIN = 2
_AMOUNT = 1900


class Merchant:
    """What a year is lived with. `chance` makes all of its choices."""

    def __init__(
        self, shop: Shop, tenant_id: UUID, db: Database, plan: Plan, chance: Random
    ) -> None:
        self.shop = shop
        self.tenant_id = tenant_id
        self.db = db
        self.plan = plan
        self.chance = chance
        self.people: list[Person] = []
        self.clock = ""
        self.now = int(time.time()) // 3600 * 3600
        #: The policies that were published, and since when by the clock.
        self.policies: list[tuple[datetime, RetryPolicy]] = []

    @property
    def sdk(self) -> stripe.V1Services:
        return self.shop.sdk

    async def settle_in(self, people: int) -> None:
        """The clock begins now, and everybody subscribes with a card that pays."""
        clocks = self.sdk.test_helpers.test_clocks
        self.clock = (await clocks.create_async({"frozen_time": self.now})).id
        price = await self.shop.add_price(_AMOUNT, self.plan.interval)
        self.people = await asyncio.gather(
            *(self._subscribe(number, people, price) for number in range(people))
        )
        for person in self.people[:_PLAIN]:
            person.is_plain = True

    async def _subscribe(self, number: int, people: int, price: str) -> Person:
        shares = people - number <= self.plan.sharers
        card = self.plan.shared_card if shares else CARDS[number % len(CARDS)]
        email = f"{number}@{self.plan.name.replace(' ', '-').replace(chr(39), '')}.example.com"
        customer = await self.shop.add_customer(email.lower().replace(",", ""), card, self.clock)
        held = await self.sdk.customers.retrieve_async(customer)
        method = held.invoice_settings and held.invoice_settings.default_payment_method
        subscription = await self.shop.subscribe(customer, price)
        return Person(customer, str(method), subscription.id)

    async def publish(self, policy: RetryPolicy) -> None:
        """Have failed payments treated so from now on; a database that is away is waited for."""
        while True:
            try:
                async with self.db.unit(self.tenant_id) as unit:
                    published = await load_published(unit.connection, self.tenant_id)
                    after = msgspec.structs.replace(published.configuration, retries=policy)
                    await publish(unit.connection, self.tenant_id, after, "test")
            except (Unavailable, OSError, *LOST):
                continue
            break
        self.policies.append((datetime.fromtimestamp(self.now, UTC), policy))

    async def set_cards(self) -> None:
        """Have the sandbox refuse the cards that are ill, and no others."""
        await weather.turn(self.shop, declines=declines(self.people))

    async def open_invoices(self) -> list[stripe.Invoice]:
        """At most 100 that somebody owes."""
        try:
            listed = await self.sdk.invoices.list_async({"status": "open", "limit": 100})
        except FAILURES:
            return []
        return list(listed.data)
