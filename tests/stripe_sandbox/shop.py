"""A small catalog and a customer, made through the API, for tests to begin with."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stripe

from tests.stripe_sandbox.program import Account

DAY = 86_400
# A start at the end of a month that shorter months follow.
START = int(datetime(2026, 1, 31, 9, 30, tzinfo=UTC).timestamp())


@dataclass
class Shop:
    """A customer on a test clock, with a card, and prices to choose from."""

    account: Account
    clock: str
    customer: str
    product: str

    async def price(
        self, amount: int, interval: str = "month", count: int = 1, currency: str = "usd"
    ) -> str:
        """A new recurring price."""
        price = await self.account.v1.prices.create_async(
            {
                "product": self.product,
                "currency": currency,
                "unit_amount": amount,
                "recurring": {"interval": interval, "interval_count": count},
            }
        )
        return price.id

    async def subscribe(self, price: str, **params: Any) -> stripe.Subscription:
        """A subscription of the customer's to one price."""
        items = [{"price": price, "quantity": params.pop("quantity", 1)}]
        asked: Any = {"customer": self.customer, "items": items, **params}
        return await self.account.v1.subscriptions.create_async(asked)

    async def now(self) -> int:
        """The time on the clock."""
        found = await self.account.v1.test_helpers.test_clocks.retrieve_async(self.clock)
        return found.frozen_time

    async def advance(self, to: int) -> None:
        """Advance the clock and wait until it has arrived."""
        clocks = self.account.v1.test_helpers.test_clocks
        clock = await clocks.advance_async(self.clock, {"frozen_time": to})
        while clock.status != "ready":
            clock = await clocks.retrieve_async(self.clock)

    async def invoices(self) -> list[stripe.Invoice]:
        """All invoices of the customer, newest first."""
        found = self.account.v1.invoices.list_async({"customer": self.customer, "limit": 100})
        return [invoice async for invoice in (await found).auto_paging_iter()]

    async def refuse_card(self, decline_code: str) -> None:
        """From now on every charge of the customer's card is declined."""
        customer = await self.account.v1.customers.retrieve_async(self.customer)
        assert customer.invoice_settings
        method = str(customer.invoice_settings.default_payment_method)
        await self.account.set(declines={method: decline_code})

    async def events(self, *types: str) -> list[stripe.Event]:
        """The account's events of these types, oldest first."""
        found = await self.account.v1.events.list_async({"types": list(types), "limit": 100})
        return [event async for event in found.auto_paging_iter()][::-1]


async def open_shop(account: Account, card: str = "pm_card_visa", start: int = START) -> Shop:
    """A clock, a customer who lives in its time and pays by this card, a product."""
    clock = await account.v1.test_helpers.test_clocks.create_async({"frozen_time": start})
    customer = await account.v1.customers.create_async(
        {
            "email": "ada@example.com",
            "name": "Ada Lovelace",
            "test_clock": clock.id,
            "payment_method": card,
            "invoice_settings": {"default_payment_method": card},
        }
    )
    product = await account.v1.products.create_async({"name": "Basic"})
    return Shop(account, clock.id, customer.id, product.id)
