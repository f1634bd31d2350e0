"""The merchants of a year: how each has failed payments tried again, and how often people pay."""

from collections.abc import Mapping
from typing import NamedTuple

from tenants.retries import KILL_BILL, POLAR, STRIPE, Ending, QuietTimes, RetryPolicy


class Plan(NamedTuple):
    """What a merchant publishes, and from which share of the year on something else."""

    name: str
    policy: RetryPolicy
    later: Mapping[float, RetryPolicy] = {}
    #: Of this interval are all subscriptions.
    interval: str = "week"
    #: So many people share one card: of these the networks' caps count every charge.
    sharers: int = 0
    shared_card: str = "pm_card_visa"


#: More than any network lets a card be tried, if nobody counted.
_HASTY = RetryPolicy(collector="guichet", waits_days=(0.5,) * 20, tries=20, window_days=30)
_FOUR_DAYS = RetryPolicy(collector="guichet", waits_days=(1, 1, 2, 3), tries=4, window_days=10)
_BY_PROVIDER = RetryPolicy(collector="provider")
_AT_NIGHT = QuietTimes(from_hour=21, until_hour=8, weekdays=(6,))


def _replace(policy: RetryPolicy, **changes: object) -> RetryPolicy:
    values = {name: getattr(policy, name) for name in policy.__struct_fields__}
    return RetryPolicy(**{**values, **changes})


#: A short year has the first ones only.
PLANS = (
    Plan("Polar's days", POLAR),
    Plan("hasty, sharing a Visa", _HASTY, sharers=8),
    Plan(
        "quiet, then cancelled",
        _replace(
            STRIPE,
            quiet=_AT_NIGHT,
            time_zone="Europe/Paris",
            end=Ending(subscription="cancel", invoice="uncollectible"),
        ),
    ),
    Plan(
        "handed to and fro",
        _BY_PROVIDER,
        {
            0.2: _FOUR_DAYS,
            0.4: _replace(_FOUR_DAYS, paused=True),
            0.5: _FOUR_DAYS,
            0.7: _BY_PROVIDER,
            0.85: _FOUR_DAYS,
        },
    ),
    Plan("Kill Bill's days", KILL_BILL, interval="month"),
    Plan("hasty, sharing a Mastercard", _HASTY, sharers=14, shared_card="pm_card_mastercard"),
    Plan("the provider's own", _BY_PROVIDER, interval="month"),
    Plan("on pay days", _replace(STRIPE, pay_days=(1, 15, 31)), interval="month"),
    Plan("paused in the end", _replace(POLAR, end=Ending(subscription="pause")), interval="month"),
    Plan(
        "unpaid in the end",
        _replace(STRIPE, fallbacks=False, end=Ending(subscription="unpaid")),
        {0.5: _replace(POLAR, end=Ending(subscription="unpaid"))},
    ),
)
