"""What a merchant sells, and for less."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec


class ProductCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A product; `unit_label` names one of what is counted, such as `seat`."""

    id: str
    name: str
    description: str | None
    unit_label: str | None
    default_price_id: str | None
    active: bool


class TierCopy(msgspec.Struct, frozen=True, kw_only=True):
    """One tier of a price: up to and including so many units, or, where None, all that follow."""

    up_to: int | None
    unit_amount: Decimal | None
    flat_amount: Decimal | None


class CurrencyOptionCopy(msgspec.Struct, frozen=True, kw_only=True):
    """What a price is in another currency than its own."""

    currency: str
    unit_amount: Decimal | None
    tiers: tuple[TierCopy, ...]


class PriceCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A price: per unit, per package of `package_size` units, or in tiers."""

    id: str
    product_id: str
    currency: str
    #: In minor units; None where it is tiered, or finer than a minor unit.
    unit_amount: int | None
    #: As `unit_amount`, however fine; None where it is tiered.
    unit_amount_exact: Decimal | None
    #: None for a price that is charged once.
    interval: Literal["day", "week", "month", "year"] | None
    interval_count: int | None
    #: None for a price that is charged once.
    usage: Literal["licensed", "metered"] | None
    tiers_mode: Literal["graduated", "volume"] | None
    tiers: tuple[TierCopy, ...]
    package_size: int | None
    package_round: Literal["up", "down"] | None
    #: By currency, without the price's own.
    currency_options: tuple[CurrencyOptionCopy, ...]
    nickname: str | None
    lookup_key: str | None
    active: bool


class CouponCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A discount's terms: a share of the price, or an amount in one currency."""

    id: str
    name: str | None
    percent_off: Decimal | None
    amount_off: int | None
    currency: str | None
    duration: Literal["forever", "once", "repeating"]
    duration_in_months: int | None
    #: Empty where it applies to everything.
    product_ids: tuple[str, ...]
    redeem_by_at: datetime | None
    valid: bool


class PromotionCodeCopy(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer types to get a coupon, with who may use it and when."""

    id: str
    code: str
    coupon: CouponCopy
    #: The only customer who may use it; None where everybody may.
    customer_id: str | None
    first_time_only: bool
    minimum_amount: int | None
    minimum_currency: str | None
    expires_at: datetime | None
    active: bool
