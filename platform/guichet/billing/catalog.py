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


class PricePage(msgspec.Struct, frozen=True):
    """Some of the prices, by their product's name, and where to go on."""

    prices: tuple[Price, ...]
    #: The price to go on after; None where these are the last.
    more_after: str | None


async def list_prices(
    unit: Unit, search: str = "", after: str = "", limit: int = 50, *, inactive: bool = False
) -> PricePage:
    """A page of the prices that recur: a product's name holds `search`, or an id is it.

    What is inactive at the provider is left out unless asked for.
    """
    rows = await unit.fetch(
        """
        select price.document::text
        from price_documents as price
        where price.tenant_id = $1
        and price.document ->> 'interval' is not null
        and ($5 or (price.document ->> 'active')::boolean)
        and (
          strpos(lower(price.document ->> 'product'), lower($2)) > 0
          or price.id = $2
          or price.document ->> 'product_id' = $2
        )
        and (
          $3 = ''
          or (price.document ->> 'product', price.id) > (
            select last.document ->> 'product', last.id
            from price_documents as last
            where last.tenant_id = $1
            and last.id = $3
          )
        )
        order by price.document ->> 'product', price.id
        limit $4
        """,
        unit.tenant_id,
        search.strip(),
        after,
        limit + 1,
        inactive,
    )
    prices = tuple(msgspec.json.decode(row["document"], type=Price) for row in rows)
    more = prices[limit - 1].id if len(prices) > limit else None
    return PricePage(prices[:limit], more)
