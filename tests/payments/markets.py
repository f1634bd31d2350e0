"""Prices and coupons of every shape, for amounts that have to be exact."""

from typing import Any

from guichet.payments.copies import InvoiceCopy
from tests.shops import Shop

#: Prices by their shape. Amounts are in minor units, whatever a currency's decimals.
SHAPES: dict[str, dict[str, Any]] = {
    "free": {"unit_amount": 0},
    "small": {"unit_amount": 997},
    "large": {"unit_amount": 4990},
    "fine": {"unit_amount_decimal": "33.35"},
    "package": {"unit_amount": 1500, "transform_quantity": {"divide_by": 3, "round": "up"}},
    "graduated": {
        "billing_scheme": "tiered",
        "tiers_mode": "graduated",
        "tiers": [
            {"up_to": 2, "unit_amount": 1999},
            {"up_to": "inf", "unit_amount": 1251, "flat_amount": 100},
        ],
    },
    "volume": {
        "billing_scheme": "tiered",
        "tiers_mode": "volume",
        "tiers": [{"up_to": 3, "unit_amount": 1200}, {"up_to": "inf", "unit_amount": 999}],
    },
}
ADD_ON = {"unit_amount": 451}
INTERVALS = {"monthly": ("month", 1), "quarterly": ("month", 3), "yearly": ("year", 1)}
COUPONS: dict[str, dict[str, Any]] = {
    "share for ever": {"percent_off": 12.5, "duration": "forever"},
    "share once": {"percent_off": 15, "duration": "once"},
    "share for two months": {
        "percent_off": 33,
        "duration": "repeating",
        "duration_in_months": 2,
    },
    "amount for ever": {"amount_off": 333, "duration": "forever"},
}


class Market:
    """A shop whose prices and coupons are made when they are first asked for."""

    def __init__(self, shop: Shop, currency: str) -> None:
        self.shop = shop
        self._currency = currency
        self._made: dict[tuple[str, ...], str] = {}

    async def price(self, shape: str, interval: str) -> str:
        name, count = INTERVALS[interval]
        key = ("price", shape, interval)
        if key not in self._made:
            recurring = {"interval": name, "interval_count": count}
            parameters: Any = {
                "product": self.shop.product,
                "currency": self._currency,
                "recurring": recurring,
                **SHAPES.get(shape, ADD_ON),
            }
            self._made[key] = (await self.shop.sdk.prices.create_async(parameters)).id
        return self._made[key]

    async def coupon(self, name: str) -> str:
        terms: Any = dict(COUPONS[name])
        if "amount_off" in terms:
            terms["currency"] = self._currency
        return (await self.shop.sdk.coupons.create_async(terms)).id

    async def code(self, name: str) -> str:
        parameters: Any = {"promotion": {"type": "coupon", "coupon": await self.coupon(name)}}
        return (await self.shop.sdk.promotion_codes.create_async(parameters)).id


async def invoices(shop: Shop) -> dict[str, InvoiceCopy]:
    """All of the account, by id."""
    return {invoice.id: invoice async for invoice in shop.port.list_invoices()}
