"""Papers: an invoice and a credit note as PDF, from the merchant to the customer."""

import hmac
from datetime import UTC, datetime

from stripe_sandbox.catalog.pricing import money
from stripe_sandbox.invoices.pdf import Words, one_page
from stripe_sandbox.state.accounts import load_account
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.store import Store

_LEFT, _MIDDLE, _RIGHT = 50, 310, 545
_STEP = 14
_MOST_LINES = 20


def day(moment: int | None) -> str:
    """A date as invoices show it: 22 Nov 2026."""
    return f"{datetime.fromtimestamp(moment, UTC):%d %b %Y}" if moment else "—"


def sums(invoice: Document) -> list[tuple[str, int]]:
    """The rows below the lines, in minor units."""
    discount = sum(part["amount"] for part in invoice["total_discount_amounts"])
    credited = invoice["pre_payment_credit_notes_amount"]
    balance = invoice["amount_due"] + credited - max(invoice["total"], 0)
    rows = [("Subtotal", invoice["subtotal"])]
    rows += [("Discount", -discount)] if discount else []
    rows += [("Total", invoice["total"])]
    rows += [("Applied balance", balance)] if balance else []
    rows += [("Credit notes", -credited)] if credited else []
    return [*rows, ("Amount due", invoice["amount_due"])]


def paper(store: Store, path: str) -> tuple[str, bytes] | None:
    """Content type and bytes of a PDF at its unguessable address; None where there is none."""
    match path.strip("/").split("/"):
        case ["i" | "credit_notes" as kind, account, identifier, token, "pdf"]:
            found = _stored(store, account, "invoice" if kind == "i" else "credit_note", identifier)
            if found is None or not hmac.compare_digest(found["_token"].encode(), token.encode()):
                return None
            merchant = load_account(store, account).settings
            if kind == "i":
                return "application/pdf", invoice_pdf(found, merchant)
            invoice = _stored(store, account, "invoice", found["invoice"])
            return (
                ("application/pdf", credit_note_pdf(found, invoice, merchant)) if invoice else None
            )
    return None


def _stored(store: Store, account: str, kind: str, identifier: str) -> Document | None:
    raw = store.read(account, kind, identifier)
    return store.decode(raw) if raw else None


def invoice_pdf(invoice: Document, merchant: Document) -> bytes:
    """An invoice on one page; what does not fit is counted on its last line.

    `merchant` are the account's settings: name, address and email.
    """
    title = f"Invoice {invoice['number'] or 'draft'}"
    facts = [("Date of issue", day(invoice["effective_at"]))]
    facts += [("Date due", day(invoice["due_date"]))] if invoice["due_date"] else []
    facts += [(field["name"], field["value"]) for field in invoice["custom_fields"] or []]
    rows = [(line["description"] or "", line["amount"]) for line in invoice["_lines"]]
    head = _head(title, facts, invoice, merchant)
    body = _table(rows, sums(invoice), invoice["currency"], top=head[-1].y - 40)
    return one_page([*head, *body, *_foot(invoice["description"], invoice["footer"])], title)


def credit_note_pdf(note: Document, invoice: Document, merchant: Document) -> bytes:
    """A credit note on one page, addressed as its invoice is."""
    title = f"Credit note {note['number']}"
    facts = [("Date of issue", day(note["effective_at"])), ("Invoice", invoice["number"])]
    rows = [(line["description"] or "Credit", line["amount"]) for line in note["_lines"]]
    below = [("Discount", -note["discount_amount"])] if note["discount_amount"] else []
    below = [*below, ("Total credited", note["total"])]
    head = _head(title, facts, invoice, merchant)
    body = _table(rows, below, note["currency"], top=head[-1].y - 40)
    return one_page([*head, *body, *_foot(note["memo"])], title)


def _head(
    title: str, facts: list[tuple[str, str]], invoice: Document, merchant: Document
) -> list[Words]:
    words = [Words(_LEFT, 780, 20, title, bold=True)]
    height = 758.0
    for name, value in facts:
        words.append(Words(_LEFT, height, 10, f"{name}: {value}"))
        height -= _STEP
    height -= _STEP
    sides = (
        (_LEFT, [merchant["name"], *merchant["address"], merchant["email"]]),
        (_MIDDLE, _addressed(invoice)),
    )
    lowest = height
    for x, lines in sides:
        for number, line in enumerate(lines):
            words.append(Words(x, height - number * _STEP, 10, line, bold=number == 0))
        lowest = min(lowest, height - len(lines) * _STEP)
    return [*words, Words(_LEFT, lowest, 10, "")]


def _addressed(invoice: Document) -> list[str]:
    address = invoice["customer_address"] or {}
    town = " ".join(address[name] for name in ("postal_code", "city", "state") if address.get(name))
    lines = [invoice["customer_name"] or invoice["customer_email"] or ""]
    lines += [address.get("line1"), address.get("line2"), town, address.get("country")]
    lines += [invoice["customer_email"] if invoice["customer_name"] else None]
    lines += [invoice["customer_phone"]]
    lines += [f"{_words(each['type'])} {each['value']}" for each in invoice["customer_tax_ids"]]
    return ["Bill to", *(line for line in lines if line)]


def _words(kind: str) -> str:
    """A tax id's type for people: `eu_vat` is EU VAT."""
    return kind.replace("_", " ").upper()


def _table(
    rows: list[tuple[str, int]], below: list[tuple[str, int]], currency: str, top: float
) -> list[Words]:
    words = [
        Words(_LEFT, top, 10, "Description", bold=True),
        Words(_RIGHT, top, 10, "Amount", bold=True, right_aligned=True),
    ]
    height = top - 18
    for description, amount in rows[:_MOST_LINES]:
        words.append(Words(_LEFT, height, 10, description))
        words.append(Words(_RIGHT, height, 10, money(amount, currency), right_aligned=True))
        height -= 18
    if len(rows) > _MOST_LINES:
        words.append(Words(_LEFT, height, 10, f"and {len(rows) - _MOST_LINES} more lines"))
        height -= 18
    for name, amount in below:
        height -= 18
        words.append(Words(360, height, 10, name, bold=True))
        words.append(Words(_RIGHT, height, 10, money(amount, currency), right_aligned=True))
    return words


def _foot(*texts: str | None) -> list[Words]:
    lines = [text for text in texts if text]
    return [Words(_LEFT, 40 + 14 * number, 9, line) for number, line in enumerate(lines[::-1])]
