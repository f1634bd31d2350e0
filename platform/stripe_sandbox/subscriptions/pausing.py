"""Pausing a subscription, and resuming it: no service, no periods, no invoices in between.

https://docs.stripe.com/billing/subscriptions/pause
"""

from stripe_sandbox.invoices.invoice_items import pending_items
from stripe_sandbox.passing_time.calendar import Period
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import anything, hash_of, integer, one_of
from stripe_sandbox.requests.routing import route
from stripe_sandbox.state.documents import Document, public
from stripe_sandbox.state.placement import INCOMPLETE_LIFETIME
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.billing import collect, issue, period_line
from stripe_sandbox.subscriptions.debits import debit_rest, prorate
from stripe_sandbox.subscriptions.standing import be_paused, be_resumed
from stripe_sandbox.subscriptions.subscription_forms import PRORATION_BEHAVIOR, anchor
from stripe_sandbox.subscriptions.subscription_items import ItemChange, billed_period, set_period


def pause_subscription(unit: Unit, params: Document, identifier: str) -> Document:
    """Stop it until it is resumed; unused time is given back unless told otherwise."""
    subscription = unit.need("subscription", identifier)
    if subscription["status"] not in ("active", "trialing"):
        raise invalid(
            f"You cannot pause a subscription that is `{subscription['status']}`; it must be "
            "active or trialing.",
            "id",
        )
    if subscription["billing_mode"]["type"] != "flexible":
        raise invalid("Only subscriptions in flexible billing mode can be paused.", "id")
    if subscription["status"] != "trialing":
        _give_back(unit, subscription, (params.get("bill_for") or {}).get("unused_time_from"))
    invoice = None
    if params.get("invoicing_behavior") == "invoice" and any(pending_items(unit, subscription)):
        invoice = issue(unit, subscription, [], "subscription_update")
    be_paused(unit, subscription, "pause_requested")
    if invoice:
        collect(unit, invoice)
    return public(subscription)


def _give_back(unit: Unit, subscription: Document, unused: Document | None) -> None:
    since = (unused or {}).get("type") or "now"
    for item in subscription["items"]["data"]:
        begun = item["current_period_start"]
        moment = begun if since == "item_current_period_start" else unit.now(subscription)
        if since != "none":
            prorate(unit, subscription, ItemChange(item, None), moment, debits_too=False)


def resume_subscription(unit: Unit, params: Document, identifier: str) -> Document:
    """Bill a period that begins now, or the rest of the one under way.

    What is to be paid for that waits: the subscription is active once its invoice is paid, and
    with `resume_on_payment_attempt` past due once a payment is refused.
    """
    subscription = unit.need("subscription", identifier)
    if subscription["status"] != "paused":
        raise invalid("This subscription cannot be resumed because it is not paused.", "id")
    invoice = _resumption(unit, subscription, params)
    if invoice is None:
        be_resumed(unit, subscription, "active")
        return public(subscription)
    behavior = params.get("payment_behavior") or "resume_on_payment_attempt"
    subscription["_resuming"] = {
        "invoice": invoice["id"],
        "expires_at": invoice["created"] + INCOMPLETE_LIFETIME,
        "only_paid": behavior == "resume_on_payment_success",
    }
    unit.update(subscription, "customer.subscription.updated")
    collect(unit, invoice, attempts=behavior == "resume_on_payment_success")
    return public(subscription)


def _resumption(unit: Unit, subscription: Document, params: Document) -> Document | None:
    now = unit.now(subscription)
    items = subscription["items"]["data"]
    if params.get("billing_cycle_anchor") != "unchanged":
        subscription["billing_cycle_anchor"] = now
        lines = []
        for item in items:
            period = billed_period(subscription, item, now)
            set_period(item, period)
            lines.append(period_line(unit, subscription, item, period))
        return issue(unit, subscription, lines, "subscription_update")
    behavior = params.get("proration_behavior") or "create_prorations"
    for item in items:
        period = billed_period(subscription, item, now)
        set_period(item, period)
        if behavior != "none":
            moment = params.get("proration_date") or now
            debit_rest(unit, subscription, item, Period(moment, period.end))
    if behavior == "always_invoice" and any(pending_items(unit, subscription)):
        return issue(unit, subscription, [], "subscription_update")
    return None


_BILL_FOR = hash_of(
    {
        "outstanding_usage_through": anything,
        "unused_time_from": hash_of(
            {"type": one_of("item_current_period_start", "none", "now")}, ("type",)
        ),
    }
)

ROUTES = [
    route(
        "POST",
        "/v1/subscriptions/{}/pause",
        pause_subscription,
        {
            "bill_for": _BILL_FOR,
            "invoicing_behavior": one_of("invoice", "pending_invoice_item"),
            "type": one_of("subscription"),
        },
    ),
    route(
        "POST",
        "/v1/subscriptions/{}/resume",
        resume_subscription,
        {
            "billing_cycle_anchor": anchor("now", "unchanged"),
            "payment_behavior": one_of("resume_on_payment_attempt", "resume_on_payment_success"),
            "proration_behavior": PRORATION_BEHAVIOR,
            "proration_date": integer,
        },
    ),
]
