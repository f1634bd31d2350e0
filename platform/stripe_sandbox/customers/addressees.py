"""Whom invoices are addressed to: the customer's details, copied until an invoice is finalized."""

from stripe_sandbox.requests.errors import missing
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit

_COPIED = ("address", "email", "name", "phone", "shipping", "tax_exempt")


def living_customer(unit: Unit, identifier: str, param: str | None = None) -> Document:
    """A customer who is not deleted. Raises resource_missing."""
    customer = unit.need("customer", identifier, param)
    if customer.get("_deleted"):
        raise missing("customer", identifier, param)
    return customer


def addressee(unit: Unit, customer: Document) -> Document:
    """The fields of an invoice that say who the customer is now."""
    tax_ids = unit.every("tax_id", owner=customer["id"], oldest_first=True)
    return {
        "customer": customer["id"],
        **{f"customer_{name}": customer[name] for name in _COPIED},
        "customer_tax_ids": [{"type": each["type"], "value": each["value"]} for each in tax_ids],
    }


def invoice_defaults(customer: Document) -> Document:
    """What a customer's `invoice_settings` put on every new invoice."""
    settings = customer["invoice_settings"]
    options = settings["rendering_options"]
    rendering = {
        "amount_tax_display": options.get("amount_tax_display"),
        "pdf": {"page_size": "auto"},
        "template": options.get("template"),
        "template_version": None,
    } if options else None  # fmt: skip
    return {
        "custom_fields": settings["custom_fields"],
        "footer": settings["footer"],
        "rendering": rendering,
    }


def readdress_drafts(unit: Unit, customer: Document) -> None:
    """Drafts follow their customer; what is finalized stays as it was sent."""
    fields = addressee(unit, customer)
    for invoice in list(unit.every("invoice", owner=customer["id"])):
        if invoice["status"] == "draft":
            invoice.update(fields)
            unit.update(invoice)
