"""Prices as the mirror holds them."""

from typing import Literal

import msgspec

from guichet.db import Unit
from guichet.money import Money

Interval = Literal["day", "week", "month", "year"]


class Price(msgspec.Struct, frozen=True):
    """A price with its product's name; the shape of the view `price_documents`."""

    id: str
    product_id: str
    product: str
    #: For one unit and one interval; None where it is tiered or finer than the minor unit.
    amount: Money | None
    currency: str
    #: None for a price that is charged once.
    interval: Interval | None
    interval_count: int | None
    active: bool


async def find_prices(unit: Unit, price_ids: list[str]) -> dict[str, Price]:
    """The mirrored prices with these ids, by id; unknown ones are left out."""
    documents = await unit.fetch(
        """
        select document::text
        from price_documents
        where tenant_id = $1
        and id = any($2::text[])
        """,
        unit.tenant_id,
        price_ids,
    )
    prices = (msgspec.json.decode(row["document"], type=Price) for row in documents)
    return {price.id: price for price in prices}
