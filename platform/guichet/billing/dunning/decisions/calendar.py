"""Quiet times and pay days by the customer's calendar, whatever its clocks do."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from babel.core import get_global

from guichet.billing.dunning.decisions.facts import Reason
from tenants.retries import QuietTimes, RetryPolicy

_DAY = timedelta(days=1)
#: Quiet times come back each week: what two weeks do not have never comes.
_HORIZON = timedelta(days=15)
_FIRST_WEEK = datetime(2026, 1, 1, tzinfo=UTC)


class Calendar(msgspec.Struct, frozen=True):
    """When a merchant charges a customer: what is quiet in one of `zones` is quiet.

    `zones` are those in which the customer may live; days are counted in the first one.
    """

    zones: tuple[ZoneInfo, ...]
    quiet: QuietTimes
    pay_days: tuple[int, ...] = ()
    reach_days: int = 0

    def permitted(self, moment: datetime) -> datetime:
        """The first moment, from the given one on, that is not quiet. In UTC."""
        found = moment.astimezone(UTC)
        while (later := max(_quiet_end(found, zone, self.quiet) for zone in self.zones)) > found:
            found = later
            if found > moment + _HORIZON and len(self.zones) > 1:
                # No hour suits all zones at once: the first one alone decides then.
                return msgspec.structs.replace(self, zones=self.zones[:1]).permitted(moment)
        return found

    def pay_day(self, moment: datetime, before: datetime) -> datetime | None:
        """The same time of a pay day, at most `reach_days` later and before a moment, if any."""
        zone = self.zones[0]
        local = moment.astimezone(zone)
        for days in range(self.reach_days + 1):
            day = local.date() + days * _DAY
            if not is_pay_day(day, self.pay_days):
                continue
            found = self.permitted(_moment(day, local.time(), zone) if days else moment)
            if found.astimezone(zone).date() == day and found < before:
                return found
        return None


def calendar_of(policy: RetryPolicy, country: str | None) -> Calendar:
    """A customer's calendar by their country, and the policy's zone where that leaves it open."""
    return Calendar(
        zones_of(country or "", policy.time_zone), policy.quiet, policy.pay_days,
        policy.pay_day_reach_days,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def zones_of(country: str, time_zone: str) -> tuple[ZoneInfo, ...]:
    """The zones in which somebody of a country may live, by CLDR's table, or the policy's zone.

    Where the country has several, the policy's zone counts if it is one of them; otherwise all of
    them, first the one in which a day begins last.
    """
    own = _zone(time_zone)
    names = [*get_global("territory_zones").get(country.upper(), ())]
    aliases = get_global("zone_aliases")
    if not names or aliases.get(time_zone, time_zone) in names:
        return (own,)
    # Most of a country's zones differ in history alone: of those with equal clocks one is enough,
    # a city that people know if there is one.
    known = set(get_global("windows_zone_mapping").values())
    names.sort(key=lambda name: (name in known, name))
    clocks = {_clock(zone): zone for zone in map(_zone, names)}
    return tuple(clocks[each] for each in sorted(clocks))


def is_pay_day(day: date, pay_days: tuple[int, ...]) -> bool:
    """Whether people are paid on it: the last day of a month stands for those that it lacks."""
    last = monthrange(day.year, day.month)[1]
    return day.day in pay_days or (day.day == last and any(it > last for it in pay_days))


def is_quiet(moment: datetime, zone: ZoneInfo, quiet: QuietTimes) -> bool:
    """Whether nothing may be charged at a moment for somebody who lives in the zone."""
    local = moment.astimezone(zone)
    return local.weekday() in quiet.weekdays or _is_quiet_hour(local.hour, quiet)


def _is_quiet_hour(hour: int, quiet: QuietTimes) -> bool:
    if quiet.from_hour <= quiet.until_hour:
        return quiet.from_hour <= hour < quiet.until_hour
    return hour >= quiet.from_hour or hour < quiet.until_hour


def _quiet_end(moment: datetime, zone: ZoneInfo, quiet: QuietTimes) -> datetime:
    """The moment itself where it is not quiet, or a later one up to which all is quiet."""
    local = moment.astimezone(zone)
    if local.weekday() in quiet.weekdays:
        end = _moment(local.date() + _DAY, time(0), zone)
    elif _is_quiet_hour(local.hour, quiet):
        over_midnight = local.hour >= quiet.until_hour
        end = _moment(local.date() + over_midnight * _DAY, time(quiet.until_hour), zone)
    else:
        return moment
    # Where clocks are set back, the time at which quiet ends may have been before: not again then.
    return max(end, moment + timedelta(minutes=1))


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A time of a day: the first one where clocks show it twice, the next where they skip it."""
    return datetime.combine(day, at.replace(fold=0), zone).astimezone(UTC)


def _clock(zone: ZoneInfo) -> tuple[timedelta, ...]:
    """What a zone's clocks show in every week of ten years, as far from UTC."""
    weeks = (_FIRST_WEEK + place * 7 * _DAY for place in range(520))
    return tuple(week.astimezone(zone).utcoffset() or timedelta() for week in weeks)


def _zone(name: str) -> ZoneInfo:
    """A zone by its name; one that nobody knows is UTC, so that a slip stops no retry."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def quiet_reason(calendar: Calendar, moment: datetime) -> Reason:
    """Why nothing is charged at a moment: the first zone in which it is quiet then."""
    zone = next(it for it in calendar.zones if is_quiet(moment, it, calendar.quiet))
    return Reason("quiet", {"zone": zone.key})
