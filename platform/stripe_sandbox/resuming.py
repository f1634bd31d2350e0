"""Resuming a subscription that paused at the end of its trial for want of a payment method."""

from stripe_sandbox.billing import collect, issue, period_line
from stripe_sandbox.documents import Document, public
from stripe_sandbox.errors import invalid
from stripe_sandbox.forms import integer
from stripe_sandbox.routing import route
from stripe_sandbox.subscription_forms import PRORATION_BEHAVIOR, anchor
from stripe_sandbox.subscription_items import billed_period, set_period
from stripe_sandbox.unit import Unit


def resume_subscription(unit: Unit, params: Document, identifier: str) -> Document:
    """Bill the period that begins now, or the one that is under way, and be active again."""
    subscription = unit.need("subscription", identifier)
    if subscription["status"] != "paused":
        raise invalid("This subscription cannot be resumed because it is not paused.", "id")
    now = unit.now(subscription)
    if params.get("billing_cycle_anchor") != "unchanged":
        subscription["billing_cycle_anchor"] = now
    lines = []
    for item in subscription["items"]["data"]:
        period = billed_period(subscription, item, now)
        set_period(item, period)
        lines.append(period_line(unit, subscription, item, period))
    subscription["status"] = "active"
    invoice = issue(unit, subscription, lines, "subscription_update")
    unit.update(subscription, "customer.subscription.updated")
    unit.emit("customer.subscription.resumed", subscription)
    collect(unit, invoice)
    return public(unit.update(subscription, "customer.subscription.updated"))


ROUTES = [
    route(
        "POST",
        "/v1/subscriptions/{}/resume",
        resume_subscription,
        {
            "billing_cycle_anchor": anchor("now", "unchanged"),
            "proration_behavior": PRORATION_BEHAVIOR,
            "proration_date": integer,
        },
    )
]
