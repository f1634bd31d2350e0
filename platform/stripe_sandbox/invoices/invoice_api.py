"""The invoices of the API: find, finalize, pay, void and give up."""

from stripe_sandbox.invoices.invoices import finalize, mark_paid, mark_uncollectible, void
from stripe_sandbox.payments.intents import cancel_payment
from stripe_sandbox.payments.payment_methods import check_attachable, find_payment_method
from stripe_sandbox.payments.payments import method_for, open_payment, refused_payment
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import anything, boolean, one_of, span, text, within
from stripe_sandbox.requests.lists import page, slice_of
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, public
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.billing import charge, collect
from stripe_sandbox.subscriptions.standing import after_payment


def retrieve_invoice(unit: Unit, params: Document, identifier: str) -> Document:
    """One invoice."""
    return public(unit.need("invoice", identifier))


def list_invoices(unit: Unit, params: Document) -> Document:
    """Newest first, by customer, subscription, status, collection method or time."""
    customer = params.get("customer")
    subscription = params.get("subscription")

    def passes(invoice: Document) -> bool:
        return (
            customer in (None, invoice["customer"])
            and params.get("status") in (None, invoice["status"])
            and params.get("collection_method") in (None, invoice["collection_method"])
            and within(invoice["created"], params.get("created"))
            and ("due_date" not in params or within(invoice["due_date"] or 0, params["due_date"]))
        )

    return page(
        unit, "invoice", "/v1/invoices", params, tag=subscription,
        owner=None if subscription else customer, only=passes,
    )  # fmt: skip


def list_lines(unit: Unit, params: Document, identifier: str) -> Document:
    """All the lines of an invoice, which shows only the first ten itself."""
    lines = unit.need("invoice", identifier)["_lines"]
    return slice_of(lines, f"/v1/invoices/{identifier}/lines", params, "line item")


def finalize_invoice(unit: Unit, params: Document, identifier: str) -> Document:
    """Open a draft. With auto-advance it is charged as well, as Stripe does shortly after."""
    invoice = unit.need("invoice", identifier)
    if "auto_advance" in params:
        invoice["auto_advance"] = params["auto_advance"]
    if invoice["auto_advance"]:
        collect(unit, invoice)
        if invoice["status"] != "draft":
            return public(invoice)
    finalize(unit, invoice)
    if invoice["status"] == "open":
        open_payment(unit, invoice)
    return public(invoice)


def pay_invoice(unit: Unit, params: Document, identifier: str) -> Document:
    """Charge an open invoice now, with the given payment method or the default one."""
    invoice = unit.need("invoice", identifier)
    if invoice["status"] == "draft":
        finalize(unit, invoice)
        if invoice["status"] == "paid":
            after_payment(unit, invoice)
            return public(invoice)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] == "void":
        raise invalid(
            "Invoices that are void or have a status of void cannot be paid.",
            code="invoice_not_editable",
        )
    if params.get("paid_out_of_band"):
        cancel_payment(unit, invoice, None)
        mark_paid(unit, invoice)
        after_payment(unit, invoice)
        return public(invoice)
    # Unlike elsewhere the customer is taken to be away unless it is said that they are not
    # (https://docs.stripe.com/api/invoices/pay#pay_invoice-off_session).
    away = params.get("off_session") is not False
    method = _chosen_method(unit, invoice, params)
    refused = charge(unit, invoice, method, automatic=False, off_session=away)
    if refused:
        raise refused_payment(unit, invoice, refused)
    return public(invoice)


def _chosen_method(unit: Unit, invoice: Document, params: Document) -> str:
    named = params.get("payment_method") or method_for(unit, invoice)
    if named is None:
        raise invalid(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set a "
            "default payment method or provide one with the request.",
            "payment_method",
        )
    method = find_payment_method(unit, named, "payment_method")
    check_attachable(method)
    if method["customer"] not in (None, invoice["customer"]):
        raise invalid("The payment method belongs to another customer.", "payment_method")
    return str(method["id"])


def void_invoice(unit: Unit, params: Document, identifier: str) -> Document:
    """Only what is open or uncollectible can be voided."""
    invoice = unit.need("invoice", identifier)
    _check_open(invoice, "void")
    void(unit, invoice)
    after_payment(unit, invoice)
    return public(invoice)


def give_up_invoice(unit: Unit, params: Document, identifier: str) -> Document:
    """Mark an open invoice as uncollectible."""
    invoice = unit.need("invoice", identifier)
    _check_open(invoice, "mark as uncollectible")
    mark_uncollectible(unit, invoice)
    after_payment(unit, invoice)
    return public(invoice)


def _check_open(invoice: Document, what: str) -> None:
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(
            f"You can only {what} an open or uncollectible invoice; this one is "
            f"{invoice['status']}.",
            code="invoice_not_editable",
        )


ROUTES = [
    listing(
        "/v1/invoices",
        list_invoices,
        {
            "collection_method": text,
            "created": span,
            "customer": text,
            "due_date": span,
            "status": one_of("draft", "open", "paid", "uncollectible", "void"),
            "subscription": text,
        },
    ),
    route("GET", "/v1/invoices/{}", retrieve_invoice),
    listing("/v1/invoices/{}/lines", list_lines),
    route("POST", "/v1/invoices/{}/finalize", finalize_invoice, {"auto_advance": boolean}),
    route(
        "POST",
        "/v1/invoices/{}/pay",
        pay_invoice,
        {
            "forgive": boolean,
            "mandate": anything,
            "off_session": boolean,
            "paid_out_of_band": boolean,
            "payment_method": text,
        },
    ),
    route("POST", "/v1/invoices/{}/void", void_invoice),
    route("POST", "/v1/invoices/{}/mark_uncollectible", give_up_invoice),
]
