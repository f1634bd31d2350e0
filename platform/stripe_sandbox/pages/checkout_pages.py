"""The hosted Checkout page: a customer leaves a card and goes on to where the merchant says."""

from collections.abc import Mapping
from html import escape

from stripe_sandbox.api import Answer
from stripe_sandbox.pages.card_forms import (
    CARD_STYLE,
    card_fields_html,
    method_from,
    place_of,
    read_card,
)
from stripe_sandbox.pages.pages import document, html, see_other
from stripe_sandbox.payments.cards import NEEDS_ACTION
from stripe_sandbox.payments.checkout import follow_setup, success_address
from stripe_sandbox.payments.setup_intents import confirm_setup
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit

_NOT_AUTHENTICATED = (
    "We are unable to authenticate your payment method. Please choose a different payment method "
    "and try again."
)


def serve_session(unit: Unit, session: Document, fields: Mapping[str, str] | None) -> Answer:
    """Show the page, or keep the card that was typed on it."""
    if session["status"] == "complete":
        return html(_done(session)) if fields is None else see_other(success_address(session))
    if session["status"] == "expired":
        return html(_expired(session), 410)
    intent = unit.need("setup_intent", session["setup_intent"])
    if fields is None:
        return html(_page(unit, session, {}, {}, _alert(intent)))
    typed, wrong = read_card(fields, unit.now(session))
    if typed is None:
        return html(_page(unit, session, fields, wrong), 422)
    method = method_from(unit, typed, session["customer"])
    page = f"{unit.base_url}/c/{unit.account.id}/{session['id']}/{session['_token']}"
    refused = confirm_setup(unit, intent, method, page)
    if refused is NEEDS_ACTION:
        return see_other(intent["next_action"]["redirect_to_url"]["url"])
    if refused:
        wrong = {place_of(refused): refused.message}
        return html(_page(unit, session, fields, wrong), 402)
    follow_setup(unit, intent)
    return see_other(success_address(session))


def _alert(intent: Document) -> str:
    """Why the customer is back at this page."""
    error = intent["last_setup_error"]
    if intent["status"] != "requires_payment_method" or error is None:
        return ""
    failed = error["code"] == "setup_intent_authentication_failure"
    return _NOT_AUTHENTICATED if failed else str(error["message"])


def _page(
    unit: Unit,
    session: Document,
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
    alert: str = "",
) -> bytes:
    merchant = escape(unit.account.settings["name"])
    customer = session["customer_details"] or {}
    email = f"<p class=soft>{escape(customer['email'])}</p>" if customer.get("email") else ""
    told = f"<p class=alert role=alert>{escape(alert)}</p>" if alert else ""
    back = _way_back(session, f"Cancel and go back to {unit.account.settings['name']}")
    return document(
        f"Save a card · {unit.account.settings['name']}",
        f"<p><span class=badge>Test mode</span></p><h1>Save a card for {merchant}</h1>{email}{told}"
        f"<form method=post class=stack>{card_fields_html(typed, wrong)}"
        "<button>Save card</button></form>"
        f"<p class=soft>By saving your card, you allow {merchant} to charge it for future payments "
        f"in accordance with their terms.</p>{back}",
        style=CARD_STYLE,
        narrow=True,
    )


def _way_back(session: Document, words: str) -> str:
    address = session["cancel_url"]
    return f'<p><a href="{escape(address)}">{escape(words)}</a></p>' if address else ""


def _done(session: Document) -> bytes:
    return document(
        "You're all done here",
        "<h1>You're all done here</h1><p>Your card is saved.</p>"
        f'<p><a href="{escape(success_address(session))}">Continue</a></p>',
        style=CARD_STYLE,
        narrow=True,
    )


def _expired(session: Document) -> bytes:
    back = _way_back(session, "Go back")
    return document(
        "This page has expired",
        f"<h1>This page has expired</h1><p>Nothing was saved. Please start again.</p>{back}",
        style=CARD_STYLE,
        narrow=True,
    )
