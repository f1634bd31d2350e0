"""A year in the life of one merchant, lived at the Stripe sandbox through the official SDK.

Each merchant has one test clock. It starts a year ago, the customers buy, and the clock is
advanced to the present, so that every invoice, payment and event came about as at Stripe.
"""

import asyncio
from datetime import datetime, timedelta

import stripe

from guichet.demo.merchants import Merchant, Offer

#: How often and how long the clock's advance is asked after.
_POLL_SECONDS = 0.2
_LONGEST_ADVANCE_SECONDS = 120

#: Since Grace's last renewal; its invoice is charged an hour after it, so that yesterday it failed.
_SINCE_RENEWAL = timedelta(hours=26)


async def live_a_year(
    client: stripe.StripeClient, merchant: Merchant, now: datetime
) -> dict[str, str]:
    """Make the catalog and a year of customers; answers the prices' ids by the offers' keys."""
    year = Year(client, merchant, now)
    await year.make_catalog()
    await year.begin()
    await year.end()
    return year.prices


class Year:
    """One merchant's year: the clock, the prices, and what is bought when."""

    def __init__(self, client: stripe.StripeClient, merchant: Merchant, now: datetime) -> None:
        self.client = client
        self.merchant = merchant
        self.now = now
        self.prices: dict[str, str] = {}
        self._clock = ""
        self._customers: dict[str, str] = {}

    async def make_catalog(self) -> None:
        """One product for each name, one price for each offer."""
        products: dict[str, str] = {}
        for offer in self.merchant.offers:
            if offer.product not in products:
                made = await self.client.v1.products.create_async({"name": offer.product})
                products[offer.product] = made.id
            self.prices[offer.key] = await self._make_price(offer, products[offer.product])

    async def _make_price(self, offer: Offer, product_id: str) -> str:
        price = await self.client.v1.prices.create_async(
            {
                "product": product_id,
                "currency": self.merchant.currency,
                "unit_amount": offer.amount,
                "recurring": {"interval": offer.interval},
                "lookup_key": offer.key,
            }
        )
        return price.id

    async def begin(self) -> None:
        """A year ago: Ada, Linus, Zoé and Grace buy."""
        started = self.now - timedelta(days=369)
        clock = await self.client.v1.test_helpers.test_clocks.create_async(
            {"frozen_time": _seconds(started), "name": self.merchant.name}
        )
        self._clock = clock.id
        bought = self.merchant.purchases
        await self._arrive("ada", "Ada Lovelace", "pm_card_visa")
        await self._buy("ada", bought.ada, bought.ada_quantity)
        await self._advance(started + timedelta(days=1))
        await self._arrive("linus", "Linus Pauling", "pm_card_visa")
        self._linus_before = await self._buy("linus", bought.linus_before)
        await self._arrive("zoe", "Zoé Laurent", "pm_card_amex")
        self._zoe = await self._buy("zoe", bought.zoe)
        await self._advance(_first_day(self.now - _SINCE_RENEWAL, self._is_weekly))
        await self._arrive("grace", "Grace Hopper", "pm_card_mastercard")
        await self._buy("grace", bought.grace)

    async def end(self) -> None:
        """The last weeks: Zoé and Linus leave, Linus tries another plan, Grace's card fails."""
        await self._advance(self.now - timedelta(days=45))
        await self.client.v1.subscriptions.update_async(self._zoe, {"cancel_at_period_end": True})
        await self.client.v1.subscriptions.cancel_async(self._linus_before)
        await self._renew_card("ada")
        # After every renewal of hers but the last.
        await self._advance(self.now - timedelta(days=5))
        await self._use_card("grace", "pm_card_chargeCustomerFail")
        await self._advance(self.now - timedelta(days=4))
        await self.client.v1.subscriptions.create_async(
            {
                "customer": self._customers["linus"],
                "items": [{"price": self.prices[self.merchant.purchases.linus_trial]}],
                "trial_end": _seconds(self.now + timedelta(days=10)),
            }
        )
        await self._advance(self.now)

    @property
    def _is_weekly(self) -> bool:
        return self.merchant.offers[0].interval == "week"

    async def _arrive(self, who: str, name: str, card: str) -> None:
        customer = await self.client.v1.customers.create_async(
            {
                "email": f"{who}@example.com",
                "name": name,
                "test_clock": self._clock,
                "preferred_locales": [self.merchant.locale],
            }
        )
        self._customers[who] = customer.id
        await self._use_card(who, card)

    async def _renew_card(self, who: str) -> None:
        """Her bank has sent a new card with the old number; Linus' is about to expire."""
        methods = self.client.v1.payment_methods
        (held,) = (await methods.list_async({"customer": self._customers[who]})).data
        await methods.update_async(
            held.id, {"card": {"exp_month": 8, "exp_year": self.now.year + 3}}
        )

    async def _use_card(self, who: str, card: str) -> None:
        """Attach a test card and make it the default."""
        customer_id = self._customers[who]
        method = await self.client.v1.payment_methods.attach_async(card, {"customer": customer_id})
        await self.client.v1.customers.update_async(
            customer_id, {"invoice_settings": {"default_payment_method": method.id}}
        )

    async def _buy(self, who: str, key: str, quantity: int = 1) -> str:
        subscription = await self.client.v1.subscriptions.create_async(
            {
                "customer": self._customers[who],
                "items": [{"price": self.prices[key], "quantity": quantity}],
            }
        )
        return subscription.id

    async def _advance(self, to: datetime) -> None:
        clocks = self.client.v1.test_helpers.test_clocks
        await clocks.advance_async(self._clock, {"frozen_time": _seconds(to)})
        deadline = asyncio.get_running_loop().time() + _LONGEST_ADVANCE_SECONDS
        while (await clocks.retrieve_async(self._clock)).status != "ready":
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError("the sandbox's clock does not arrive")
            await asyncio.sleep(_POLL_SECONDS)


def _first_day(renewal: datetime, is_weekly: bool) -> datetime:
    """When a subscription of a year's length began that renews at this time."""
    if is_weekly:
        return renewal - timedelta(weeks=52)
    # On February 29 it renews a day early.
    day = 28 if (renewal.month, renewal.day) == (2, 29) else renewal.day
    return renewal.replace(year=renewal.year - 1, day=day)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def stripe_client(key: str, url: str) -> stripe.StripeClient:
    """A client of the sandbox for one account."""
    return stripe.StripeClient(
        key,
        base_addresses={"api": url},
        http_client=stripe.HTTPXClient(),
        max_network_retries=2,
    )
