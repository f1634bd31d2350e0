"""Billing periods: counted from an anchor, so that the 31st returns after a shorter month."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple

Interval = Literal["day", "week", "month", "year"]


class Period(NamedTuple):
    """From a second up to, and without, another."""

    start: int
    end: int

    @property
    def seconds(self) -> int:
        """How long it is."""
        return self.end - self.start


def after(anchor: int, interval: str, times: int) -> int:
    """The moment so many intervals after the anchor.

    A month that lacks the anchor's day bills on its last day
    (https://docs.stripe.com/billing/subscriptions/billing-cycle).
    """
    moment = datetime.fromtimestamp(anchor, UTC)
    if interval in ("day", "week"):
        days = times * (7 if interval == "week" else 1)
        return int((moment + timedelta(days=days)).timestamp())
    months = moment.month - 1 + times * (12 if interval == "year" else 1)
    year, month = moment.year + months // 12, months % 12 + 1
    day = min(moment.day, monthrange(year, month)[1])
    return int(moment.replace(year=year, month=month, day=day).timestamp())


_ROUGH_SECONDS = {"day": 86_400, "week": 604_800, "month": 2_629_746, "year": 31_556_952}


@lru_cache(maxsize=4_096)
def period_around(anchor: int, interval: str, count: int, moment: int) -> Period:
    """The billing period that a moment is in; its bounds are whole periods from the anchor."""
    guess = (moment - anchor) // (_ROUGH_SECONDS[interval] * count)
    while after(anchor, interval, count * guess) > moment:
        guess -= 1
    while after(anchor, interval, count * (guess + 1)) <= moment:
        guess += 1
    return Period(
        after(anchor, interval, count * guess), after(anchor, interval, count * (guess + 1))
    )
