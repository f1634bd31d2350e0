"""Monthly recurring revenue is what Stripe's analytics say it is, to the last cent."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from guichet.metrics.mrr import Discount, Item, Subscriptions, monthly, sum_up
from guichet.payments.copies import CurrencyOptionCopy, PriceCopy, TierCopy

_PRICE = PriceCopy(
    id="price_1",
    product_id="prod_1",
    currency="eur",
    unit_amount=1200,
    unit_amount_exact=Decimal(1200),
    interval="month",
    interval_count=1,
    usage="licensed",
    tiers_mode=None,
    tiers=(),
    package_size=None,
    package_round=None,
    currency_options=(),
    nickname=None,
    lookup_key=None,
    active=True,
)
_TIERS = (
    TierCopy(up_to=10, unit_amount=Decimal(100), flat_amount=Decimal(500)),
    TierCopy(up_to=None, unit_amount=Decimal(50), flat_amount=None),
)


def _held(*items: Item, discounts: tuple[Discount, ...] = (), count: int = 1) -> Subscriptions:
    return Subscriptions("eur", items, discounts, count)


def _sum(*held: Subscriptions, price: PriceCopy = _PRICE) -> dict[str, int]:
    return sum_up(held, {price.id: price})


_ONE = Item("price_1", 1)


@pytest.mark.parametrize(
    ("interval", "count", "expected"),
    [
        ("month", 1, Fraction(1200)),
        ("month", 3, Fraction(400)),
        ("year", 1, Fraction(100)),
        ("year", 2, Fraction(50)),
        ("week", 1, Fraction(1200 * 52, 12)),
        ("day", 1, Fraction(1200 * 365, 12)),
    ],
)
def test_every_interval_is_told_by_the_month(interval: str, count: int, expected: Fraction) -> None:
    price = replace(_PRICE, interval=interval, interval_count=count)
    assert monthly(price, 1, "eur") == expected


@pytest.mark.parametrize(
    "price",
    [replace(_PRICE, interval=None, interval_count=None), replace(_PRICE, usage="metered")],
)
def test_what_is_charged_once_or_metered_counts_for_nothing(price: PriceCopy) -> None:
    assert _sum(_held(_ONE), price=price) == {}


def test_a_plan_that_is_free_and_a_price_nobody_knows_count_for_nothing() -> None:
    free = replace(_PRICE, unit_amount=0, unit_amount_exact=Decimal(0))
    assert _sum(_held(_ONE), price=free) == {}
    assert _sum(_held(Item("price_unknown", 1))) == {}


def test_a_coupon_for_ever_lowers_it() -> None:
    half = Discount(Decimal(50), None)
    assert _sum(_held(_ONE, discounts=(half,))) == {"eur": 600}
    assert _sum(_held(_ONE, discounts=(half, half))) == {"eur": 300}


def test_an_amount_off_is_taken_off_each_invoice_and_never_more_than_all() -> None:
    yearly = replace(_PRICE, interval="year")
    assert _sum(_held(_ONE, discounts=(Discount(None, 240),)), price=yearly) == {"eur": 80}
    assert _sum(_held(_ONE, discounts=(Discount(None, 9_999),))) == {}


def test_it_is_rounded_once_for_all_and_not_for_each() -> None:
    yearly = replace(_PRICE, unit_amount=1000, unit_amount_exact=Decimal(1000), interval="year")
    # 83.33 each: a thousand of them are 83 333.33, and not 83 000.
    assert _sum(_held(_ONE, count=1000), price=yearly) == {"eur": 83_333}


@pytest.mark.parametrize(
    ("mode", "quantity", "expected"),
    [("graduated", 10, 1500), ("graduated", 12, 1600), ("volume", 10, 1500), ("volume", 12, 600)],
)
def test_tiers_are_charged_as_the_provider_does(mode: str, quantity: int, expected: int) -> None:
    price = replace(_PRICE, unit_amount_exact=None, tiers_mode=mode, tiers=_TIERS)
    assert monthly(price, quantity, "eur") == expected


@pytest.mark.parametrize(("rounding", "expected"), [("up", 3600), ("down", 2400)])
def test_packages_are_whole(rounding: str, expected: int) -> None:
    price = replace(_PRICE, package_size=10, package_round=rounding)
    assert monthly(price, 21, "eur") == expected


def test_another_currency_has_an_amount_of_its_own() -> None:
    option = CurrencyOptionCopy(currency="usd", unit_amount=Decimal(1300), tiers=())
    price = replace(_PRICE, currency_options=(option,))
    assert monthly(price, 1, "usd") == 1300
    assert monthly(price, 1, "chf") == 0


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 500)), max_size=6))
def test_alike_ones_counted_together_are_the_same_as_one_by_one(
    held: list[tuple[int, int]],
) -> None:
    price = replace(_PRICE, unit_amount_exact=Decimal("0.333"), interval="year")
    together = [_held(Item("price_1", quantity), count=count) for quantity, count in held]
    singly = [replace(it, count=1) for it in together for _ in range(it.count)]
    assert _sum(*together, price=price) == _sum(*singly, price=price)
