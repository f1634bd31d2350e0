"""The phases of a subscription schedule that changes a plan at the end of the period."""

from typing import Any

import stripe

from guichet.payments.copies import PriceCopy, SubscriptionCopy
from guichet.payments.errors import ProviderRefused
from guichet.payments.orders import ItemOrder, SubscriptionChange

Phase = dict[str, Any]

#: What Stripe answers in a phase but does not take back.
_ANSWERED_ONLY = {"plan", "disabled_reason", "add_invoice_items"}
#: What belongs to the present period and not to the one after it.
_PRESENT_ONLY = {"start_date", "end_date", "trial_end", "trial", "billing_cycle_anchor"}


def following_items(
    subscription: SubscriptionCopy, orders: tuple[ItemOrder, ...]
) -> tuple[ItemOrder, ...]:
    """All items of a subscription as they shall be: those it keeps, and after them the new ones.

    Raises `ProviderRefused` for an item that the subscription does not have, or when none is left.
    """
    changed = {order.item_id: order for order in orders if order.item_id is not None}
    if changed.keys() - {item.id for item in subscription.items}:
        raise ProviderRefused("resource_missing", "item")
    kept = (
        changed.get(item.id)
        or ItemOrder(item_id=item.id, price_id=item.price_id, quantity=item.quantity)
        for item in subscription.items
    )
    added = (order for order in orders if order.item_id is None)
    following = tuple(order for order in (*kept, *added) if not order.removed)
    if not following:
        raise ProviderRefused("parameter_missing", "items")
    return following


def two_phases(
    schedule: stripe.SubscriptionSchedule,
    subscription: SubscriptionCopy,
    change: SubscriptionChange,
    price: PriceCopy,
) -> list[Phase]:
    """The present phase as it is, and one period of the changed items after it.

    The whole present phase is sent back, with its discounts, tax rates and trial, because an
    update replaces all phases. `price` is that of the first item then; its interval is how long
    the second phase lasts. Raises `ProviderRefused` when the price is charged only once.
    """
    present = _present_phase(schedule)
    if price.interval is None:
        raise ProviderRefused("price_not_recurring", "price")
    following = {name: value for name, value in present.items() if name not in _PRESENT_ONLY}
    prices = {item.id: item.price_id for item in subscription.items}
    details = {item["price"]: item for item in present["items"]}
    following["items"] = [
        _phase_item(order, details.get(prices.get(order.item_id or "", "")))
        for order in following_items(subscription, change.items)
    ]
    following["duration"] = {"interval": price.interval, "interval_count": price.interval_count}
    following["proration_behavior"] = "none"
    if change.promotion_code_id is not None:
        code = {"promotion_code": change.promotion_code_id}
        following["discounts"] = [*present.get("discounts", ()), code]
    return [present, following]


def plans_nothing(schedule: stripe.SubscriptionSchedule) -> bool:
    """Whether a schedule is as it was made from its subscription: one phase, and no mark."""
    return len(schedule.phases) == 1 and not (schedule.metadata and schedule.metadata.to_dict())


def _phase_item(order: ItemOrder, present: dict[str, Any] | None) -> dict[str, Any]:
    """An item of the second phase, with what is special about it in the present one."""
    item = {**(present or {}), "price": order.price_id, "quantity": order.quantity}
    if order.quantity is None:
        del item["quantity"]
    return item


def _present_phase(schedule: stripe.SubscriptionSchedule) -> Phase:
    current = schedule.current_phase
    for phase in schedule.phases:
        if current and phase.start_date == current.start_date:
            return dict(_as_parameters(phase.to_dict()))
    raise ProviderRefused("schedule_not_active", "schedule")


def _as_parameters(value: Any) -> Any:
    """An answer's value as a parameter: ids for objects, nothing for what is empty."""
    if isinstance(value, list):
        return [_as_parameters(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "object" in value and "id" in value:
        return value["id"]
    if value.keys() >= {"coupon", "discount", "promotion_code"}:
        return _discount(value)
    return {
        name: _as_parameters(each)
        for name, each in value.items()
        if name not in _ANSWERED_ONLY and each not in (None, [], {})
    }


def _discount(value: dict[str, Any]) -> dict[str, Any]:
    """A discount by the one of its three names that says most: a running one keeps its end."""
    for name in ("discount", "promotion_code", "coupon"):
        if value[name] is not None:
            return {name: _as_parameters(value[name])}
    return {}
