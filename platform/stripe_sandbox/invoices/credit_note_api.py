"""The credit notes of the API: preview, issue, find, describe and void."""

from stripe_sandbox.invoices.credit_notes import issue_credit_note, void_note
from stripe_sandbox.requests.forms import (
    PAGE,
    anything,
    hash_of,
    integer,
    list_of,
    metadata,
    natural,
    one_of,
    span,
    text,
    within,
)
from stripe_sandbox.requests.lists import page, slice_of
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, merged_metadata, public
from stripe_sandbox.state.unit import Unit


def create_credit_note(unit: Unit, params: Document) -> Document:
    """Issue it: what is open is lessened, what was paid is given back as asked."""
    return public(issue_credit_note(unit, params))


def preview_credit_note(unit: Unit, params: Document) -> Document:
    """Issued in earnest, read, and undone."""
    with unit.rehearsal() as rehearsed:
        return public(issue_credit_note(rehearsed, params))


def preview_lines(unit: Unit, params: Document) -> Document:
    """All the lines of a preview."""
    with unit.rehearsal() as rehearsed:
        lines = issue_credit_note(rehearsed, params)["_lines"]
    return slice_of(lines, "/v1/credit_notes/preview/lines", params, "credit note line item")


def retrieve_credit_note(unit: Unit, params: Document, identifier: str) -> Document:
    """One credit note."""
    return public(unit.need("credit_note", identifier))


def list_note_lines(unit: Unit, params: Document, identifier: str) -> Document:
    """All the lines of a credit note, which shows only the first ten itself."""
    lines = unit.need("credit_note", identifier)["_lines"]
    url = f"/v1/credit_notes/{identifier}/lines"
    return slice_of(lines, url, params, "credit note line item")


def update_credit_note(unit: Unit, params: Document, identifier: str) -> Document:
    """Memo and metadata."""
    note = unit.need("credit_note", identifier)
    if "memo" in params:
        note["memo"] = params["memo"]
    if "metadata" in params:
        note["metadata"] = merged_metadata(note["metadata"], params["metadata"])
    return public(unit.update(note, "credit_note.updated"))


def void_credit_note(unit: Unit, params: Document, identifier: str) -> Document:
    """Take it back while its invoice is open."""
    return void_note(unit, unit.need("credit_note", identifier))


def list_credit_notes(unit: Unit, params: Document) -> Document:
    """Newest first, by customer or invoice."""
    return page(
        unit, "credit_note", "/v1/credit_notes", params,
        owner=params.get("customer"), tag=params.get("invoice"),
        only=lambda note: within(note["created"], params.get("created")),
    )  # fmt: skip


_LINE = hash_of(
    {
        "amount": natural,
        "description": text,
        "invoice_line_item": text,
        "metadata": metadata,
        "quantity": natural,
        "type": one_of("custom_line_item", "invoice_line_item"),
        "unit_amount": natural,
    },
    ("type",),
)
_FIELDS = {
    "amount": natural,
    "credit_amount": natural,
    "effective_at": integer,
    "email_type": one_of("credit_note", "none"),
    "invoice": text,
    "lines": list_of(_LINE),
    "memo": text,
    "metadata": metadata,
    "out_of_band_amount": natural,
    "reason": one_of("duplicate", "fraudulent", "order_change", "product_unsatisfactory"),
    "refund_amount": natural,
    "refunds": list_of(
        hash_of({"amount_refunded": natural, "refund": text, "type": one_of("refund")}, ("refund",))
    ),
    "shipping_cost": anything,
}
_PATH = "/v1/credit_notes"

ROUTES = [
    route("POST", _PATH, create_credit_note, _FIELDS, ("invoice",)),
    listing(_PATH, list_credit_notes, {"created": span, "customer": text, "invoice": text}),
    route("GET", f"{_PATH}/preview", preview_credit_note, _FIELDS, ("invoice",)),
    route("GET", f"{_PATH}/preview/lines", preview_lines, {**PAGE, **_FIELDS}, ("invoice",)),
    route("GET", f"{_PATH}/{{}}", retrieve_credit_note),
    route("POST", f"{_PATH}/{{}}", update_credit_note, {"memo": text, "metadata": metadata}),
    listing(f"{_PATH}/{{}}/lines", list_note_lines),
    route("POST", f"{_PATH}/{{}}/void", void_credit_note),
]
