"""The parameters that creating, changing, pausing and previewing subscriptions have in common."""

from typing import Any

from stripe_sandbox.catalog.discounts import DISCOUNTS
from stripe_sandbox.catalog.pricing import PRICE_DATA
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    Reader,
    Shape,
    anything,
    boolean,
    hash_of,
    integer,
    list_of,
    metadata,
    moment,
    natural,
    one_of,
    text,
)
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit

PRORATION_BEHAVIOR = one_of("always_invoice", "create_prorations", "none")
ITEM: Shape = {
    "billing_thresholds": anything,
    "clear_usage": boolean,
    "deleted": boolean,
    "discounts": DISCOUNTS,
    "id": text,
    "metadata": metadata,
    "price": text,
    "price_data": hash_of(PRICE_DATA, ("currency", "product", "recurring")),
    "quantity": natural,
    "tax_rates": anything,
}
ITEMS = list_of(hash_of(ITEM))
CANCELLATION_DETAILS = hash_of(
    {
        "comment": text,
        "feedback": one_of(
            "customer_service", "low_quality", "missing_features", "other", "switched_service",
            "too_complex", "too_expensive", "unused",
        ),
    }
)  # fmt: skip
SHARED: Shape = {
    "automatic_tax": anything,
    "cancel_at": moment("max_billed_until", "max_period_end", "min_period_end"),
    "cancel_at_period_end": boolean,
    "collection_method": one_of("charge_automatically", "send_invoice"),
    "days_until_due": natural,
    "default_payment_method": text,
    "description": text,
    "discounts": DISCOUNTS,
    "invoice_settings": anything,
    "items": ITEMS,
    "metadata": metadata,
    "off_session": boolean,
    "payment_settings": hash_of(
        {
            "payment_method_options": anything,
            "payment_method_types": list_of(text),
            "save_default_payment_method": one_of("off", "on_subscription"),
        }
    ),
    "proration_behavior": PRORATION_BEHAVIOR,
    "trial_end": moment("now"),
    "trial_from_plan": boolean,
    "trial_settings": hash_of(
        {
            "end_behavior": hash_of(
                {
                    "billing_cycle_anchor": one_of("now", "unchanged"),
                    "missing_payment_method": one_of("cancel", "create_invoice", "pause"),
                }
            )
        }
    ),
}


def anchor(*kinds: str) -> Reader:
    """`billing_cycle_anchor` of a change: a hash with a type, read as a word or a timestamp.

    https://docs.stripe.com/changelog/endive/2026-09-30/polymorphic-billing-cycle-anchor
    """
    shape: Shape = {"type": one_of(*kinds)}
    if "timestamp" in kinds:
        shape = {**shape, "timestamp": integer}
    read_hash = hash_of(shape, ("type",))

    def read(raw: Any, param: str) -> Any:
        found = read_hash(raw, param)
        return found and (found.get("timestamp") or found["type"])

    return read


BILLING_MODE = hash_of({"type": one_of("classic", "flexible"), "flexible": anything})


def billing_mode(params: Document) -> Document:
    """Flexible unless classic is asked for, as in API versions since 2025-09-30."""
    if (params.get("billing_mode") or {}).get("type") == "classic":
        return {"type": "classic", "flexible": None}
    return {"type": "flexible", "flexible": {"proration_discounts": "included"}}


def trial_settings(params: Document) -> Document:
    """What happens at a trial's end, with Stripe's defaults for what is not said."""
    said = (params.get("trial_settings") or {}).get("end_behavior") or {}
    return {
        "end_behavior": {
            "billing_cycle_anchor": said.get("billing_cycle_anchor"),
            "missing_payment_method": said.get("missing_payment_method") or "create_invoice",
        }
    }


def anchor_after_trial(subscription: Document, end: int) -> int:
    """The anchor of a trial: its end, unless it is to stay as it is."""
    behavior = subscription["trial_settings"]["end_behavior"]
    unchanged = behavior["billing_cycle_anchor"] == "unchanged"
    return int(subscription["billing_cycle_anchor"]) if unchanged else end


def own_payment_method(unit: Unit, customer: str, identifier: str | None) -> str | None:
    """Check that a payment method belongs to the customer whose subscription is to use it."""
    if identifier:
        method = unit.need("payment_method", identifier, "default_payment_method")
        if method["customer"] != customer:
            raise invalid(
                "The customer does not have a payment method with the ID "
                f"{identifier}. The payment method must be attached to the customer.",
                "default_payment_method",
                "resource_missing",
            )
    return identifier


def period_bound(subscription: Document, word: str) -> int:
    """`min_period_end`, `max_period_end` or `max_billed_until` as a time."""
    ends = [item["current_period_end"] for item in subscription["items"]["data"]]
    return int(min(ends) if word == "min_period_end" else max(ends))
