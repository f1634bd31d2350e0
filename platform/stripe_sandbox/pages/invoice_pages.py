"""The hosted invoice: what is owed, how it can be paid, and the receipt of a charge."""

from collections.abc import Mapping
from html import escape

from stripe_sandbox.api import Answer
from stripe_sandbox.catalog.pricing import money
from stripe_sandbox.invoices.papers import day, sums
from stripe_sandbox.pages.card_forms import (
    CARD_STYLE,
    card_fields_html,
    card_name,
    method_from,
    place_of,
    read_card,
)
from stripe_sandbox.pages.pages import document, html, see_other
from stripe_sandbox.payments.cards import NEEDS_ACTION
from stripe_sandbox.payments.payments import method_for
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.billing import charge

_NEW = "new"
_STANDINGS = {"paid": "Paid", "void": "This invoice has been voided", "draft": "A draft"}
_NOT_AUTHENTICATED = (
    "We are unable to authenticate your payment method. Please choose a different payment method "
    "and try again."
)


def serve_invoice(unit: Unit, invoice: Document, fields: Mapping[str, str] | None) -> Answer:
    """Show the invoice, or try to pay it with the card that was chosen."""
    if fields is None or not _can_be_paid(invoice):
        if fields is not None:
            return see_other(invoice["hosted_invoice_url"])
        return html(_invoice_page(unit, invoice, {}, {}, _alert(unit, invoice)))
    method, wrong = _chosen_method(unit, invoice, fields)
    if method is None:
        return html(_invoice_page(unit, invoice, fields, wrong), 422)
    page = invoice["hosted_invoice_url"]
    refused = charge(unit, invoice, method, automatic=False, off_session=False, return_url=page)
    if refused is NEEDS_ACTION:
        intent = unit.need("payment_intent", invoice["_payment_intent"])
        return see_other(intent["next_action"]["redirect_to_url"]["url"])
    if refused is None:
        return see_other(page)
    if fields.get("method", _NEW) == _NEW:
        wrong = {place_of(refused): refused.message}
        return html(_invoice_page(unit, invoice, fields, wrong), 402)
    return html(_invoice_page(unit, invoice, fields, {}, refused.message), 402)


def _can_be_paid(invoice: Document) -> bool:
    return invoice["status"] in ("open", "uncollectible") and invoice["amount_remaining"] > 0


def _chosen_method(
    unit: Unit, invoice: Document, fields: Mapping[str, str]
) -> tuple[str | None, dict[str, str]]:
    """A card that the customer has, or the one that was typed."""
    saved = unit.find("payment_method", fields.get("method"))
    if saved and saved["customer"] == invoice["customer"]:
        return saved["id"], {}
    typed, wrong = read_card(fields, unit.now(invoice))
    method = method_from(unit, typed, invoice["customer"]) if typed else None
    return (method["id"] if method else None), wrong


def _alert(unit: Unit, invoice: Document) -> str:
    """Why the invoice is still open, where an attempt has just failed."""
    intent = unit.find("payment_intent", invoice["_payment_intent"])
    error = intent["last_payment_error"] if intent else None
    if not _can_be_paid(invoice) or error is None:
        return ""
    failed = error["code"] == "payment_intent_authentication_failure"
    return _NOT_AUTHENTICATED if failed else str(error["message"])


def _payment(
    unit: Unit, invoice: Document, typed: Mapping[str, str], wrong: Mapping[str, str]
) -> str:
    """The form, or what there is to say instead of it."""
    if not _can_be_paid(invoice):
        words = _STANDINGS.get(invoice["status"], "")
        when = invoice["status_transitions"]["paid_at"] if invoice["status"] == "paid" else None
        return f"<p class=note>{words}{' on ' + day(when) if when else ''}.</p>" if words else ""
    saved = list(unit.every("payment_method", owner=invoice["customer"]))
    usual = method_for(unit, invoice) or (saved[0]["id"] if saved else _NEW)
    chosen = typed.get("method") or usual
    choices = "".join(_choice(method, chosen) for method in saved)
    if choices:
        new = " checked" if chosen == _NEW else ""
        choices = (
            f"<fieldset><legend>Pay with</legend>{choices}<label class=choice>"
            f'<input type=radio name=method value="{_NEW}"{new}>Another card</label></fieldset>'
        )
    due = escape(money(invoice["amount_remaining"], invoice["currency"]))
    return (
        f"<form method=post class=stack>{choices}"
        f"<div class=new-card>{card_fields_html(typed, wrong)}</div>"
        f"<button>Pay {due}</button></form>"
    )


def _choice(method: Document, chosen: str) -> str:
    card = method["card"]
    checked = " checked" if method["id"] == chosen else ""
    return (
        f'<label class=choice><input class=saved type=radio name=method value="{method["id"]}"'
        f"{checked}>{escape(card_name(card))}, expires "
        f"{card['exp_month']:02d}/{card['exp_year']}</label>"
    )


def _invoice_page(
    unit: Unit,
    invoice: Document,
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
    alert: str = "",
) -> bytes:
    currency = invoice["currency"]
    lines = "".join(
        f"<tr><td>{escape(line['description'] or '')}<br><span class=soft>"
        f"{day(line['period']['start'])} – {day(line['period']['end'])}</span></td>"
        f"<td class=amount>{escape(money(line['amount'], currency))}</td></tr>"
        for line in invoice["_lines"]
    )
    totals = "".join(
        f"<tr class=total><td>{name}</td><td class=amount>{escape(money(amount, currency))}</td>"
        "</tr>"
        for name, amount in sums(invoice)
    )
    title = f"Invoice {invoice['number']}"
    told = f"<p class=alert role=alert>{escape(alert)}</p>" if alert else ""
    return document(
        title,
        f"<h1>{escape(title)}</h1>"
        f"<p class=soft>{escape(invoice['account_name'])} · {day(invoice['effective_at'])} · "
        f"{escape(invoice['status'])}</p>"
        f"<p>{escape(invoice['customer_name'] or invoice['customer_email'] or '')}</p>{told}"
        "<table><thead><tr><th scope=col>Description</th><th scope=col class=amount>Amount</th>"
        f"</tr></thead><tbody>{lines}{totals}</tbody></table>"
        f"{_payment(unit, invoice, typed, wrong)}"
        f'<p><a href="{escape(invoice["invoice_pdf"])}">Download PDF</a></p>',
        style=CARD_STYLE,
    )


def receipt_page(paid: Document) -> bytes:
    """What a customer gets for a paid charge."""
    card = paid["payment_method_details"]["card"]
    return document(
        "Receipt",
        f"<h1>Receipt</h1><p class=soft>{day(paid['created'])}</p>"
        "<table><tbody><tr><th scope=row>Amount paid</th>"
        f"<td class=amount>{escape(money(paid['amount'], paid['currency']))}</td></tr>"
        f"<tr><th scope=row>Payment method</th><td class=amount>{escape(card['brand'])} "
        f"•••• {escape(card['last4'])}</td></tr></tbody></table>",
    )
