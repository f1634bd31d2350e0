"""Invoice items: amounts that wait for the next invoice, prorations above all."""

from collections.abc import Iterator

from stripe_sandbox.calendar import Period
from stripe_sandbox.documents import Document, merged_metadata, new_id, public
from stripe_sandbox.errors import invalid
from stripe_sandbox.forms import boolean, integer, metadata, span, text, within
from stripe_sandbox.invoice_lines import pricing_of, proration_description
from stripe_sandbox.lists import page
from stripe_sandbox.prorations import Debit
from stripe_sandbox.routing import listing, route
from stripe_sandbox.unit import Unit


def _invoice_item(unit: Unit, customer: Document, currency: str, amount: int) -> Document:
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
    pending = _invoice_item(unit, customer, subscription["currency"], amount)
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
        pricing=pricing_of(item["price"]),
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


def create_invoice_item(unit: Unit, params: Document) -> Document:
    """A one-off amount for a customer's next invoice."""
    customer = unit.need("customer", params["customer"], "customer")
    if params.get("amount") is None or not params.get("currency"):
        raise invalid("You must pass `amount` and `currency`.", "amount", "parameter_missing")
    item = _invoice_item(unit, customer, params["currency"].lower(), params["amount"])
    item["description"] = params.get("description")
    item["discountable"] = params.get("discountable") is not False
    item["metadata"] = merged_metadata({}, params.get("metadata"))
    if subscription := params.get("subscription"):
        unit.need("subscription", subscription, "subscription")
        item["parent"] = {
            "type": "subscription_details",
            "subscription_details": {"subscription": subscription, "subscription_item": None},
        }
    return public(unit.add(item, "invoiceitem.created"))


def retrieve_invoice_item(unit: Unit, params: Document, identifier: str) -> Document:
    """One invoice item."""
    return public(unit.need("invoiceitem", identifier))


def delete_invoice_item(unit: Unit, params: Document, identifier: str) -> Document:
    """Only while it waits."""
    item = unit.need("invoiceitem", identifier)
    if item["invoice"]:
        raise invalid("Can't delete an invoice item that is attached to an invoice.")
    return unit.remove(item, "invoiceitem.deleted")


def list_invoice_items(unit: Unit, params: Document) -> Document:
    """Newest first, by customer, invoice, or whether they still wait."""
    pending = params.get("pending")
    return page(
        unit,
        "invoiceitem",
        "/v1/invoiceitems",
        params,
        owner=params.get("customer"),
        only=lambda item: (
            params.get("invoice") in (None, item["invoice"])
            and pending in (None, item["invoice"] is None)
            and within(item["date"], params.get("created"))
        ),
    )


ROUTES = [
    route(
        "POST",
        "/v1/invoiceitems",
        create_invoice_item,
        {
            "amount": integer,
            "currency": text,
            "customer": text,
            "description": text,
            "discountable": boolean,
            "metadata": metadata,
            "subscription": text,
        },
        ("customer",),
    ),
    listing(
        "/v1/invoiceitems",
        list_invoice_items,
        {"created": span, "customer": text, "invoice": text, "pending": boolean},
    ),
    route("GET", "/v1/invoiceitems/{}", retrieve_invoice_item),
    route("DELETE", "/v1/invoiceitems/{}", delete_invoice_item),
]
