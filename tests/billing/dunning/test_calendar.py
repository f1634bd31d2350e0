"""Quiet times and pay days by the customer's clocks: over midnight, in leap days, and when they
are put forward or back.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guichet.billing.dunning.decisions.calendar import Calendar, is_pay_day, is_quiet, zones_of
from tenants.retries import QuietTimes

NIGHT = QuietTimes(from_hour=22, until_hour=8)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _calendar(zone: str, quiet: QuietTimes = NIGHT, **others: object) -> Calendar:
    return Calendar((ZoneInfo(zone),), quiet, **others)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "permitted"),
    [
        ("2026-05-05T12:00+02:00", "2026-05-05T12:00+02:00"),
        ("2026-05-05T21:59+02:00", "2026-05-05T21:59+02:00"),
        ("2026-05-05T22:00+02:00", "2026-05-06T08:00+02:00"),
        ("2026-05-06T00:30+02:00", "2026-05-06T08:00+02:00"),
        ("2026-05-06T08:00+02:00", "2026-05-06T08:00+02:00"),
    ],
)
def test_quiet_hours_go_over_midnight(wanted: str, permitted: str) -> None:
    assert _calendar("Europe/Paris").permitted(_at(wanted)) == _at(permitted)


def test_a_quiet_weekend_ends_on_monday_and_then_quiet_hours_do() -> None:
    weekend = QuietTimes(from_hour=0, until_hour=9, weekdays=(5, 6))
    found = _calendar("Asia/Tokyo", weekend).permitted(_at("2026-05-08T23:59+09:00"))
    assert found == _at("2026-05-08T23:59+09:00")
    found = _calendar("Asia/Tokyo", weekend).permitted(_at("2026-05-09T10:00+09:00"))
    assert found == _at("2026-05-11T09:00+09:00")


@pytest.mark.parametrize(
    ("zone", "quiet", "wanted", "permitted"),
    [
        # Clocks go from 02:00 to 03:00: the hour at which quiet ends is not there.
        ("America/New_York", (22, 2), "2026-03-08T01:30-05:00", "2026-03-08T03:00-04:00"),
        # An hour that is quiet, and that a night lacks.
        ("Europe/Paris", (2, 3), "2026-03-29T01:59+01:00", "2026-03-29T01:59+01:00"),
        # Clocks go back from 02:00 to 01:00: 01:00 is shown twice, and is permitted from the first.
        ("America/New_York", (22, 1), "2026-11-01T00:30-04:00", "2026-11-01T01:00-04:00"),
        # Both of the hours that look the same are quiet.
        ("America/New_York", (22, 2), "2026-11-01T01:30-04:00", "2026-11-01T02:00-05:00"),
        ("America/New_York", (22, 2), "2026-11-01T01:30-05:00", "2026-11-01T02:00-05:00"),
        # Midnight itself is skipped in Beirut: the day begins at one.
        ("Asia/Beirut", (20, 0), "2026-03-28T23:00+02:00", "2026-03-29T01:00+03:00"),
        # Half an hour's change.
        ("Australia/Lord_Howe", (22, 2), "2026-10-04T01:45+10:30", "2026-10-04T02:30+11:00"),
        # A zone that is off by a quarter of an hour.
        ("Asia/Kathmandu", (22, 8), "2026-05-05T23:00+05:45", "2026-05-06T08:00+05:45"),
    ],
)
def test_days_on_which_clocks_change(
    zone: str, quiet: tuple[int, int], wanted: str, permitted: str
) -> None:
    assert _calendar(zone, QuietTimes(*quiet)).permitted(_at(wanted)) == _at(permitted)


@settings(deadline=None)
@given(
    zone=st.sampled_from(
        ["America/New_York", "Asia/Beirut", "America/Havana", "Australia/Lord_Howe", "Asia/Tokyo"]
    ),
    from_hour=st.integers(0, 23),
    until_hour=st.integers(0, 23),
    weekdays=st.sets(st.integers(0, 6), max_size=6),
    minutes=st.integers(0, 366 * 24 * 60),
)
def test_the_moment_found_is_the_first_one_that_is_not_quiet(
    zone: str, from_hour: int, until_hour: int, weekdays: set[int], minutes: int
) -> None:
    quiet = QuietTimes(from_hour, until_hour, tuple(weekdays))
    wanted = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    found = _calendar(zone, quiet).permitted(wanted)
    assert not is_quiet(found, ZoneInfo(zone), quiet)
    step = timedelta(minutes=30)
    between = wanted
    while between < found:
        assert is_quiet(between, ZoneInfo(zone), quiet)
        between += step


@pytest.mark.parametrize(
    ("day", "pays"),
    [
        (date(2026, 1, 31), True),
        (date(2026, 1, 30), False),
        (date(2026, 4, 30), True),
        (date(2026, 2, 28), True),
        (date(2028, 2, 28), False),
        (date(2028, 2, 29), True),
        (date(2026, 4, 15), True),
    ],
)
def test_a_pay_day_that_a_month_lacks_is_its_last_day(day: date, pays: bool) -> None:
    assert is_pay_day(day, (15, 31)) is pays


@pytest.mark.parametrize(
    ("wanted", "reach", "found"),
    [
        ("2026-05-13T10:00+02:00", 3, "2026-05-15T10:00+02:00"),
        ("2026-05-13T10:00+02:00", 1, None),
        ("2026-05-15T10:00+02:00", 0, "2026-05-15T10:00+02:00"),
        ("2026-05-16T10:00+02:00", 7, None),
        ("2026-06-28T10:00+02:00", 7, "2026-06-30T10:00+02:00"),
        ("2026-03-28T10:00+01:00", 3, "2026-03-31T10:00+02:00"),
    ],
)
def test_a_pay_day_keeps_the_time_of_day(wanted: str, reach: int, found: str | None) -> None:
    calendar = _calendar("Europe/Paris", pay_days=(15, 31), reach_days=reach)
    expected = _at(found) if found else None
    assert calendar.pay_day(_at(wanted), _at("2027-01-01T00:00+00:00")) == expected


def test_a_pay_day_on_a_quiet_day_or_after_the_window_is_none() -> None:
    weekend = QuietTimes(weekdays=(5, 6))
    calendar = _calendar("UTC", weekend, pay_days=(16,), reach_days=7)  # 2026-05-16: a Saturday.
    assert calendar.pay_day(_at("2026-05-14T10:00Z"), _at("2027-01-01T00:00Z")) is None
    calendar = _calendar("UTC", pay_days=(15,), reach_days=7)
    assert calendar.pay_day(_at("2026-05-14T10:00Z"), _at("2026-05-15T10:00Z")) is None


@pytest.mark.parametrize(
    ("country", "own", "zones"),
    [
        ("FR", "America/New_York", ["Europe/Paris"]),
        ("fr", "UTC", ["Europe/Paris"]),
        ("US", "America/Chicago", ["America/Chicago"]),
        ("US", "US/Eastern", ["US/Eastern"]),
        ("ES", "UTC", ["Atlantic/Canary", "Europe/Madrid"]),
        ("DE", "UTC", ["Europe/Berlin"]),
        ("", "Asia/Tokyo", ["Asia/Tokyo"]),
        ("XX", "Asia/Tokyo", ["Asia/Tokyo"]),
        ("", "Not/AZone", ["UTC"]),
        ("", "../../etc/passwd", ["UTC"]),
    ],
)
def test_a_country_has_its_zones(country: str, own: str, zones: list[str]) -> None:
    assert [it.key for it in zones_of(country, own)] == zones


def test_in_a_country_of_several_zones_quiet_is_what_is_quiet_in_any() -> None:
    zones = zones_of("US", "Europe/Paris")
    assert len(zones) == 8
    night = Calendar(zones, NIGHT)
    assert night.permitted(_at("2026-01-05T09:00-05:00")) == _at("2026-01-05T08:00-10:00")
    # Late in New York, and an afternoon in Honolulu.
    assert night.permitted(_at("2026-01-05T22:00-05:00")) == _at("2026-01-06T08:00-10:00")


def test_where_no_hour_suits_all_zones_the_westernmost_one_decides() -> None:
    zones = zones_of("US", "Europe/Paris")
    evening = QuietTimes(from_hour=20, until_hour=18)
    found = Calendar(zones, evening).permitted(_at("2026-01-05T12:00-10:00"))
    assert found == _at("2026-01-05T18:00-10:00")
