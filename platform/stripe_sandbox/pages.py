"""The hosted pages: an invoice, its PDF and a receipt, each at an unguessable address."""

import hmac
from datetime import UTC, datetime
from html import escape

from stripe_sandbox.documents import Document
from stripe_sandbox.pdf import Words, one_page
from stripe_sandbox.pricing import money
from stripe_sandbox.store import Store

PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
}
STYLE = """
:root { color-scheme: light dark; --ink: #1a1f36; --soft: #5c6478; --line: #d9dde6;
  --paper: #fff; --ground: #f4f5f8; --accent: #4b45c6 }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef4; --soft: #a6adbf; --line: #353b4d;
  --paper: #1b1f2b; --ground: #12151d; --accent: #a9a4ff } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
main { max-width: 46rem; margin: 3rem auto; padding: 2rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: .75rem }
h1 { margin: 0 0 .25rem; font-size: 1.5rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem;
  overflow-wrap: anywhere }
p { margin: .25rem 0 } .soft { color: var(--soft) } a { color: var(--accent) }
table { width: 100%; border-collapse: collapse; margin: 1.25rem 0 }
th, td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top }
th { font-weight: 600; color: var(--soft); font-size: .875rem }
.amount { text-align: right; padding-right: 0; font-variant-numeric: tabular-nums;
  white-space: nowrap }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin: .75rem 0 }
label { display: inline-flex; flex-wrap: wrap; gap: .5rem; align-items: center;
  font-size: .875rem }
input { font: inherit; padding: .2rem .4rem; width: 9rem; border: 1px solid var(--line);
  border-radius: .375rem; background: var(--ground); color: inherit }
input[type=checkbox] { width: auto } input[size="4"] { width: 4rem }
button { font: inherit; padding: .25rem .9rem; border: 0; border-radius: .375rem;
  background: var(--accent); color: var(--paper); cursor: pointer }
code { font-size: .85em; overflow-wrap: anywhere } td form { margin: 0 }
time { white-space: nowrap; font-variant-numeric: tabular-nums }
section { border-top: 1px solid var(--line); margin-top: 2rem }
main:has(section) { max-width: 62rem }
section > form { display: grid;
  grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)) }
section > form label { justify-content: space-between }
section > form button { justify-self: end }
.total td { font-weight: 600; border-bottom: 0 }
@media (max-width: 40rem) { main { margin: 0; padding: 1.25rem; border: 0; border-radius: 0 }
  section tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line) }
  section td { display: block; padding: 0; border: 0 } }
"""


def document(title: str, body: str) -> bytes:
    """A whole HTML page."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>"
    ).encode()


def hosted(store: Store, path: str) -> tuple[str, bytes] | None:
    """Content type and bytes of a hosted page; None where there is none."""
    match path.strip("/").split("/"):
        case ["i", account, identifier, token, *rest]:
            invoice = _opened(store, account, "invoice", identifier, token)
            if invoice and rest == ["pdf"]:
                return "application/pdf", invoice_pdf(invoice)
            if invoice and not rest:
                return "text/html; charset=utf-8", _invoice_page(invoice)
        case ["receipts", account, identifier, token]:
            charge = _opened(store, account, "charge", identifier, token)
            if charge:
                return "text/html; charset=utf-8", _receipt_page(charge)
    return None


def _opened(store: Store, account: str, kind: str, identifier: str, token: str) -> Document | None:
    raw = store.read(account, kind, identifier)
    found = store.decode(raw) if raw else None
    if found and hmac.compare_digest(found["_token"].encode(), token.encode()):
        return found
    return None


def day(moment: int | None) -> str:
    """A date as invoices show it: 22 Nov 2026."""
    return f"{datetime.fromtimestamp(moment, UTC):%d %b %Y}" if moment else "—"


def _sums(invoice: Document) -> list[tuple[str, int]]:
    """The rows below the lines, in minor units."""
    discount = sum(part["amount"] for part in invoice["total_discount_amounts"])
    balance = invoice["amount_due"] - max(invoice["total"], 0)
    rows = [("Subtotal", invoice["subtotal"])]
    rows += [("Discount", -discount)] if discount else []
    rows += [("Total", invoice["total"])]
    rows += [("Applied balance", balance)] if balance else []
    return [*rows, ("Amount due", invoice["amount_due"])]


def _invoice_page(invoice: Document) -> bytes:
    currency = invoice["currency"]
    lines = "".join(
        f"<tr><td>{escape(line['description'] or '')}<br><span class=soft>"
        f"{day(line['period']['start'])} – {day(line['period']['end'])}</span></td>"
        f"<td class=amount>{escape(money(line['amount'], currency))}</td></tr>"
        for line in invoice["_lines"]
    )
    sums = "".join(
        f"<tr class=total><td>{name}</td><td class=amount>{escape(money(amount, currency))}</td>"
        "</tr>"
        for name, amount in _sums(invoice)
    )
    title = f"Invoice {invoice['number']}"
    return document(
        title,
        f"<h1>{escape(title)}</h1>"
        f"<p class=soft>{escape(invoice['account_name'])} · {day(invoice['effective_at'])} · "
        f"{escape(invoice['status'])}</p>"
        f"<p>{escape(invoice['customer_name'] or invoice['customer_email'] or '')}</p>"
        "<table><thead><tr><th scope=col>Description</th><th scope=col class=amount>Amount</th>"
        f"</tr></thead><tbody>{lines}{sums}</tbody></table>"
        f'<p><a href="{escape(invoice["invoice_pdf"])}">Download PDF</a></p>',
    )


def _receipt_page(charge: Document) -> bytes:
    card = charge["payment_method_details"]["card"]
    return document(
        "Receipt",
        f"<h1>Receipt</h1><p class=soft>{day(charge['created'])}</p>"
        "<table><tbody><tr><th scope=row>Amount paid</th>"
        f"<td class=amount>{escape(money(charge['amount'], charge['currency']))}</td></tr>"
        f"<tr><th scope=row>Payment method</th><td class=amount>{escape(card['brand'])} "
        f"•••• {escape(card['last4'])}</td></tr></tbody></table>",
    )


_MOST_LINES = 24


def invoice_pdf(invoice: Document) -> bytes:
    """An invoice on one page; what does not fit is counted on its last line."""
    currency = invoice["currency"]
    words = [
        Words(50, 780, 20, f"Invoice {invoice['number']}", bold=True),
        Words(50, 758, 10, f"{invoice['account_name']} · {day(invoice['effective_at'])}"),
        Words(50, 740, 10, invoice["customer_name"] or invoice["customer_email"] or ""),
        Words(50, 700, 10, "Description", bold=True),
        Words(545, 700, 10, "Amount", bold=True, right_aligned=True),
    ]
    height = 682.0
    rows = [(line["description"] or "", line["amount"]) for line in invoice["_lines"]]
    for description, amount in rows[:_MOST_LINES]:
        words.append(Words(50, height, 10, description))
        words.append(Words(545, height, 10, money(amount, currency), right_aligned=True))
        height -= 18
    if len(rows) > _MOST_LINES:
        words.append(Words(50, height, 10, f"and {len(rows) - _MOST_LINES} more lines"))
        height -= 18
    for name, amount in _sums(invoice):
        height -= 18
        words.append(Words(360, height, 10, name, bold=True))
        words.append(Words(545, height, 10, money(amount, currency), right_aligned=True))
    return one_page(words, f"Invoice {invoice['number']}")
