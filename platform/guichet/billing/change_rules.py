"""The merchant's table of change rules: which of them a change falls under, and what it says.

Everything here is pure, and total: each change has an outcome.
"""

from fractions import Fraction
from typing import Literal

import msgspec

from guichet.billing.catalog import Price
from tenants.catalog import ChangeRule, ChangeRules, Direction, Proration, When

#: The directions that have a default of their own below the table.
DefaultDirection = Literal["upgrade", "downgrade", "longer_interval", "shorter_interval"]
#: The states in which a subscription can be changed at all.
ChangeableStatus = Literal["active", "trialing", "past_due"]

# Mean lengths in the Gregorian calendar, for comparing prices only; no amount follows from them.
_MONTHS = {
    "day": Fraction(4800, 146097),
    "week": Fraction(4800, 146097) * 7,
    "month": Fraction(1),
    "year": Fraction(12),
}


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """A change that somebody asks for, as far as the rules look at it."""

    status: ChangeableStatus
    #: None where the mirror has not seen it.
    current: Price | None
    current_quantity: int
    price: Price
    quantity: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules say about a change."""

    when: When
    proration: Proration
    anchor: Literal["unchanged", "now"] = "unchanged"
    trial: Literal["continue", "end"] = "continue"
    #: The rule that applied, counted from 1; None where none did and the defaults speak.
    rule: int | None = None


def monthly_cost(price: Price, quantity: int) -> Fraction:
    """What a mean month costs in minor units; a price without an amount counts as nothing."""
    if price.amount is None or price.interval is None:
        return Fraction(0)
    return price.amount.amount * quantity / (_MONTHS[price.interval] * (price.interval_count or 1))


def direction(change: Situation) -> Direction:
    """What a rule calls this change."""
    if change.current and change.current.id == change.price.id:
        return "quantity_up" if change.quantity >= change.current_quantity else "quantity_down"
    return default_direction(change)


def default_direction(change: Situation) -> DefaultDirection:
    """Which of the defaults a change falls under; more or less of a plan is an up- or downgrade."""
    current, price = change.current, change.price
    if current is None or current.interval is None or price.interval is None:
        return "upgrade"
    before = _MONTHS[current.interval] * (current.interval_count or 1)
    after = _MONTHS[price.interval] * (price.interval_count or 1)
    if current.product_id == price.product_id and before != after:
        return "longer_interval" if after > before else "shorter_interval"
    cost = monthly_cost(price, change.quantity)
    return "upgrade" if cost >= monthly_cost(current, change.current_quantity) else "downgrade"


def decide(changes: ChangeRules, change: Situation) -> Outcome:
    """The first rule that is about this change, else the default of its direction."""
    found = direction(change)
    for number, rule in enumerate(changes.rules, 1):
        if _is_about(rule, change, found):
            return _obey(rule, change, number)
    if change.status == "past_due":
        return Outcome(when="forbidden", proration="none")
    when: When = getattr(changes, default_direction(change))
    # Nothing is paid during a trial, so there is no paid period to wait for the end of.
    if change.status == "trialing" and when == "period_end":
        when = "now"
    return Outcome(when=when, proration=changes.proration)


def allows_overdue(changes: ChangeRules) -> bool:
    """Whether any rule lets customers change what they have not paid."""
    return any(rule.status == "past_due" and rule.when != "forbidden" for rule in changes.rules)


def _is_about(rule: ChangeRule, change: Situation, found: Direction) -> bool:
    settled = change.status in ("active", "trialing")
    return (
        rule.direction in ("any", found)
        and (settled if rule.status == "settled" else rule.status == change.status)
        and _names(rule.from_plan, change.current)
        and _names(rule.to_plan, change.price)
    )


def _names(plan: str, price: Price | None) -> bool:
    """Whether a price is the one, or one of the product, that a rule names."""
    return not plan or (price is not None and plan in (price.id, price.product_id))


def _obey(rule: ChangeRule, change: Situation, number: int) -> Outcome:
    """What a rule says of this change; what has no meaning for it is left out."""
    is_now, in_trial = rule.when == "now", change.status == "trialing"
    return Outcome(
        when=rule.when,
        proration=rule.proration,
        anchor=rule.anchor if is_now and not in_trial else "unchanged",
        trial=rule.trial if is_now and in_trial else "continue",
        rule=number,
    )
