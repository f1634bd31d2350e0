"""The networks' caps: how many tries fit into which period, and what forbids a card for good."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guichet.billing.dunning.decisions.caps import MASTERCARD, VISA, CardCharge, room

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def _ago(*ages: timedelta, by_customer: bool = False) -> list[CardCharge]:
    return [CardCharge(NOW - age, is_merchant_initiated=not by_customer) for age in ages]


def _charge(days: int, own: bool, codes: dict[str, str]) -> CardCharge:
    return msgspec.structs.replace(CardCharge(NOW - days * DAY, own), **codes)


def _every(gap: timedelta, number: int) -> list[CardCharge]:
    return _ago(*(gap * (place + 1) for place in range(number)))


@pytest.mark.parametrize(
    ("network", "gap", "most", "free_after", "cap"),
    [
        ("visa", DAY, 20, 10 * DAY, "visa_30_days"),
        ("mastercard", timedelta(hours=2), 10, timedelta(hours=4), "mastercard_24_hours"),
        ("mastercard", DAY * 0.8, 35, DAY * 2, "mastercard_30_days"),
        ("amex", timedelta(hours=2), 10, timedelta(hours=4), "mastercard_24_hours"),
        (None, DAY, 20, 10 * DAY, "visa_30_days"),
    ],
)
def test_one_less_than_the_cap_leaves_room_and_the_cap_leaves_none(
    network: str | None, gap: timedelta, most: int, free_after: timedelta, cap: str
) -> None:
    assert room(network, _every(gap, most - 1), NOW) == (None, False, None)
    held = room(network, _every(gap, most), NOW)
    assert held == (NOW + free_after, False, cap)


def test_there_is_room_again_at_the_time_that_was_told() -> None:
    charges = _every(DAY, 25)
    held = room("visa", charges, NOW)
    assert held.allowed_at == NOW + 10 * DAY
    assert room("visa", charges, held.allowed_at - timedelta(seconds=1)).allowed_at
    assert room("visa", charges, held.allowed_at) == (None, False, None)


def test_a_customer_s_own_charges_use_up_nothing() -> None:
    ages = [timedelta(minutes=place) for place in range(50)]
    assert room("mastercard", _ago(*ages, by_customer=True), NOW) == (None, False, None)


@pytest.mark.parametrize(
    ("network", "codes"),
    [
        ("visa", {"network_decline_code": "43"}),
        ("visa", {"network_decline_code": "R1"}),
        ("mastercard", {"network_advice_code": "03"}),
        ("mastercard", {"network_advice_code": "21"}),
        ("amex", {"decline_code": "stolen_card"}),
        (None, {"network_decline_code": "04"}),
    ],
)
@pytest.mark.parametrize("own", [True, False])
def test_a_card_that_its_network_forbids_is_banned_however_long_ago(
    network: str | None, codes: dict[str, str], own: bool
) -> None:
    charge = _charge(400, own, codes)
    assert room(network, [charge], NOW).is_banned


@pytest.mark.parametrize(
    ("network", "codes"),
    [
        ("visa", {"network_decline_code": "51"}),
        ("visa", {"network_advice_code": "03"}),
        ("mastercard", {"network_advice_code": "02"}),
        ("mastercard", {"network_decline_code": "57"}),
    ],
)
def test_another_decline_bans_nothing(network: str, codes: dict[str, str]) -> None:
    assert not room(network, [_charge(1, True, codes)], NOW).is_banned


def test_nothing_lifts_a_ban() -> None:
    banned = CardCharge(NOW - 200 * DAY, True, "43")
    paid = CardCharge(NOW - DAY, False, succeeded=True)
    assert room("visa", [paid, banned], NOW).is_banned
    assert not room("visa", [paid], NOW).is_banned


@settings(max_examples=50, deadline=None)
@given(
    network=st.sampled_from(["visa", "mastercard", "amex", None]),
    minutes=st.lists(st.integers(0, 45 * 24 * 60), min_size=30, max_size=80),
)
def test_who_waits_for_room_never_exceeds_a_cap(network: str | None, minutes: list[int]) -> None:
    """Each wish is carried out as soon as there is room for it; then every period is counted."""
    caps = {"visa": VISA, "mastercard": MASTERCARD}.get(network or "", VISA + MASTERCARD)
    made: list[CardCharge] = []
    for minute in sorted(minutes):
        at = max([NOW + timedelta(minutes=minute), *(it.at for it in made)])
        while (held := room(network, made, at)).allowed_at:
            assert held.allowed_at > at
            at = held.allowed_at
        made.append(CardCharge(at, is_merchant_initiated=True))
    for cap in caps:
        for charge in made:
            within = [it for it in made if charge.at <= it.at < charge.at + cap.period]
            assert len(within) <= cap.most
