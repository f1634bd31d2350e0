"""Previews: a change is made in earnest, its invoice read, and everything undone again."""

from stripe_sandbox.catalog.discounts import DISCOUNTS
from stripe_sandbox.invoices.invoice_lines import is_proration
from stripe_sandbox.invoices.invoices import set_lines
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import anything, boolean, hash_of, integer, moment, one_of, text
from stripe_sandbox.requests.routing import route
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.cancelling import final_invoice
from stripe_sandbox.subscriptions.changes import change
from stripe_sandbox.subscriptions.debits import prorate
from stripe_sandbox.subscriptions.standing import ENDED
from stripe_sandbox.subscriptions.subscription_forms import ITEMS, PRORATION_BEHAVIOR, anchor
from stripe_sandbox.subscriptions.subscription_items import ItemChange
from stripe_sandbox.subscriptions.subscriptions import begin
from stripe_sandbox.subscriptions.upcoming import as_preview, nothing_upcoming, renewal_invoice


def create_preview(unit: Unit, params: Document) -> Document:
    """The next invoice of a subscription, as it is or after a change, or of one not yet begun."""
    with unit.rehearsal() as rehearsed:
        invoice = _next_invoice(rehearsed, params)
        if params.get("preview_mode") == "recurring":
            set_lines(invoice, [line for line in invoice["_lines"] if not is_proration(line)])
        preview = as_preview(invoice)
    details = params.get("subscription_details") or {}
    if preview["parent"] and details.get("proration_date"):
        preview["parent"]["subscription_details"]["subscription_proration_date"] = details[
            "proration_date"
        ]
    return preview


def _next_invoice(unit: Unit, params: Document) -> Document:
    details = params.get("subscription_details") or {}
    if "discounts" in params:
        details["discounts"] = params["discounts"]
    if not params.get("subscription"):
        return _first_invoice(unit, params, details)
    subscription = unit.need("subscription", params["subscription"], "subscription")
    if subscription["status"] in ENDED:
        raise nothing_upcoming(subscription)
    if details.get("cancel_now"):
        return _closing_invoice(unit, subscription, details)
    return change(unit, subscription, details) or renewal_invoice(unit, subscription)


def _first_invoice(unit: Unit, params: Document, details: Document) -> Document:
    customer = params.get("customer")
    if not customer or not details.get("items"):
        raise invalid(
            "You must pass `subscription`, or `customer` with `subscription_details[items]`.",
            "subscription",
        )
    asked = {**details, "customer": customer, "currency": params.get("currency")}
    subscription = begin(unit, asked)
    return unit.need("invoice", subscription["latest_invoice"] or "")


def _closing_invoice(unit: Unit, subscription: Document, details: Document) -> Document:
    now = details.get("proration_date") or unit.now(subscription)
    if details.get("proration_behavior") != "none" and subscription["status"] != "trialing":
        for item in subscription["items"]["data"]:
            prorate(unit, subscription, ItemChange(item, None), now, debits_too=False)
    invoice = final_invoice(unit, subscription)
    if invoice is None:
        raise nothing_upcoming(subscription)
    return invoice


_DETAILS = hash_of(
    {
        "billing_cycle_anchor": anchor("now", "timestamp", "unchanged"),
        "billing_mode": anything,
        "cancel_at": moment("max_billed_until", "max_period_end", "min_period_end"),
        "cancel_at_period_end": boolean,
        "cancel_now": boolean,
        "default_tax_rates": anything,
        "items": ITEMS,
        "proration_behavior": PRORATION_BEHAVIOR,
        "proration_date": integer,
        "start_date": integer,
        "trial_end": moment("now"),
    }
)

ROUTES = [
    route(
        "POST",
        "/v1/invoices/create_preview",
        create_preview,
        {
            "automatic_tax": anything,
            "currency": text,
            "customer": text,
            "customer_details": anything,
            "discounts": DISCOUNTS,
            "preview_mode": one_of("next", "recurring"),
            "subscription": text,
            "subscription_details": _DETAILS,
        },
    )
]
