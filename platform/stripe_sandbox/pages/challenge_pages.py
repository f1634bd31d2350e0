"""The bank's page of 3-D Secure: the customer completes or fails, and goes back."""

import hmac
from collections.abc import Mapping
from html import escape

from stripe_sandbox.api import Answer
from stripe_sandbox.pages.card_forms import CARD_STYLE, card_name
from stripe_sandbox.pages.languages import Language
from stripe_sandbox.pages.pages import document, html, see_other
from stripe_sandbox.payments.authentication import return_address
from stripe_sandbox.payments.checkout import follow_setup, success_address
from stripe_sandbox.payments.intents import answer_challenge
from stripe_sandbox.payments.setup_intents import answer_setup_challenge
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.billing import follow

_PREFIXES = {"pi": "payment_intent", "seti": "setup_intent"}


def serve_challenge(
    unit: Unit,
    identifier: str,
    token: str,
    fields: Mapping[str, str] | None,
    language: Language,
) -> Answer | None:
    """Show the page, or take what was pressed on it. None where there is no such page.

    A page that was answered, or that another attempt has replaced, does nothing but lead back.
    """
    kind = _PREFIXES.get(identifier.partition("_")[0], "")
    intent = unit.find(kind, identifier)
    if intent is None or (known := _known(intent, token)) is None:
        return None
    if intent["_challenge"] == known:
        if fields is None or fields.get("outcome") not in ("complete", "fail"):
            return html(_page(unit, intent, language))
        _answer(unit, intent, passed=fields["outcome"] == "complete")
    address = _way_back(unit, intent, known)
    return see_other(address) if address else html(_result(intent, language))


def _known(intent: Document, token: str) -> str | None:
    tokens = intent.get("_challenges", {})
    return next(
        (each for each in tokens if hmac.compare_digest(each.encode(), token.encode())), None
    )


def _answer(unit: Unit, intent: Document, *, passed: bool) -> None:
    if intent["object"] == "payment_intent":
        follow(unit, intent, answer_challenge(unit, intent, passed=passed))
    else:
        answer_setup_challenge(unit, intent, passed=passed)
        follow_setup(unit, intent)


def _way_back(unit: Unit, intent: Document, token: str) -> str | None:
    session = unit.find("checkout.session", intent.get("_session"))
    if session and session["status"] == "complete":
        return success_address(session)
    base: str | None = intent["_challenges"][token]
    if base and base.startswith(f"{unit.base_url}/"):
        # The sandbox's own pages look for themselves how it ended.
        return base
    return return_address(intent, token)


def _page(unit: Unit, intent: Document, language: Language) -> bytes:
    method = unit.need("payment_method", intent["payment_method"])
    merchant, say = unit.account.settings["name"], language.say
    if intent["object"] == "payment_intent":
        amount = language.money(intent["amount"], intent["currency"])
        what = say("Pay {amount} to {merchant}", amount=amount, merchant=merchant)
    else:
        what = say("Save this card for {merchant}", merchant=merchant)
    title = say("3D Secure authentication")
    told = say(
        "Your bank asks whether it is you. This is a test page: choose how the authentication ends."
    )
    return document(
        title,
        f"<p><span class=badge>{say('Test mode')}</span></p><h1>{title}</h1>"
        f"<p class=soft>{escape(told)}</p><p class=note>{escape(what)}<br>"
        f"<span class=soft>{escape(card_name(method['card']))}</span></p>"
        "<form method=post class=stack>"
        f"<button name=outcome value=complete>{say('Complete')}</button>"
        f"<button name=outcome value=fail class=second>{say('Fail')}</button></form>",
        style=CARD_STYLE,
        narrow=True,
        language=language,
    )


def _result(intent: Document, language: Language) -> bytes:
    passed = intent["status"] == "succeeded"
    title = language.say("Authentication complete" if passed else "Authentication over")
    words = language.say(
        "You can close this page." if passed else "This was not completed. Close this page."
    )
    body = f"<h1>{escape(title)}</h1><p>{escape(words)}</p>"
    return document(title, body, style=CARD_STYLE, narrow=True, language=language)
