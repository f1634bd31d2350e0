"""Periods, prorations and amounts, apart from any server."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stripe_sandbox.catalog.pricing import amount_for, money
from stripe_sandbox.passing_time.calendar import Period, after, period_around
from stripe_sandbox.subscriptions.prorations import (
    Debit,
    credits_for,
    remaining_debits,
    rounded,
    share,
    spread,
)

_MOMENTS = st.integers(min_value=1_600_000_000, max_value=2_000_000_000)
_INTERVALS = st.sampled_from(["day", "week", "month", "year"])


def _moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_the_31st_returns_after_shorter_months() -> None:
    anchor = _moment("2026-01-31T09:30:00")
    ends = [datetime.fromtimestamp(after(anchor, "month", n), UTC) for n in range(1, 5)]
    assert [f"{end:%m-%d %H:%M}" for end in ends] == [
        "02-28 09:30", "03-31 09:30", "04-30 09:30", "05-31 09:30",
    ]  # fmt: skip


def test_a_leap_day_is_billed_on_the_28th_in_other_years() -> None:
    anchor = _moment("2028-02-29T00:00:00")
    years = [datetime.fromtimestamp(after(anchor, "year", n), UTC) for n in (1, 4)]
    assert [f"{year:%Y-%m-%d}" for year in years] == ["2029-02-28", "2032-02-29"]


@given(_MOMENTS, _INTERVALS, st.integers(1, 12), _MOMENTS)
def test_every_moment_is_in_exactly_the_period_that_is_found_for_it(
    anchor: int, interval: str, count: int, moment: int
) -> None:
    period = period_around(anchor, interval, count, moment)
    assert period.start <= moment < period.end
    assert period_around(anchor, interval, count, period.end).start == period.end


@pytest.mark.parametrize(
    ("amount", "expected"), [("0.5", 1), ("1.5", 2), ("2.49", 2), ("-0.5", -1), ("-2.5", -3)]
)
def test_halves_are_rounded_away_from_zero(amount: str, expected: int) -> None:
    assert rounded(Fraction(amount)) == expected


def test_half_a_month_of_ten_dollars_is_five() -> None:
    assert share(1_000, Period(0, 2_592_000), 1_296_000) == 500


@st.composite
def _debit_and_moment(draw: st.DrawFn) -> tuple[Debit, int]:
    start = draw(st.integers(0, 10_000_000))
    end = start + draw(st.integers(1, 40_000_000))
    return Debit(draw(st.integers(0, 10**9)), start, end), draw(st.integers(start, end))


@given(_debit_and_moment())
def test_what_is_given_back_and_what_is_kept_add_up_to_what_was_billed(
    case: tuple[Debit, int],
) -> None:
    debit, moment = case
    returned = sum(amount for _, amount in credits_for([debit], moment))
    kept = sum(each.amount for each in remaining_debits([debit], moment))
    if debit.start < moment < debit.end:
        assert returned + kept == debit.amount
    assert 0 <= returned <= debit.amount


@given(_debit_and_moment(), st.integers(0, 10**9))
def test_a_change_and_back_at_the_same_second_costs_nothing(
    case: tuple[Debit, int], new_amount: int
) -> None:
    debit, moment = case
    if not debit.start < moment < debit.end:
        return
    period, rest = Period(debit.start, debit.end), Period(moment, debit.end)
    first_credit = sum(amount for _, amount in credits_for([debit], moment))
    changed = [
        *remaining_debits([debit], moment),
        Debit(share(new_amount, period, moment), *rest),
    ]
    second_credit = sum(amount for _, amount in credits_for(changed, moment))
    back = share(debit.amount, period, moment)
    assert -first_credit + changed[-1].amount - second_credit + back == 0


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_what_is_spread_adds_up(total: int, weights: list[int]) -> None:
    parts = spread(total, weights)
    assert sum(parts) == (total if sum(weights) else 0)


_TIERS = [
    {"up_to": 5, "unit_amount_decimal": "500", "flat_amount": None},
    {"up_to": 10, "unit_amount_decimal": "400", "flat_amount": 100},
    {"up_to": None, "unit_amount_decimal": "300", "flat_amount": None},
]


@pytest.mark.parametrize(
    ("mode", "quantity", "expected"),
    [
        ("graduated", 5, 2_500), ("graduated", 6, 2_500 + 400 + 100),
        ("graduated", 12, 2_500 + 2_000 + 100 + 600), ("volume", 5, 2_500),
        ("volume", 6, 2_500), ("volume", 12, 3_600),
    ],
)  # fmt: skip
def test_tiers_are_charged_by_their_mode(mode: str, quantity: int, expected: int) -> None:
    price = {
        "transform_quantity": None,
        "billing_scheme": "tiered",
        "_tiers": _TIERS,
        "tiers_mode": mode,
    }
    assert amount_for(price, quantity) == expected


def test_packages_are_rounded_as_they_say() -> None:
    package = {"divide_by": 100, "round": "up"}
    price = {
        "transform_quantity": package,
        "billing_scheme": "per_unit",
        "unit_amount_decimal": "250",
    }
    assert amount_for(price, 101) == 500
    package["round"] = "down"
    assert amount_for(price, 199) == 250


def test_money_is_written_in_the_currencys_own_digits() -> None:
    written = [money(-1250, "usd"), money(1250, "jpy"), money(1250, "kwd")]
    assert written == ["-$12.50", "¥1,250", "1.250 KWD"]
