"""The setup intents of the API: made, changed, confirmed, canceled and found."""

from stripe_sandbox.payments.cards import NEEDS_ACTION, card_error
from stripe_sandbox.payments.intent_forms import (
    CONFIRMING,
    SHARED,
    automatic,
    check_secret,
    chosen_method,
    set_options,
    without_method,
    wrong_state,
)
from stripe_sandbox.payments.intents import OPEN
from stripe_sandbox.payments.setup_intents import cancel_setup, confirm_setup, new_setup_intent
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import boolean, one_of, span, text, within
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, apply, merged_metadata, public
from stripe_sandbox.state.unit import Unit


def create_setup_intent(unit: Unit, params: Document) -> Document:
    """A card to be kept; with `confirm` it is tried at once."""
    if params.get("customer"):
        unit.need("customer", params["customer"], "customer")
    intent = new_setup_intent(unit, params.get("customer"))
    intent["automatic_payment_methods"] = automatic(params)
    intent["usage"] = params.get("usage") or "off_session"
    intent["metadata"] = merged_metadata({}, params.get("metadata"))
    _change(unit, intent, params)
    unit.add(intent, "setup_intent.created")
    return _confirm(unit, intent, params) if params.get("confirm") else public(intent)


def _change(unit: Unit, intent: Document, params: Document) -> None:
    apply(intent, params, ("description", "payment_method_types"))
    intent["payment_method_types"] = intent["payment_method_types"] or ["card"]
    set_options(intent, params)
    if params.get("payment_method"):
        method = chosen_method(unit, intent, params)
        intent["payment_method"] = method["id"] if method else None
        intent.update(status="requires_confirmation", next_action=None, _challenge=None)


def update_setup_intent(unit: Unit, params: Document, identifier: str) -> Document:
    """What is sent changes."""
    intent = unit.need("setup_intent", identifier)
    _check_free(intent, "update")
    if params.get("customer"):
        intent["customer"] = unit.need("customer", params["customer"], "customer")["id"]
    if "metadata" in params:
        intent["metadata"] = merged_metadata(intent["metadata"], params["metadata"])
    _change(unit, intent, params)
    return public(unit.update(intent))


def confirm_setup_intent(unit: Unit, params: Document, identifier: str) -> Document:
    """Keep the card. Raises 402 when the bank refuses; the attempt stays."""
    intent = unit.need("setup_intent", identifier)
    check_secret(intent, params)
    _check_free(intent, "confirm")
    set_options(intent, params)
    return _confirm(unit, intent, params)


def _confirm(unit: Unit, intent: Document, params: Document) -> Document:
    method = chosen_method(unit, intent, params)
    if method is None:
        raise without_method(intent)
    refused = confirm_setup(unit, intent, method, params.get("return_url"))
    if refused and refused is not NEEDS_ACTION:
        raise card_error(refused, setup_intent=public(intent), payment_method=public(method))
    return public(intent)


def _check_free(intent: Document, verb: str) -> None:
    if intent["status"] not in OPEN:
        raise wrong_state(intent, verb, OPEN)
    if intent["_session"]:
        raise invalid(
            f"You cannot {verb} a SetupIntent that belongs to a Checkout Session. To cancel it, "
            "expire the Checkout Session instead.",
            None,
            "setup_intent_unexpected_state",
        )


def cancel_setup_intent(unit: Unit, params: Document, identifier: str) -> Document:
    """Nobody is to complete it."""
    intent = unit.need("setup_intent", identifier)
    _check_free(intent, "cancel")
    cancel_setup(unit, intent, params.get("cancellation_reason"))
    return public(intent)


def retrieve_setup_intent(unit: Unit, params: Document, identifier: str) -> Document:
    """One setup intent."""
    intent = unit.need("setup_intent", identifier)
    check_secret(intent, params)
    return public(intent)


def list_setup_intents(unit: Unit, params: Document) -> Document:
    """Newest first, by customer or payment method."""
    method = params.get("payment_method")
    return page(
        unit,
        "setup_intent",
        "/v1/setup_intents",
        params,
        owner=params.get("customer"),
        only=lambda intent: (
            method in (None, intent["payment_method"])
            and within(intent["created"], params.get("created"))
        ),
    )


ROUTES = [
    route(
        "POST",
        "/v1/setup_intents",
        create_setup_intent,
        {
            **SHARED,
            **CONFIRMING,
            "confirm": boolean,
            "usage": one_of("off_session", "on_session"),
        },
    ),
    listing(
        "/v1/setup_intents",
        list_setup_intents,
        {"created": span, "customer": text, "payment_method": text},
    ),
    route("GET", "/v1/setup_intents/{}", retrieve_setup_intent, {"client_secret": text}),
    route("POST", "/v1/setup_intents/{}", update_setup_intent, SHARED),
    route(
        "POST",
        "/v1/setup_intents/{}/confirm",
        confirm_setup_intent,
        {**CONFIRMING, "client_secret": text},
    ),
    route(
        "POST",
        "/v1/setup_intents/{}/cancel",
        cancel_setup_intent,
        {"cancellation_reason": one_of("abandoned", "duplicate", "requested_by_customer")},
    ),
]
