"""The phases of a subscription schedule that changes a plan at the end of the period."""

from typing import Any

import stripe

from guichet.payments.copies import PriceCopy, SubscriptionCopy
from guichet.payments.errors import ProviderRefused
from guichet.payments.orders import ItemOrder

Phase = dict[str, Any]

#: What Stripe answers in a phase but does not take back.
_ANSWERED_ONLY = {"plan", "disabled_reason", "add_invoice_items"}
#: What belongs to the present period and not to the one after it.
_PRESENT_ONLY = {"start_date", "end_date", "trial_end", "trial", "billing_cycle_anchor"}


def two_phases(
    schedule: stripe.SubscriptionSchedule,
    subscription: SubscriptionCopy,
    change: ItemOrder,
    price: PriceCopy,
) -> list[Phase]:
    """The present phase as it is, and one period of the changed plan after it.

    The whole present phase is sent back, with its discounts, tax rates and trial, because an
    update replaces all phases. Raises `ProviderRefused` when the item is no longer there.
    """
    present = _present_phase(schedule)
    replaced = next((item for item in subscription.items if item.id == change.item_id), None)
    if replaced is None or price.interval is None:
        raise ProviderRefused("resource_missing", "item")
    following = {name: value for name, value in present.items() if name not in _PRESENT_ONLY}
    following["items"] = [
        {**item, "price": change.price_id, "quantity": change.quantity}
        if item["price"] == replaced.price_id
        else item
        for item in present["items"]
    ]
    following["duration"] = {"interval": price.interval, "interval_count": price.interval_count}
    following["proration_behavior"] = "none"
    return [present, following]


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
