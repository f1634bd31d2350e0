"""Charges and invoice payments of the API: read-only records of what was paid and refused."""

from stripe_sandbox.requests.forms import hash_of, one_of, span, text, within
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, public
from stripe_sandbox.state.unit import Unit


def retrieve_charge(unit: Unit, params: Document, identifier: str) -> Document:
    """One charge."""
    return public(unit.need("charge", identifier))


def list_charges(unit: Unit, params: Document) -> Document:
    """Newest first, by customer or payment intent."""
    return page(
        unit,
        "charge",
        "/v1/charges",
        params,
        owner=params.get("customer"),
        tag=params.get("payment_intent"),
        only=lambda charge: within(charge["created"], params.get("created")),
    )


def retrieve_invoice_payment(unit: Unit, params: Document, identifier: str) -> Document:
    """One payment of an invoice."""
    return public(unit.need("invoice_payment", identifier))


def list_invoice_payments(unit: Unit, params: Document) -> Document:
    """Newest first, by invoice, payment intent or status."""
    return page(
        unit,
        "invoice_payment",
        "/v1/invoice_payments",
        params,
        owner=params.get("invoice"),
        tag=(params.get("payment") or {}).get("payment_intent"),
        only=lambda payment: (
            params.get("status") in (None, payment["status"])
            and within(payment["created"], params.get("created"))
        ),
    )


ROUTES = [
    listing(
        "/v1/charges",
        list_charges,
        {"customer": text, "created": span, "payment_intent": text},
    ),
    route("GET", "/v1/charges/{}", retrieve_charge),
    listing(
        "/v1/invoice_payments",
        list_invoice_payments,
        {
            "created": span,
            "invoice": text,
            "payment": hash_of({"type": text, "payment_intent": text}),
            "status": one_of("canceled", "open", "paid"),
        },
    ),
    route("GET", "/v1/invoice_payments/{}", retrieve_invoice_payment),
]
