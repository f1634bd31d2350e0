"""Cancelling subscriptions: at once, at a moment to come, or with their customer."""

from stripe_sandbox.invoices.invoice_items import pending_items
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import boolean
from stripe_sandbox.requests.routing import route
from stripe_sandbox.state.documents import Document, public
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.billing import collect, issue
from stripe_sandbox.subscriptions.debits import prorate
from stripe_sandbox.subscriptions.standing import ENDED, end
from stripe_sandbox.subscriptions.subscription_forms import CANCELLATION_DETAILS, period_bound
from stripe_sandbox.subscriptions.subscription_items import ItemChange


def set_cancellation(unit: Unit, subscription: Document, params: Document) -> None:
    """`cancel_at_period_end` and `cancel_at`: set the end, or take it back."""
    wants = [name for name in ("cancel_at", "cancel_at_period_end") if name in params]
    if not wants:
        return
    if subscription["schedule"]:
        raise invalid(
            f"The subscription is managed by the subscription schedule "
            f"`{subscription['schedule']}`, and updating any cancelation behavior directly is not "
            "allowed. Please update the schedule instead.",
            wants[0],
        )
    if params.get("cancel_at_period_end"):
        _cancel_later(unit, subscription, period_bound(subscription, "min_period_end"))
        subscription["cancel_at_period_end"] = True
    elif (at := params.get("cancel_at")) is not None:
        when = period_bound(subscription, at) if isinstance(at, str) else at
        if when <= unit.now(subscription):
            raise invalid("`cancel_at` must be in the future.", "cancel_at")
        _cancel_later(unit, subscription, when)
        subscription["cancel_at_period_end"] = False
    else:
        subscription.update(cancel_at=None, cancel_at_period_end=False, canceled_at=None)
        subscription["cancellation_details"] = {"comment": None, "feedback": None, "reason": None}


def names_period_end(params: Document) -> bool:
    """Whether the end is meant to be that of a period, whichever that will be."""
    return bool(params.get("cancel_at_period_end")) or isinstance(params.get("cancel_at"), str)


def _cancel_later(unit: Unit, subscription: Document, when: int) -> None:
    if subscription["cancel_at"] is None:
        subscription["canceled_at"] = unit.now(subscription)
    subscription["cancel_at"] = when
    subscription["cancellation_details"]["reason"] = "cancellation_requested"


def cancel_subscription(unit: Unit, params: Document, identifier: str) -> Document:
    """End it now; `prorate` gives back unused time, `invoice_now` settles what is pending."""
    subscription = unit.need("subscription", identifier)
    if subscription["status"] in ENDED:
        raise invalid(f"No such subscription: '{identifier}'", "id", "resource_missing")
    cancel_now(unit, subscription, params)
    return public(subscription)


def cancel_now(unit: Unit, subscription: Document, params: Document) -> None:
    """As `cancel_subscription`, for callers that hold the document."""
    now = unit.now(subscription)
    subscription["cancellation_details"].update(params.get("cancellation_details") or {})
    if params.get("prorate") and subscription["status"] != "trialing":
        for item in subscription["items"]["data"]:
            prorate(unit, subscription, ItemChange(item, None), now, debits_too=False)
    subscription["canceled_at"] = now
    final = final_invoice(unit, subscription) if params.get("invoice_now") else None
    end(unit, subscription, "cancellation_requested")
    if final:
        collect(unit, final)


def final_invoice(unit: Unit, subscription: Document) -> Document | None:
    """What is still pending, on a last invoice."""
    if next(pending_items(unit, subscription), None) is None:
        return None
    invoice = issue(unit, subscription, [], "subscription_update")
    unit.update(subscription)
    return invoice


def delete_customer(unit: Unit, params: Document, identifier: str) -> Document:
    """For good: subscriptions end, payment methods are let go."""
    customer = unit.need("customer", identifier)
    for subscription in list(unit.every("subscription", owner=identifier)):
        if subscription["status"] not in ENDED:
            end(unit, subscription, "cancellation_requested")
    for method in list(unit.every("payment_method", owner=identifier)):
        method.update(customer=None, _detached=True)
        unit.update(method)
    customer["_deleted"] = True
    unit.update(customer)
    unit.emit("customer.deleted", customer)
    return {"id": identifier, "object": "customer", "deleted": True}


ROUTES = [
    route(
        "DELETE",
        "/v1/subscriptions/{}",
        cancel_subscription,
        {
            "cancellation_details": CANCELLATION_DETAILS,
            "invoice_now": boolean,
            "prorate": boolean,
        },
    ),
    route("DELETE", "/v1/customers/{}", delete_customer),
]
