"""Prices as the mirror holds them."""

from typing import Literal

import msgspec

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
