"""Invoices by hand: drafts are made, filled, changed, thrown away and sent."""

from collections.abc import Iterator

from stripe_sandbox.catalog.discounts import DISCOUNTS, discount_invoice, take_off_lines
from stripe_sandbox.customers.addressees import living_customer
from stripe_sandbox.invoices.invoice_items import pending_items
from stripe_sandbox.invoices.invoice_lines import pending_line
from stripe_sandbox.invoices.invoices import (
    DRAFT_SECONDS,
    claim_pending,
    finalize,
    new_invoice,
    set_lines,
    subscription_of,
)
from stripe_sandbox.payments.payment_methods import find_payment_method
from stripe_sandbox.payments.payments import open_payment, set_automatic
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    ADDRESS,
    anything,
    boolean,
    hash_of,
    integer,
    list_of,
    metadata,
    natural,
    one_of,
    text,
)
from stripe_sandbox.requests.routing import route
from stripe_sandbox.state.documents import Document, apply, merged_metadata, public
from stripe_sandbox.state.placement import DAY
from stripe_sandbox.state.unit import Unit

# What only a draft can still be given.
_WORDS = (
    "account_tax_ids", "custom_fields", "effective_at", "footer", "number", "shipping_details",
    "statement_descriptor",
)  # fmt: skip
# What a finalized invoice can be given as well.
_ALWAYS = ("default_payment_method", "description")


def create_invoice(unit: Unit, params: Document) -> Document:
    """A draft for a customer, with the items that wait for one if it is to include them."""
    customer = living_customer(unit, params["customer"], "customer")
    subscription = None
    if named := params.get("subscription"):
        subscription = unit.need("subscription", named, "subscription")
    currency = (params.get("currency") or customer["currency"] or "usd").lower()
    invoice = new_invoice(
        unit, customer, [], "manual", subscription=subscription, currency=currency
    )
    invoice["metadata"] = merged_metadata({}, params.get("metadata"))
    invoice["auto_advance"] = bool(params.get("auto_advance"))
    _collect_as(unit, invoice, params)
    apply(invoice, params, (*_WORDS, *_ALWAYS))
    _time_finalization(invoice, params)
    unit.add(invoice)
    _include_pending(unit, invoice, customer, subscription, params)
    if params.get("discounts"):
        discount_invoice(unit, invoice, params["discounts"])
        set_lines(invoice, invoice["_lines"])
    unit.update(invoice)
    unit.emit("invoice.created", invoice)
    return public(invoice)


def _include_pending(
    unit: Unit, invoice: Document, customer: Document, subscription: Document | None,
    params: Document,
) -> None:  # fmt: skip
    if subscription:
        items = list(pending_items(unit, subscription))
    elif params.get("pending_invoice_items_behavior") == "include":
        items = list(_loose_items(unit, customer, invoice["currency"]))
    else:
        return
    if subscription and not items:
        raise invalid(
            "Nothing to invoice for subscription", code="invoice_no_subscription_line_items"
        )
    set_lines(invoice, [pending_line(item) for item in items])
    claim_pending(unit, invoice)


def _loose_items(unit: Unit, customer: Document, currency: str) -> Iterator[Document]:
    """What waits for the customer's next invoice and belongs to no subscription."""
    waiting = unit.every("invoiceitem", owner=customer["id"], tag="pending", oldest_first=True)
    return (item for item in waiting if item["currency"] == currency and not item["parent"])


def _collect_as(unit: Unit, invoice: Document, params: Document) -> None:
    """Charged or sent; what is sent has a due date and somebody to be sent to."""
    invoice["collection_method"] = params.get("collection_method") or invoice["collection_method"]
    sent = invoice["collection_method"] == "send_invoice"
    for name in ("days_until_due", "due_date"):
        if params.get(name) is not None and not sent:
            raise invalid(
                f"You can only set `{name}` if collection_method is `send_invoice`.", name
            )
    if sent:
        check_email(unit, invoice)
    if (days := params.get("days_until_due")) is not None:
        invoice["due_date"] = invoice["created"] + days * DAY
    if (due := params.get("due_date")) is not None:
        if due < invoice["created"]:
            raise invalid("The due date must be in the future.", "due_date")
        invoice["due_date"] = due
    if method := params.get("default_payment_method"):
        found = find_payment_method(unit, method, "default_payment_method")
        if found["customer"] != invoice["customer"]:
            raise invalid(
                "The payment method must be attached to the customer.", "default_payment_method"
            )


def check_email(unit: Unit, invoice: Document) -> None:
    """What is sent needs an address. Raises 400."""
    if not unit.need("customer", invoice["customer"])["email"]:
        raise invalid(
            "Missing email. In order to create invoices that are sent to the customer, the "
            "customer must have a valid email.",
        )


def _time_finalization(invoice: Document, params: Document) -> None:
    at = params.get("automatically_finalizes_at")
    if at is None and invoice["auto_advance"]:
        at = invoice["automatically_finalizes_at"] or invoice["created"] + DRAFT_SECONDS
    invoice["automatically_finalizes_at"] = at if invoice["auto_advance"] else None


def update_invoice(unit: Unit, params: Document, identifier: str) -> Document:
    """A draft takes everything, a finalized invoice words and its payment only."""
    invoice = unit.need("invoice", identifier)
    if invoice["status"] == "draft":
        _collect_as(unit, invoice, params)
        apply(invoice, params, _WORDS)
        if "discounts" in params:
            discount_invoice(unit, invoice, params["discounts"])
            set_lines(invoice, invoice["_lines"])
    elif late := sorted(params.keys() & _DRAFT_ONLY):
        raise invalid(
            "Finalized invoices can't be updated in this way", late[0], "invoice_not_editable"
        )
    apply(invoice, params, _ALWAYS)
    _advance_automatically(unit, invoice, params)
    if invoice["status"] == "draft":
        _time_finalization(invoice, params)
    if "metadata" in params:
        invoice["metadata"] = merged_metadata(invoice["metadata"], params["metadata"])
    return public(unit.update(invoice, "invoice.updated"))


def _advance_automatically(unit: Unit, invoice: Document, params: Document) -> None:
    """Of what is paid, void or given up nothing can be collected automatically any more
    (https://docs.stripe.com/invoicing/integration/automatic-advancement-collection)."""
    automatic = bool(params.get("auto_advance", invoice["auto_advance"]))
    if invoice["status"] == "open":
        set_automatic(unit, invoice, automatic)
    elif invoice["status"] == "draft":
        invoice["auto_advance"] = automatic
    elif automatic:
        raise invalid(
            "Automatic collection can be turned on for draft and open invoices only; this one is "
            f"{invoice['status']}.",
            "auto_advance",
            "invoice_not_editable",
        )


def fill_draft(unit: Unit, invoice: Document, item: Document) -> None:
    """Put an invoice item on a draft at once, instead of letting it wait."""
    if invoice["status"] != "draft":
        raise invalid(
            "The invoice is no longer a draft: nothing can be added to it.", "invoice",
            "invoice_not_editable",
        )  # fmt: skip
    if (invoice["customer"], invoice["currency"]) != (item["customer"], item["currency"]):
        raise invalid("The invoice is another customer's or in another currency.", "invoice")
    set_lines(invoice, [*invoice["_lines"], pending_line(item)])
    claim_pending(unit, invoice)
    refill(unit, invoice)


def refill(unit: Unit, invoice: Document) -> None:
    """Discount and sum a draft's lines up again, after they have changed."""
    if invoice["discounts"]:
        take_off_lines(unit, invoice)
    set_lines(invoice, invoice["_lines"])
    unit.update(invoice, "invoice.updated")


def delete_invoice(unit: Unit, params: Document, identifier: str) -> Document:
    """Only a draft that bills no subscription; the items on it wait again."""
    invoice = unit.need("invoice", identifier)
    if invoice["status"] != "draft":
        raise invalid("You can only delete draft invoices.", code="invoice_not_editable")
    if subscription_of(invoice):
        raise invalid(
            "Invoices of subscriptions cannot be deleted: finalize and void this one instead.",
            code="invoice_not_editable",
        )
    items = list(unit.every("invoiceitem", owner=invoice["customer"]))
    for item in [each for each in items if each["invoice"] == identifier]:
        item["invoice"] = None
        unit.update(item)
    return unit.remove(invoice, "invoice.deleted")


def send_invoice(unit: Unit, params: Document, identifier: str) -> Document:
    """Send it, finalized first if it is a draft; here the event is all that is sent."""
    invoice = unit.need("invoice", identifier)
    if invoice["status"] in ("void", "uncollectible"):
        raise invalid(
            f"You can't send an invoice with status {invoice['status']}.",
            code="invoice_not_editable",
        )
    check_email(unit, invoice)
    if invoice["status"] == "draft":
        finalize(unit, invoice)
        if invoice["status"] == "open":
            open_payment(unit, invoice)
    unit.emit("invoice.sent", invoice)
    return public(invoice)


_FIELDS = {
    "account_tax_ids": list_of(text),
    "auto_advance": boolean,
    "automatically_finalizes_at": integer,
    "collection_method": one_of("charge_automatically", "send_invoice"),
    "custom_fields": list_of(hash_of({"name": text, "value": text}, ("name", "value"))),
    "days_until_due": natural,
    "default_payment_method": text,
    "description": text,
    "discounts": DISCOUNTS,
    "due_date": integer,
    "effective_at": integer,
    "footer": text,
    "metadata": metadata,
    "number": text,
    "payment_settings": anything,
    "rendering": anything,
    "shipping_details": hash_of({"address": ADDRESS, "name": text, "phone": text}),
    "statement_descriptor": text,
}
_DRAFT_ONLY = {*_WORDS, "collection_method", "days_until_due", "discounts", "due_date"}

ROUTES = [
    route(
        "POST",
        "/v1/invoices",
        create_invoice,
        {
            **_FIELDS,
            "currency": text,
            "customer": text,
            "pending_invoice_items_behavior": one_of("exclude", "include"),
            "subscription": text,
        },
        ("customer",),
    ),
    route("POST", "/v1/invoices/{}", update_invoice, _FIELDS),
    route("DELETE", "/v1/invoices/{}", delete_invoice),
    route("POST", "/v1/invoices/{}/send", send_invoice),
]
