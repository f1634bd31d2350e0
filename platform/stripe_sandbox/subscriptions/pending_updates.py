"""Pending updates: a change that waits for its invoice to be paid, or is dropped.

https://docs.stripe.com/billing/subscriptions/pending-updates-reference
"""

from copy import deepcopy

from stripe_sandbox.invoices.invoices import void
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.state.documents import Document, merged_metadata
from stripe_sandbox.state.placement import INCOMPLETE_LIFETIME
from stripe_sandbox.state.unit import Unit

_ALLOWED = frozenset(
    (
        "add_invoice_items", "billing_cycle_anchor", "cancel_at_period_end", "discounts", "items",
        "metadata", "payment_behavior", "proration_behavior", "proration_date", "trial_end",
        "trial_from_plan",
    )
)  # fmt: skip
_ALLOWED_OF_ITEMS = frozenset(("deleted", "id", "metadata", "price", "price_data", "quantity"))
# What another update must not touch while one is pending: it takes the pending one's place.
_REPLACING = frozenset(
    ("billing_cycle_anchor", "cancel_at_period_end", "discounts", "items", "trial_end")
)


def check_allowed(subscription: Document, params: Document) -> None:
    """Only what concerns prices and prorations can wait. Raises 400 for all else."""
    unsupported = sorted(params.keys() - _ALLOWED)
    for index, item in enumerate(params.get("items") or []):
        unsupported += [
            f"items[{index}][{name}]" for name in sorted(item.keys() - _ALLOWED_OF_ITEMS)
        ]
    if unsupported:
        raise invalid(
            "When `payment_behavior` is set to `pending_if_incomplete`, you can only pass "
            "supported parameters. These parameters are not supported: "
            f"{', '.join(unsupported)}.",
            unsupported[0],
        )
    if subscription["collection_method"] != "charge_automatically":
        raise invalid(
            "`payment_behavior` can only be set to `pending_if_incomplete` when "
            "`collection_method` is `charge_automatically`.",
            "payment_behavior",
        )


def hold(before: Document, subscription: Document, invoice: Document, params: Document) -> None:
    """Take a change that was made back into a copy that waits for the invoice to be paid."""
    changed = {
        name: deepcopy(value)
        for name, value in subscription.items()
        if value != before[name] and name not in ("latest_invoice", "metadata")
    }
    named = ("billing_cycle_anchor", "discounts", "trial_end")
    update: Document = {
        **{name: changed.get(name) for name in named},
        "cancel_at_period_end": params.get("cancel_at_period_end"),
        "expires_at": _expiry(before, invoice["created"]),
        "metadata": params.get("metadata"),
        "subscription_items": changed["items"]["data"] if "items" in changed else None,
        "trial_from_plan": params.get("trial_from_plan"),
    }
    subscription.clear()
    subscription.update(before, latest_invoice=invoice["id"])
    subscription["_pending"] = {"invoice": invoice["id"], "update": update, "changed": changed}


def _expiry(subscription: Document, now: int) -> int:
    """23 hours, or the end of the trial or period if that comes first."""
    ends = [item["current_period_end"] for item in subscription["items"]["data"]]
    return int(min(now + INCOMPLETE_LIFETIME, *ends))


def show(subscription: Document) -> None:
    """The invoice is not paid yet: the subscription tells what waits for it."""
    if waiting := subscription["_pending"]:
        subscription["pending_update"] = waiting["update"]


def waits_for(subscription: Document, invoice: Document) -> bool:
    """Whether a pending update waits for this invoice."""
    waiting = subscription["_pending"]
    return waiting is not None and waiting["invoice"] == invoice["id"]


def apply_pending(unit: Unit, subscription: Document) -> None:
    """The invoice is paid: what waited for it takes effect; the caller saves."""
    waiting, shown = subscription["_pending"], subscription["pending_update"]
    subscription.update(deepcopy(waiting["changed"]), _pending=None, pending_update=None)
    if added := waiting["update"]["metadata"]:
        subscription["metadata"] = merged_metadata(subscription["metadata"], added)
    if shown:
        unit.emit("customer.subscription.pending_update_applied", subscription)


def drop(unit: Unit, subscription: Document) -> None:
    """The invoice was not paid: it is voided, and what waited for it is forgotten."""
    if subscription["_pending"] is None:
        return
    invoice = unit.find("invoice", subscription["_pending"]["invoice"])
    subscription.update(_pending=None, pending_update=None)
    if invoice and invoice["status"] == "open":
        void(unit, invoice)
    unit.update(subscription, "customer.subscription.updated")
    unit.emit("customer.subscription.pending_update_expired", subscription)


def replace(unit: Unit, subscription: Document, params: Document) -> None:
    """Another change of what waits takes its place."""
    if _REPLACING & params.keys():
        drop(unit, subscription)
