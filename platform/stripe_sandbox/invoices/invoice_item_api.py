"""The invoice items of the API: amounts and prices that wait for an invoice, or join a draft."""

from decimal import Decimal

from stripe_sandbox.catalog.pricing import amount_for, decimal_string, new_price
from stripe_sandbox.customers.addressees import living_customer
from stripe_sandbox.invoices.invoice_drafts import fill_draft, refill
from stripe_sandbox.invoices.invoice_items import new_invoice_item
from stripe_sandbox.invoices.invoice_lines import pricing_of
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    boolean,
    hash_of,
    integer,
    metadata,
    natural,
    span,
    text,
    within,
)
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, apply, merged_metadata, public
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.prorations import rounded_decimal


def create_invoice_item(unit: Unit, params: Document) -> Document:
    """By amount, by price, or by an amount for each unit; it waits unless a draft is named."""
    customer = living_customer(unit, params["customer"], "customer")
    item = _priced(unit, customer, params)
    _describe(item, params)
    if subscription := params.get("subscription"):
        unit.need("subscription", subscription, "subscription")
        item["parent"] = {
            "type": "subscription_details",
            "subscription_details": {"subscription": subscription, "subscription_item": None},
        }
    unit.add(item, "invoiceitem.created")
    if draft := params.get("invoice"):
        fill_draft(unit, unit.need("invoice", draft, "invoice"), item)
    return public(item)


def _priced(unit: Unit, customer: Document, params: Document) -> Document:
    quantity = 1 if params.get("quantity") is None else params["quantity"]
    price = _price(unit, params)
    if price:
        if price["recurring"]:
            raise invalid(
                "The price specified is set to `type=recurring` but this field only accepts "
                "prices with `type=one_time`.",
                "pricing[price]",
            )
        amount = amount_for(price, quantity)
        item = new_invoice_item(unit, customer, price["currency"], amount)
        product = unit.find("product", price["product"])
        item.update(pricing=pricing_of(price), description=product["name"] if product else None)
    else:
        item = new_invoice_item(unit, customer, *_sum(customer, params, quantity))
    item.update(quantity=quantity, quantity_decimal=str(quantity))
    return item


def _price(unit: Unit, params: Document) -> Document | None:
    if named := (params.get("pricing") or {}).get("price"):
        return unit.need("price", named, "pricing[price]")
    if data := params.get("price_data"):
        return unit.add(new_price(unit, data))
    return None


def _sum(customer: Document, params: Document, quantity: int) -> tuple[str, int]:
    currency = (params.get("currency") or customer["currency"] or "").lower()
    each = params.get("unit_amount_decimal")
    amount = params.get("amount")
    if each is not None:
        amount = rounded_decimal(Decimal(each) * quantity)
    if amount is None or not currency:
        raise invalid("You must pass `amount` and `currency`.", "amount", "parameter_missing")
    return currency, int(amount)


def _describe(item: Document, params: Document) -> None:
    apply(item, params, ("description", "period"))
    if "discountable" in params:
        item["discountable"] = params["discountable"] is not False
    if "metadata" in params:
        item["metadata"] = merged_metadata(item["metadata"], params["metadata"])


def retrieve_invoice_item(unit: Unit, params: Document, identifier: str) -> Document:
    """One invoice item."""
    return public(unit.need("invoiceitem", identifier))


def update_invoice_item(unit: Unit, params: Document, identifier: str) -> Document:
    """While it waits: its words, and its amount if it is no proration."""
    item = unit.need("invoiceitem", identifier)
    if item["invoice"]:
        raise invalid("This invoice item is on an invoice already.", code="invoice_not_editable")
    _describe(item, params)
    if params.get("amount") is not None:
        if item["proration"]:
            raise invalid("The amount of a proration cannot be changed.", "amount")
        item.update(amount=params["amount"], net_amount=params["amount"])
    return public(unit.update(item))


def delete_invoice_item(unit: Unit, params: Document, identifier: str) -> Document:
    """While it waits, or with its line while its invoice is a draft."""
    item = unit.need("invoiceitem", identifier)
    if item["invoice"]:
        _take_off_draft(unit, item)
    return unit.remove(item, "invoiceitem.deleted")


def _take_off_draft(unit: Unit, item: Document) -> None:
    invoice = unit.need("invoice", item["invoice"])
    if invoice["status"] != "draft":
        raise invalid(
            "Can't delete an invoice item that is attached to an invoice that is no longer "
            "editable.",
            code="invoice_not_editable",
        )
    invoice["_lines"] = [
        line
        for line in invoice["_lines"]
        if line["parent"][line["parent"]["type"]]["invoice_item"] != item["id"]
    ]
    refill(unit, invoice)


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


_WORDS = {
    "amount": integer,
    "description": text,
    "discountable": boolean,
    "metadata": metadata,
    "period": hash_of({"end": integer, "start": integer}, ("end", "start")),
}
_PRICE_DATA = hash_of(
    {
        "currency": text,
        "product": text,
        "unit_amount": natural,
        "unit_amount_decimal": decimal_string,
    },
    ("currency", "product"),
)
_PATH = "/v1/invoiceitems"

ROUTES = [
    route(
        "POST",
        _PATH,
        create_invoice_item,
        {
            **_WORDS,
            "currency": text,
            "customer": text,
            "invoice": text,
            "price_data": _PRICE_DATA,
            "pricing": hash_of({"price": text}),
            "quantity": natural,
            "subscription": text,
            "unit_amount_decimal": decimal_string,
        },
        ("customer",),
    ),
    listing(
        _PATH,
        list_invoice_items,
        {"created": span, "customer": text, "invoice": text, "pending": boolean},
    ),
    route("GET", f"{_PATH}/{{}}", retrieve_invoice_item),
    route("POST", f"{_PATH}/{{}}", update_invoice_item, _WORDS),
    route("DELETE", f"{_PATH}/{{}}", delete_invoice_item),
]
