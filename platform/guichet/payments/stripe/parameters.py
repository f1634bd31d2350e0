"""What orders of ours are in Stripe's parameters."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from stripe.params import SubscriptionUpdateParams, SubscriptionUpdateParamsItem

from guichet.payments.copies import DiscountCopy
from guichet.payments.orders import ItemOrder, SubscriptionChange
from guichet.payments.stripe.copying import seconds


class Discount(TypedDict):
    """A running discount, or a code that makes one."""

    discount: NotRequired[str]
    promotion_code: NotRequired[str]


def item(order: ItemOrder) -> SubscriptionUpdateParamsItem:
    """One item, to be added, changed or taken off."""
    if order.removed:
        return {"id": order.item_id or "", "deleted": True}
    parameters: SubscriptionUpdateParamsItem = {"price": order.price_id}
    if order.quantity is not None:
        parameters["quantity"] = order.quantity
    if order.item_id is not None:
        parameters["id"] = order.item_id
    return parameters


def discounts(running: Iterable[DiscountCopy], promotion_code_id: str) -> list[Discount]:
    """The running discounts with a code's after them: what is sent takes the place of all.

    The same whether or not the code is at work already, so that a repeated call is the same call.
    """
    kept = [each.id for each in running if each.promotion_code_id != promotion_code_id]
    redeemed: Discount = {"promotion_code": promotion_code_id}
    return [*(Discount(discount=each) for each in kept), redeemed]


def change(order: SubscriptionChange, running: Iterable[DiscountCopy]) -> SubscriptionUpdateParams:
    """A change that applies now. All of it may also wait for its payment.

    Source: https://docs.stripe.com/billing/subscriptions/pending-updates-reference, "Supported
    attributes", and the fields of `pending_update` in the API reference.
    """
    waits = order.unpaid == "wait"
    parameters: SubscriptionUpdateParams = {
        "proration_behavior": order.proration,
        "payment_behavior": "pending_if_incomplete" if waits else "error_if_incomplete",
    }
    if order.items:
        parameters["items"] = [item(each) for each in order.items]
    if order.proration != "none":
        parameters["proration_date"] = seconds(order.as_of)
    if order.anchor == "now":
        parameters["billing_cycle_anchor"] = {"type": "now"}
    if order.trial_end is not None:
        parameters["trial_end"] = trial_end(order.trial_end, order.as_of)
    if order.promotion_code_id is not None:
        parameters["discounts"] = discounts(running, order.promotion_code_id)  # type: ignore[typeddict-item]
    return parameters


def trial_end(end: datetime, as_of: datetime) -> int | Literal["now"]:
    return seconds(end) if end > as_of else "now"
