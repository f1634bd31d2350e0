"""The change rules: what a customer may change a subscription to, and when it applies."""

from fractions import Fraction
from typing import Literal

import msgspec

from guichet.billing.catalog import Price
from guichet.billing.subscriptions import Item, Subscription
from guichet.errors import Conflict
from tenants.catalog import ChangeRules, Plan, When

Direction = Literal["upgrade", "downgrade", "longer_interval", "shorter_interval"]

# Mean lengths in the Gregorian calendar, for comparing prices only; no amount follows from them.
_MONTHS = {
    "day": Fraction(4800, 146097),
    "week": Fraction(4800, 146097) * 7,
    "month": Fraction(1),
    "year": Fraction(12),
}


class ChangeRefused(Conflict):
    """This change is not possible right now."""

    code = "change_refused"


class NotLive(ChangeRefused):
    """This subscription has ended, so it can no longer be changed."""

    code = "not_live"


class PaymentOverdue(ChangeRefused):
    """A payment is overdue. Please pay it first; after that you can change your plan."""

    code = "payment_overdue"


class IsCancelling(ChangeRefused):
    """This subscription is set to end. Please undo the cancellation first."""

    code = "is_cancelling"


class ChangePending(ChangeRefused):
    """A change is already planned for this subscription. Please undo it first."""

    code = "change_pending"


class PlannedByMerchant(ChangeRefused):
    """The merchant has planned how this subscription goes on. Please ask them about changes."""

    code = "planned_by_merchant"


class ChangeUnfinished(ChangeRefused):
    """A change to this subscription is being made at this moment. Please look again shortly."""

    code = "change_unfinished"


class NotOffered(ChangeRefused):
    """This plan is not offered."""

    code = "not_offered"


class SamePlan(ChangeRefused):
    """You already have this plan, so nothing was changed."""

    code = "same_plan"


class NotAllowed(ChangeRefused):
    """This change cannot be made here. Please contact support."""

    code = "not_allowed"


class PlanOption(msgspec.Struct, frozen=True):
    """One plan on the page that offers them."""

    price: Price
    description: str
    highlight: bool
    is_current: bool
    #: When choosing it would apply; None for the current plan.
    when: When | None
    quantity_min: int
    quantity_max: int
    #: What the quantity field starts with.
    quantity: int


def main_item(subscription: Subscription, plans: tuple[Plan, ...]) -> Item:
    """The item that a plan change moves: the first one on an offered plan, else the first."""
    if not subscription.items:
        raise NotAllowed
    offered = {plan.price_id for plan in plans}
    return next(
        (item for item in subscription.items if item.price and item.price.id in offered),
        subscription.items[0],
    )


def check_changeable(subscription: Subscription) -> None:
    """Raise why a subscription's plan cannot be changed now, whatever the target."""
    if not subscription.is_live:
        raise NotLive
    if subscription.unfinished_change:
        raise ChangeUnfinished
    if subscription.is_led_by_merchant:
        raise PlannedByMerchant
    if subscription.status in ("past_due", "unpaid"):
        raise PaymentOverdue
    if subscription.status == "paused":
        raise NotAllowed
    if subscription.cancel_at_period_end or subscription.cancel_at:
        raise IsCancelling
    if subscription.pending:
        raise ChangePending


def monthly_cost(price: Price, quantity: int) -> Fraction:
    """What a mean month costs in minor units; a price without an amount counts as nothing."""
    if price.amount is None or price.interval is None:
        return Fraction(0)
    return price.amount.amount * quantity / (_MONTHS[price.interval] * (price.interval_count or 1))


def direction(item: Item, price: Price, quantity: int) -> Direction:
    """Which of the merchant's rules a change falls under."""
    current = item.price
    if current is None or current.interval is None or price.interval is None:
        return "upgrade"
    before = _MONTHS[current.interval] * (current.interval_count or 1)
    after = _MONTHS[price.interval] * (price.interval_count or 1)
    if current.product_id == price.product_id and before != after:
        return "longer_interval" if after > before else "shorter_interval"
    is_dearer = monthly_cost(price, quantity) >= monthly_cost(current, item.quantity or 1)
    return "upgrade" if is_dearer else "downgrade"


def decide(
    rules: ChangeRules,
    plans: tuple[Plan, ...],
    subscription: Subscription,
    price: Price,
    quantity: int,
) -> When:
    """When this change applies: `now` or `period_end`; raises `ChangeRefused` and says why."""
    check_changeable(subscription)
    item = main_item(subscription, plans)
    plan = next((plan for plan in plans if plan.price_id == price.id), None)
    if plan is None or not price.active or price.currency != subscription.currency:
        raise NotOffered
    if not plan.quantity_min <= quantity <= plan.quantity_max:
        raise NotOffered
    if item.price and item.price.id == price.id and (item.quantity or 1) == quantity:
        raise SamePlan
    when = applies(rules, item, price, quantity)
    if when == "forbidden":
        raise NotAllowed
    # Nothing is paid during a trial, so there is no paid period to wait for the end of.
    return "now" if subscription.status == "trialing" else when


def applies(rules: ChangeRules, item: Item, price: Price, quantity: int) -> When:
    """What the merchant's rule for this direction says."""
    rule: When = getattr(rules, direction(item, price, quantity))
    return rule


def offered_options(
    rules: ChangeRules,
    plans: tuple[Plan, ...],
    subscription: Subscription,
    prices: dict[str, Price],
    locale: str,
) -> tuple[PlanOption, ...]:
    """The merchant's plans in order, without those that this subscription cannot move to."""
    item = main_item(subscription, plans)
    return tuple(
        option
        for plan in plans
        if (price := prices.get(plan.price_id))
        and price.currency == subscription.currency
        and (option := _option(rules, plan, subscription, item, price, locale))
    )


def _option(
    rules: ChangeRules,
    plan: Plan,
    subscription: Subscription,
    item: Item,
    price: Price,
    locale: str,
) -> PlanOption | None:
    is_current = item.price is not None and item.price.id == price.id
    quantity = min(max(item.quantity or 1, plan.quantity_min), plan.quantity_max)
    when = applies(rules, item, price, quantity)
    if not is_current and (when == "forbidden" or not price.active):
        return None
    if subscription.status == "trialing" and when != "forbidden":
        when = "now"
    return PlanOption(
        price=price,
        description=plan.description.get(locale) or next(iter(plan.description.values()), ""),
        highlight=plan.highlight,
        is_current=is_current,
        when=None if is_current else when,
        quantity_min=plan.quantity_min,
        quantity_max=plan.quantity_max,
        quantity=quantity,
    )
