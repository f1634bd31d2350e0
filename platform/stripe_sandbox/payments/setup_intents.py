"""The life of a setup intent: a card is checked, perhaps authenticated, and kept for later."""

from stripe_sandbox.payments.authentication import (
    asks_authentication,
    challenge,
    close_challenge,
    failed_error,
)
from stripe_sandbox.payments.cards import NEEDS_ACTION, Decline, decline_for
from stripe_sandbox.payments.charges import payment_error
from stripe_sandbox.payments.payment_methods import attach, card_of
from stripe_sandbox.state.blanks import blank
from stripe_sandbox.state.documents import Document, new_id, new_token, public
from stripe_sandbox.state.unit import Unit

AUTHENTICATION_FAILED = Decline(
    None,
    "setup_intent_authentication_failure",
    "The provided PaymentMethod has failed authentication.",
    None,
    None,
    None,
)


def new_setup_intent(unit: Unit, customer: str | None) -> Document:
    """A setup intent without a card; nothing is saved yet."""
    identifier = new_id("seti")
    intent: Document = {
        **blank("setup_intent"),
        "id": identifier,
        "client_secret": f"{identifier}_secret_{new_token(24)}",
        "customer": customer,
    }
    intent["created"] = unit.now(intent)
    return intent


def confirm_setup(
    unit: Unit, intent: Document, method: Document, return_url: str | None = None
) -> Decline | None:
    """Keep a card. None when it is kept, NEEDS_ACTION, or why the bank refuses it."""
    close_challenge(intent)
    intent["payment_method"] = method["id"]
    card = card_of(method)
    if not asks_authentication(card, method, intent, off_session=False):
        return _keep(unit, intent, method)
    if not card.authenticates:
        return _refuse(unit, intent, method, decline_for(card.decline_code or "processing_error"))
    challenge(unit, intent, return_url)
    unit.update(intent)
    unit.emit("setup_intent.requires_action", intent)
    return NEEDS_ACTION


def answer_setup_challenge(unit: Unit, intent: Document, *, passed: bool) -> Decline | None:
    """What the customer did at the bank's page; answers as `confirm_setup` does."""
    method = unit.need("payment_method", intent["payment_method"])
    close_challenge(intent)
    if passed:
        return _keep(unit, intent, method)
    _fail(unit, intent, failed_error(intent, public(method)))
    return AUTHENTICATION_FAILED


def _keep(unit: Unit, intent: Document, method: Document) -> Decline | None:
    card = card_of(method)
    if card.decline_code and not card.attachable:
        return _refuse(unit, intent, method, decline_for(card.decline_code))
    if intent["customer"]:
        attach(unit, method["id"], unit.need("customer", intent["customer"]))
    if intent["usage"] == "off_session":
        method["_set_up"] = True
        unit.update(method)
    intent.update(status="succeeded", last_setup_error=None)
    unit.update(intent)
    unit.emit("setup_intent.succeeded", intent)
    return None


def _refuse(unit: Unit, intent: Document, method: Document, refused: Decline) -> Decline:
    _fail(unit, intent, payment_error(refused, method, None))
    return refused


def _fail(unit: Unit, intent: Document, error: Document) -> None:
    intent.update(status="requires_payment_method", payment_method=None, last_setup_error=error)
    unit.update(intent)
    unit.emit("setup_intent.setup_failed", intent)


def cancel_setup(unit: Unit, intent: Document, reason: str | None) -> None:
    """An intent that is not done is never done."""
    close_challenge(intent)
    intent.update(status="canceled", cancellation_reason=reason)
    unit.update(intent)
    unit.emit("setup_intent.canceled", intent)
