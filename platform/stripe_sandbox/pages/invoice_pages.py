"""The hosted invoice: what is owed, how it can be paid, and the receipt of a charge."""

from collections.abc import Mapping
from html import escape

from stripe_sandbox.api import Answer
from stripe_sandbox.invoices.papers import sums
from stripe_sandbox.pages.card_forms import (
    CARD_STYLE,
    alert_html,
    card_fields_html,
    card_name,
    method_from,
    place_of,
    read_card,
    reason_of,
)
from stripe_sandbox.pages.languages import Language
from stripe_sandbox.pages.pages import document, html, see_other
from stripe_sandbox.payments.cards import NEEDS_ACTION
from stripe_sandbox.payments.payments import method_for
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.billing import charge

_NEW = "new"
_STANDINGS = {
    "draft": "This invoice is a draft.",
    "paid": "Paid on {day}.",
    "void": "This invoice has been voided.",
}


def serve_invoice(
    unit: Unit, invoice: Document, fields: Mapping[str, str] | None, language: Language
) -> Answer:
    """Show the invoice, or try to pay it with the card that was chosen."""
    if fields is None or not _can_be_paid(invoice):
        if fields is not None:
            return see_other(invoice["hosted_invoice_url"])
        return html(_invoice_page(unit, invoice, language, {}, {}, _alert(unit, invoice)))
    method, wrong = _chosen_method(unit, invoice, fields)
    if method is None:
        return html(_invoice_page(unit, invoice, language, fields, wrong), 422)
    page = invoice["hosted_invoice_url"]
    refused = charge(unit, invoice, method, automatic=False, off_session=False, return_url=page)
    if refused is NEEDS_ACTION:
        intent = unit.need("payment_intent", invoice["_payment_intent"])
        return see_other(intent["next_action"]["redirect_to_url"]["url"])
    if refused is None:
        return see_other(page)
    if fields.get("method", _NEW) == _NEW:
        wrong = {place_of(refused): refused.message}
        return html(_invoice_page(unit, invoice, language, fields, wrong), 402)
    return html(_invoice_page(unit, invoice, language, fields, {}, refused.message), 402)


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
    return reason_of(intent["last_payment_error"]) if intent and _can_be_paid(invoice) else ""


def _payment(
    unit: Unit,
    invoice: Document,
    language: Language,
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
) -> str:
    """The form, or what there is to say instead of it."""
    if not _can_be_paid(invoice):
        when = language.day(invoice["status_transitions"]["paid_at"])
        words = language.say(_STANDINGS.get(invoice["status"], ""), day=when)
        return f"<p class=note>{escape(words)}</p>" if words else ""
    saved = list(unit.every("payment_method", owner=invoice["customer"]))
    chosen = typed.get("method") or method_for(unit, invoice) or next(
        (method["id"] for method in saved), _NEW
    )  # fmt: skip
    due = language.money(invoice["amount_remaining"], invoice["currency"])
    return (
        f"<form method=post class=stack>{_choices(saved, language, chosen)}"
        f"<div class=new-card>{card_fields_html(language, typed, wrong)}</div>"
        f"<button>{escape(language.say('Pay {amount}', amount=due))}</button></form>"
    )


def _choices(saved: list[Document], language: Language, chosen: str) -> str:
    """The cards that the customer has, and another; nothing where there is none."""
    if not saved:
        return ""
    rows = "".join(_choice(method, language, chosen) for method in saved)
    new = " checked" if chosen == _NEW else ""
    return (
        f"<fieldset><legend>{language.say('Pay with')}</legend>{rows}<label class=choice>"
        f'<input type=radio name=method value="{_NEW}"{new}>{language.say("Another card")}</label>'
        "</fieldset>"
    )


def _choice(method: Document, language: Language, chosen: str) -> str:
    card = method["card"]
    checked = " checked" if method["id"] == chosen else ""
    month = f"{card['exp_month']:02d}/{card['exp_year']}"
    words = language.say("{card}, expires {month}", card=card_name(card), month=month)
    return (
        f'<label class=choice><input class=saved type=radio name=method value="{method["id"]}"'
        f"{checked}>{escape(words)}</label>"
    )


def _invoice_page(
    unit: Unit,
    invoice: Document,
    language: Language,
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
    alert: str = "",
) -> bytes:
    say, number = language.say, invoice["number"]
    title = say("Invoice {number}", number=number) if number else say("Draft invoice")
    pdf = f'<p><a href="{escape(invoice["invoice_pdf"])}">{say("Download PDF")}</a></p>'
    return document(
        title,
        f"<h1>{escape(title)}</h1>{_due(invoice, language)}{_facts(invoice, language)}"
        f"{alert_html(language, alert)}"
        f"{_lines(invoice, language)}{_payment(unit, invoice, language, typed, wrong)}"
        f"{pdf if invoice['invoice_pdf'] else ''}",
        style=CARD_STYLE,
        language=language,
    )


def _due(invoice: Document, language: Language) -> str:
    """What is still to be paid, before everything else."""
    if not _can_be_paid(invoice):
        return ""
    due = language.money(invoice["amount_remaining"], invoice["currency"])
    return f"<p class=amount-due>{escape(due)}</p>"


def _facts(invoice: Document, language: Language) -> str:
    """From whom to whom, issued and due; names are set apart, whichever way they are written."""
    say = language.say
    customer = invoice["customer_name"] or invoice["customer_email"]
    issued, due = invoice["effective_at"], invoice["due_date"]
    facts = [
        say("From {merchant}", merchant=invoice["account_name"]),
        say("To {customer}", customer=customer) if customer else "",
        say("Issued {day}", day=language.day(issued)) if issued else "",
        say("Due {day}", day=language.day(due)) if due and _can_be_paid(invoice) else "",
    ]
    return "".join(f"<p class=soft dir=auto>{escape(fact)}</p>" for fact in facts if fact)


def _lines(invoice: Document, language: Language) -> str:
    currency, say = invoice["currency"], language.say
    lines = "".join(
        f"<tr><td>{escape(line['description'] or '')}<br><span class=soft>"
        f"{language.day(line['period']['start'])} – {language.day(line['period']['end'])}</span>"
        f"</td><td class=amount>{escape(language.money(line['amount'], currency))}</td></tr>"
        for line in invoice["_lines"]
    )
    totals = "".join(
        f"<tr class=total><td>{say(name)}</td>"
        f"<td class=amount>{escape(language.money(amount, currency))}</td></tr>"
        for name, amount in sums(invoice)
    )
    return (
        f"<table><thead><tr><th scope=col>{say('Description')}</th>"
        f"<th scope=col class=amount>{say('Amount')}</th>"
        f"</tr></thead><tbody>{lines}{totals}</tbody></table>"
    )


def receipt_page(paid: Document, merchant: str, language: Language) -> bytes:
    """What a customer gets for a paid charge."""
    card, say = paid["payment_method_details"]["card"], language.say
    amount = language.money(paid["amount"], paid["currency"])
    brand = card_name({"display_brand": card["brand"], "last4": card["last4"]})
    return document(
        say("Receipt"),
        f"<h1>{say('Receipt')}</h1>"
        f"<p class=soft dir=auto>{escape(say('From {merchant}', merchant=merchant))}</p>"
        f"<p class=soft>{language.day(paid['created'])}</p>"
        f"<table><tbody><tr><th scope=row>{say('Amount paid')}</th>"
        f"<td class=amount>{escape(amount)}</td></tr>"
        f"<tr><th scope=row>{say('Payment method')}</th>"
        f"<td class=amount>{escape(brand)}</td></tr></tbody></table>",
        style=CARD_STYLE,
        narrow=True,
        language=language,
    )
