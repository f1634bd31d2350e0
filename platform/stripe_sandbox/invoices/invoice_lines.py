"""The lines of an invoice, and the pending items that become lines of the next one."""

from datetime import UTC, datetime

from stripe_sandbox.catalog.pricing import money
from stripe_sandbox.passing_time.calendar import Period
from stripe_sandbox.state.documents import Document, new_id
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.subscription_items import billed_price


def cycle_description(unit: Unit, item: Document) -> str:
    """As Stripe words a period: `1 × Basic (at $10.00 / month)`."""
    price = billed_price(item)
    return f"{item['quantity']} × {_named(unit, price)} (at {_rate(price)})"


def proration_description(unit: Unit, item: Document, moment: int, *, credit: bool) -> str:
    """As Stripe words a proration: `Unused time on 2 × Basic after 22 Nov 2026`."""
    name = _named(unit, item["price"])
    if item["quantity"] != 1:
        name = f"{item['quantity']} × {name}"
    day = datetime.fromtimestamp(moment, UTC)
    return f"{'Unused' if credit else 'Remaining'} time on {name} after {day:%d %b %Y}"


def trial_description(unit: Unit, item: Document) -> str:
    """The line of a trial, which costs nothing."""
    return f"Trial period for {_named(unit, item['price'])}"


def _named(unit: Unit, price: Document) -> str:
    product = unit.find("product", price["product"])
    return str(product["name"]) if product else "Subscription"


def _rate(price: Document) -> str:
    recurring = price["recurring"]
    count = recurring["interval_count"]
    every = recurring["interval"] if count == 1 else f"every {count} {recurring['interval']}s"
    if price["billing_scheme"] == "tiered":
        first = money(price["_tiers"][0]["unit_amount"] or 0, price["currency"])
        return f"Tier 1 at {first} / {every}"
    if price["unit_amount"] is None:
        return f"{price['unit_amount_decimal']} / {every}"
    return f"{money(price['unit_amount'], price['currency'])} / {every}"


def pricing_of(price: Document) -> Document:
    """The `pricing` hash of lines and invoice items."""
    return {
        "type": "price_details",
        "price_details": {"price": price["id"], "product": price["product"]},
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def item_line(
    subscription: Document, item: Document, period: Period, amount: int, description: str
) -> Document:
    """The line of a subscription item for a period that is billed now."""
    parent: Document = {
        "type": "subscription_item_details",
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": subscription["id"],
            "subscription_item": item["id"],
        },
    }
    return {
        **_line(subscription["currency"], amount, description, period),
        "discountable": True,
        "metadata": dict(subscription["metadata"]),
        "parent": parent,
        "pricing": pricing_of(billed_price(item)),
        "quantity": item["quantity"],
        "subscription": subscription["id"],
    }


def pending_line(pending: Document) -> Document:
    """The line that a pending invoice item becomes."""
    period = Period(pending["period"]["start"], pending["period"]["end"])
    details = (pending["parent"] or {}).get("subscription_details")
    shared = {
        "invoice_item": pending["id"],
        "proration": pending["proration"],
        "proration_details": {"credited_items": pending["_credited"]},
        "subscription": details["subscription"] if details else None,
    }
    parent: Document = {
        "type": "invoice_item_details",
        "invoice_item_details": shared,
        "subscription_item_details": None,
    }
    if details and details["subscription_item"]:
        parent = {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": {
                **shared,
                "subscription_item": details["subscription_item"],
            },
        }
    return {
        **_line(pending["currency"], pending["amount"], pending["description"], period),
        "discountable": pending["discountable"],
        "metadata": dict(pending["metadata"]),
        "parent": parent,
        "pricing": pending["pricing"],
        "quantity": pending["quantity"],
        "subscription": shared["subscription"],
        "_pending": pending["id"],
    }


def _line(currency: str, amount: int, description: str | None, period: Period) -> Document:
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": description,
        "discount_amounts": [],
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "period": {"start": period.start, "end": period.end},
        "pretax_credit_amounts": [],
        "quantity_decimal": None,
        "subtotal": amount,
        "taxes": [],
    }


def is_proration(line: Document) -> bool:
    """Whether a line makes up for a change in the middle of a period."""
    parent = line["parent"]
    return bool(parent[parent["type"]]["proration"])
