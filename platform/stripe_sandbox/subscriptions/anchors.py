"""Billing cycle anchors: the moment from which the periods of a new subscription are counted."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, datetime

from stripe_sandbox.passing_time.calendar import after
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import hash_of, integer
from stripe_sandbox.state.documents import Document
from stripe_sandbox.subscriptions.subscription_items import rhythm

_RANGES = {
    "day_of_month": (1, 31), "hour": (0, 23), "minute": (0, 59), "month": (1, 12),
    "second": (0, 59),
}  # fmt: skip


def anchor_config(params: Document) -> Document | None:
    """The description of an anchor with all its fields, or none."""
    config = params.get("billing_cycle_anchor_config")
    return config and {**dict.fromkeys(_RANGES), **config}


def first_anchor(items: Sequence[Document], params: Document, now: int) -> int:
    """Now, the time that was asked for, or the next one that fits a description."""
    config = params.get("billing_cycle_anchor_config")
    given = params.get("billing_cycle_anchor")
    if config and given:
        raise invalid(
            "You may only specify one of these parameters: billing_cycle_anchor, "
            "billing_cycle_anchor_config.",
            "billing_cycle_anchor_config",
        )
    if config:
        return _next_fitting(items, config, now)
    anchor = int(given or now)
    for item in items:
        natural = after(now, *rhythm(item))
        if not now <= anchor <= natural:
            raise invalid(
                f"billing_cycle_anchor cannot be later than next natural billing date ({natural}) "
                "for plan",
                "billing_cycle_anchor",
            )
    return anchor


def _next_fitting(items: Sequence[Document], config: Document, now: int) -> int:
    """The first such day that is not past; it is in a month that has the day, so that shorter
    months do not change it."""
    _check(items, config)
    today = datetime.fromtimestamp(now, UTC)
    names = ("hour", "minute", "second")
    given = {name: config[name] for name in names if config.get(name) is not None}
    day, only = config["day_of_month"], config.get("month")
    for months in range(13 * 4):
        year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
        if only not in (None, month + 1) or monthrange(year, month + 1)[1] < day:
            continue
        found = today.replace(year=year, month=month + 1, day=day, **given)
        if found >= today:
            return int(found.timestamp())
    raise invalid("There is no such day.", "billing_cycle_anchor_config")


def _check(items: Sequence[Document], config: Document) -> None:
    for name, value in config.items():
        low, high = _RANGES[name]
        if value is not None and not low <= value <= high:
            raise invalid(
                f"Invalid {name}: must be between {low} and {high}",
                f"billing_cycle_anchor_config[{name}]",
            )
    if any(rhythm(item)[0] not in ("month", "year") for item in items):
        raise invalid(
            "`billing_cycle_anchor_config` can only be used with monthly and yearly prices.",
            "billing_cycle_anchor_config",
        )


ANCHOR_CONFIG = hash_of(dict.fromkeys(_RANGES, integer), ("day_of_month",))
