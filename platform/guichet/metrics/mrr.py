"""Monthly recurring revenue, as Stripe's Billing analytics define it.

It is the sum of what active and past due subscriptions come to in a month: without trials, taxes,
one-time charges, metered and free prices. A coupon for ever lowers it, one for a time does not.
https://docs.stripe.com/billing/subscriptions/analytics/glossary and
https://support.stripe.com/questions/billing-analytics
"""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

from guichet.payments.copies import CurrencyOptionCopy, PriceCopy, TierCopy

#: A year has 365 days or 52 weeks, and a month is a twelfth of it.
_A_MONTH = {
    "day": Fraction(365, 12),
    "week": Fraction(52, 12),
    "month": Fraction(1),
    "year": Fraction(1, 12),
}
_HUNDRED = 100

#: By currency, in minor units.
Revenue = dict[str, int]


class Item(msgspec.Struct, frozen=True, array_like=True):
    """So many of a price; None for a metered one."""

    price_id: str
    quantity: int | None


class Discount(msgspec.Struct, frozen=True, array_like=True):
    """A coupon for ever: a share in percent, or an amount of each invoice."""

    percent_off: Decimal | None
    amount_off: int | None


class Subscriptions(msgspec.Struct, frozen=True):
    """Subscriptions that are alike, and how many there are."""

    currency: str
    items: tuple[Item, ...]
    discounts: tuple[Discount, ...]
    count: int


def sum_up(held: Iterable[Subscriptions], prices: Mapping[str, PriceCopy]) -> Revenue:
    """The revenue of all, exact until it is rounded to whole minor units at the end.

    A price that the mirror has not seen yet counts for nothing.
    """
    totals: dict[str, Fraction] = {}
    for alike in held:
        value = alike.count * _monthly(alike, prices)
        totals[alike.currency] = totals.get(alike.currency, Fraction(0)) + value
    return {
        currency: math.floor(total + Fraction(1, 2))
        for currency, total in sorted(totals.items())
        if total
    }


def monthly(price: PriceCopy, quantity: int | None, currency: str) -> Fraction:
    """What so many of a price come to in a month, in minor units; 0 where it does not recur."""
    if price.interval is None or price.usage == "metered" or quantity is None:
        return Fraction(0)
    return _charge(price, quantity, currency) * _pace(price)


def _monthly(alike: Subscriptions, prices: Mapping[str, PriceCopy]) -> Fraction:
    items = [(prices[it.price_id], it.quantity) for it in alike.items if it.price_id in prices]
    value = sum((monthly(price, count, alike.currency) for price, count in items), Fraction(0))
    if not value:
        return value
    # What is taken off is taken off each invoice, so it comes as often as they do.
    pace = max(_pace(price) for price, _ in items if price.interval)
    for discount in alike.discounts:
        if discount.percent_off is not None:
            value *= 1 - Fraction(discount.percent_off) / _HUNDRED
        elif discount.amount_off is not None:
            value -= discount.amount_off * pace
    return max(value, Fraction(0))


def _pace(price: PriceCopy) -> Fraction:
    """How often in a month the price is charged."""
    return _A_MONTH[price.interval or "month"] / (price.interval_count or 1)


def _charge(price: PriceCopy, quantity: int, currency: str) -> Fraction:
    """What one invoice asks for so many."""
    option = _in_currency(price, currency)
    if option is None:
        return Fraction(0)
    if price.tiers_mode is not None:
        return _charge_tiers(price.tiers_mode, option.tiers, quantity)
    if price.package_size:
        packages, rest = divmod(quantity, price.package_size)
        quantity = packages + (1 if rest and price.package_round == "up" else 0)
    return Fraction(option.unit_amount or 0) * quantity


def _in_currency(price: PriceCopy, currency: str) -> CurrencyOptionCopy | None:
    if price.currency == currency:
        amount = price.unit_amount_exact
        if amount is None and price.unit_amount is not None:
            amount = Decimal(price.unit_amount)
        return CurrencyOptionCopy(currency=currency, unit_amount=amount, tiers=price.tiers)
    return next((it for it in price.currency_options if it.currency == currency), None)


def _charge_tiers(
    mode: Literal["graduated", "volume"], tiers: tuple[TierCopy, ...], quantity: int
) -> Fraction:
    """Graduated tiers charge each unit by the tier it is in, volume tiers all by the last one's."""
    total, below = Fraction(0), 0
    for tier in tiers:
        reached = quantity if tier.up_to is None else min(quantity, tier.up_to)
        is_last = tier.up_to is None or quantity <= tier.up_to
        if mode == "graduated" or is_last:
            units = reached - below if mode == "graduated" else quantity
            total += Fraction(tier.unit_amount or 0) * units + Fraction(tier.flat_amount or 0)
        if is_last:
            return total
        below = reached
    return total
