"""The hosted Checkout page: a customer leaves a card and goes on to where the merchant says."""

from collections.abc import Mapping
from html import escape

from stripe_sandbox.api import Answer
from stripe_sandbox.pages.card_forms import (
    CARD_STYLE,
    alert_html,
    card_fields_html,
    method_from,
    place_of,
    read_card,
    reason_of,
)
from stripe_sandbox.pages.languages import Language
from stripe_sandbox.pages.pages import document, html, see_other
from stripe_sandbox.payments.cards import NEEDS_ACTION
from stripe_sandbox.payments.checkout import follow_setup, success_address
from stripe_sandbox.payments.setup_intents import confirm_setup
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit


def serve_session(
    unit: Unit, session: Document, fields: Mapping[str, str] | None, language: Language
) -> Answer:
    """Show the page, or keep the card that was typed on it."""
    if session["status"] == "complete":
        return (
            html(_done(session, language))
            if fields is None
            else see_other(success_address(session))
        )
    if session["status"] == "expired":
        return html(_expired(session, language), 410)
    intent = unit.need("setup_intent", session["setup_intent"])
    if fields is None:
        return html(_page(unit, session, language, {}, {}, _alert(intent)))
    typed, wrong = read_card(fields, unit.now(session))
    if typed is None:
        return html(_page(unit, session, language, fields, wrong), 422)
    method = method_from(unit, typed, session["customer"])
    page = f"{unit.base_url}/c/{unit.account.id}/{session['id']}/{session['_token']}"
    refused = confirm_setup(unit, intent, method, page)
    if refused is NEEDS_ACTION:
        return see_other(intent["next_action"]["redirect_to_url"]["url"])
    if refused:
        wrong = {place_of(refused): refused.message}
        return html(_page(unit, session, language, fields, wrong), 402)
    follow_setup(unit, intent)
    return see_other(success_address(session))


def _alert(intent: Document) -> str:
    """Why the customer is back at this page."""
    waits = intent["status"] == "requires_payment_method"
    return reason_of(intent["last_setup_error"]) if waits else ""


def _page(
    unit: Unit,
    session: Document,
    language: Language,
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
    alert: str = "",
) -> bytes:
    merchant, say = unit.account.settings["name"], language.say
    customer = session["customer_details"] or {}
    email = f"<p class=soft>{escape(customer['email'])}</p>" if customer.get("email") else ""
    terms = say(
        "By saving your card, you allow {merchant} to charge it for future payments in accordance "
        "with their terms.",
        merchant=merchant,
    )
    back = _way_back(session, say("Cancel and go back to {merchant}", merchant=merchant))
    return _framed(
        language,
        f"{say('Save a card')} · {merchant}",
        f"<p><span class=badge>{say('Test mode')}</span></p>"
        f"<h1>{escape(say('Save a card for {merchant}', merchant=merchant))}</h1>{email}"
        f"{alert_html(language, alert)}"
        f"<form method=post class=stack>{card_fields_html(language, typed, wrong)}"
        f"<button>{say('Save card')}</button></form><p class=soft>{escape(terms)}</p>{back}",
    )


def _way_back(session: Document, words: str) -> str:
    address = session["cancel_url"]
    return f'<p><a href="{escape(address)}">{escape(words)}</a></p>' if address else ""


def _done(session: Document, language: Language) -> bytes:
    title = language.say("You're all done here")
    return _framed(
        language,
        title,
        f"<h1>{escape(title)}</h1><p>{language.say('Your card is saved.')}</p>"
        f'<p><a href="{escape(success_address(session))}">{language.say("Continue")}</a></p>',
    )


def _expired(session: Document, language: Language) -> bytes:
    title = language.say("This page has expired")
    words = language.say("Nothing was saved. Please start again.")
    back = _way_back(session, language.say("Go back"))
    return _framed(language, title, f"<h1>{escape(title)}</h1><p>{words}</p>{back}")


def _framed(language: Language, title: str, body: str) -> bytes:
    return document(title, body, style=CARD_STYLE, narrow=True, language=language)
