"""One merchant's account at the provider, with what a soak remembers of it."""

from copy import copy
from random import Random
from typing import Any, NamedTuple, TypeVar
from uuid import UUID, uuid5

import stripe

from guichet.db import Database
from guichet.payments.copies import SubscriptionCopy
from guichet.payments.stripe.adapter import Stripe
from tests.shops import Shop

_Thing = TypeVar("_Thing")


class NothingThere(Exception):
    """There is nothing yet that this could be done to."""


class Person(NamedTuple):
    """A customer, and the test clock that their time is."""

    id: str
    clock: str | None


class Account:
    """What can be chosen from; ids of what is gone stay, as they do in the world.

    `chance` makes every choice, so that a seed makes the same ones again.
    """

    def __init__(self, shop: Shop, tenant_id: UUID, db: Database, chance: Random) -> None:
        self.shop = shop
        self.tenant_id = tenant_id
        self.db = db
        self.chance = chance
        self.people: list[Person] = []
        #: A subscription's id and its customer's.
        self.subscriptions: list[tuple[str, str]] = []
        self.products = [shop.product]
        self.prices = [shop.monthly, shop.larger, shop.yearly]
        self.coupons: list[str] = []
        self.codes: list[str] = []
        self.clocks: list[str] = []

    def seen_by(self, chance: Random) -> "Account":
        """The same account, to somebody who makes choices of their own."""
        other = copy(self)
        other.chance = chance
        return other

    @property
    def sdk(self) -> stripe.V1Services:
        """The merchant's own way in."""
        return self.shop.sdk

    @property
    def port(self) -> Stripe:
        """Our way in."""
        return self.shop.port

    def pick(self, things: list[_Thing]) -> _Thing:
        """One of them, rather a late one: what is new is what is spoken of."""
        if not things:
            raise NothingThere
        recent = things[-12:] if self.chance.random() < 0.7 else things
        return self.chance.choice(recent)

    def key(self) -> str:
        """A new idempotency key."""
        return f"soak-{self.identifier()}"

    def identifier(self) -> UUID:
        return uuid5(self.tenant_id, f"{self.chance.getrandbits(128):x}")

    def word(self) -> str:
        """A name that nothing else has."""
        return f"Soak {self.chance.getrandbits(48):x}"

    def add_subscription(self, identifier: str, customer: str) -> None:
        self.subscriptions.append((identifier, customer))

    async def subscription(self) -> SubscriptionCopy:
        """One that has not ended, as it is now."""
        for _ in range(3):
            identifier, _customer = self.pick(self.subscriptions)
            found = await self.port.fetch_subscription(identifier)
            if found is not None and found.ended_at is None and found.items:
                return found
        raise NothingThere

    async def invoice(self, *statuses: str) -> stripe.Invoice:
        """One of the newest in one of these states."""
        parameters: Any = {"limit": 30}
        if len(statuses) == 1:
            parameters["status"] = statuses[0]
        if self.chance.random() < 0.5:
            parameters["customer"] = self.pick(self.people).id
        listed = await self.sdk.invoices.list_async(parameters)
        return self.pick([it for it in listed.data if it.status in statuses])

    async def card(self, customer: str) -> str:
        """A payment method that is attached to a customer."""
        parameters: Any = {"customer": customer, "limit": 20}
        listed = await self.sdk.payment_methods.list_async(parameters)
        return self.pick([it.id for it in listed.data])
