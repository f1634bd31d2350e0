"""The lines of a credit note: parts of an invoice's lines, or amounts of their own."""

from decimal import Decimal

from stripe_sandbox.requests.errors import invalid, missing
from stripe_sandbox.state.documents import Document, new_id
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.prorations import rounded_decimal


def credited_lines(unit: Unit, invoice: Document, params: Document) -> list[Document]:
    """What a credit note takes back: the lines asked for, or one of the whole amount."""
    if (params.get("amount") is None) == (params.get("lines") is None):
        raise invalid(
            "You must pass exactly one of `amount` and `lines`.", "amount", "parameter_missing"
        )
    if params.get("lines") is None:
        return [_line(params["amount"], None, kind="custom_line_item")]
    return [
        _credited(invoice, wanted, f"lines[{index}]")
        for index, wanted in enumerate(params["lines"])
    ]


def _credited(invoice: Document, wanted: Document, param: str) -> Document:
    if wanted["type"] == "custom_line_item":
        amount = _custom_amount(wanted, param)
        line = _line(amount, wanted.get("description"), kind="custom_line_item")
        unit_amount = wanted.get("unit_amount")
        line.update(quantity=wanted.get("quantity") or 1, unit_amount=unit_amount)
        return line
    billed = _billed(invoice, wanted.get("invoice_line_item") or "", param)
    amount = _billed_amount(billed, wanted, param)
    line = _line(amount, wanted.get("description") or billed["description"])
    line.update(invoice_line_item=billed["id"], quantity=wanted.get("quantity"))
    line["discount_amounts"] = [
        {**part, "amount": rounded_decimal(Decimal(part["amount"]) * amount / billed["amount"])}
        for part in billed["discount_amounts"]
    ]
    line["discount_amount"] = sum(part["amount"] for part in line["discount_amounts"])
    line["pretax_credit_amounts"] = [
        {**part, "type": "discount"} for part in line["discount_amounts"]
    ]
    return line


def _custom_amount(wanted: Document, param: str) -> int:
    if wanted.get("unit_amount") is None:
        raise invalid("A custom line item needs a unit_amount.", f"{param}[unit_amount]")
    return int(wanted["unit_amount"]) * (wanted.get("quantity") or 1)


def _billed(invoice: Document, identifier: str, param: str) -> Document:
    for line in invoice["_lines"]:
        if line["id"] == identifier:
            found: Document = line
            return found
    raise missing("invoice line item", identifier, f"{param}[invoice_line_item]")


def _billed_amount(billed: Document, wanted: Document, param: str) -> int:
    """By amount, by quantity, or the whole line."""
    amount = wanted.get("amount")
    if amount is None:
        share = Decimal(wanted.get("quantity") or billed["quantity"] or 1)
        amount = rounded_decimal(billed["amount"] * share / (billed["quantity"] or 1))
    if not 0 < amount <= billed["amount"]:
        raise invalid("The amount of a credited line cannot exceed what was billed.", param)
    return int(amount)


def _line(amount: int, description: str | None, kind: str = "invoice_line_item") -> Document:
    return {
        "id": new_id("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": description,
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": 1,
        "tax_rates": [],
        "taxes": [],
        "type": kind,
        "unit_amount": None,
        "unit_amount_decimal": None,
    }
