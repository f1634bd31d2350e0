"""Invoice items: amounts that wait for the next invoice, prorations above all."""

from collections.abc import Iterator

from stripe_sandbox.invoices.invoice_lines import pricing_of, proration_description
from stripe_sandbox.passing_time.calendar import Period
from stripe_sandbox.state.documents import Document, new_id
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.prorations import Debit
from stripe_sandbox.subscriptions.subscription_items import billed_price


def new_invoice_item(unit: Unit, customer: Document, currency: str, amount: int) -> Document:
    """An amount in minor units that waits; nothing is saved yet."""
    now = unit.now(customer)
    return {
        "id": new_id("ii"),
        "object": "invoiceitem",
        "amount": amount,
        "currency": currency,
        "customer": customer["id"],
        "customer_account": None,
        "date": now,
        "description": None,
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "net_amount": amount,
        "parent": None,
        "period": {"start": now, "end": now},
        "pricing": None,
        "proration": False,
        "proration_details": None,
        "quantity": 1,
        "quantity_decimal": "1",
        "tax_rates": [],
        "test_clock": customer["test_clock"],
        "_credited": None,
    }


def add_proration(
    unit: Unit, subscription: Document, item: Document, amount: int, period: Period,
    credited: Debit | None = None,
) -> Document:  # fmt: skip
    """A pending credit (when it gives back a debit) or debit for the rest of a period."""
    customer = unit.need("customer", subscription["customer"])
    pending = new_invoice_item(unit, customer, subscription["currency"], amount)
    pending.update(
        description=proration_description(unit, item, period.start, credit=credited is not None),
        discountable=False,
        metadata=dict(subscription["metadata"]),
        parent={
            "type": "subscription_details",
            "subscription_details": {
                "subscription": subscription["id"],
                "subscription_item": item["id"],
            },
        },
        period={"start": period.start, "end": period.end},
        pricing=pricing_of(billed_price(item)),
        proration=True,
        quantity=item["quantity"],
        quantity_decimal=str(item["quantity"]),
    )
    if credited and credited.invoice and credited.line:
        pending["_credited"] = {
            "invoice": credited.invoice,
            "invoice_line_items": [credited.line],
        }
    return unit.add(pending, "invoiceitem.created")


def pending_items(unit: Unit, subscription: Document) -> Iterator[Document]:
    """What the subscription's next invoice takes with it, oldest first."""
    items = unit.every(
        "invoiceitem", owner=subscription["customer"], tag="pending", oldest_first=True
    )
    for item in items:
        details = (item["parent"] or {}).get("subscription_details")
        if item["currency"] == subscription["currency"] and (
            not details or details["subscription"] == subscription["id"]
        ):
            yield item
