"""The payment intents of the API: made, changed, confirmed, canceled and found."""

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
from stripe_sandbox.payments.intents import OPEN, cancel, confirm, new_intent
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    ADDRESS,
    boolean,
    hash_of,
    integer,
    one_of,
    span,
    text,
    within,
)
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, apply, merged_metadata, public
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.billing import follow

_PLAIN = (
    "description", "payment_method_types", "receipt_email", "setup_future_usage", "shipping",
    "statement_descriptor", "statement_descriptor_suffix", "transfer_group",
)  # fmt: skip


def create_payment_intent(unit: Unit, params: Document) -> Document:
    """A payment that is not of an invoice; with `confirm` it is tried at once."""
    if params.get("customer"):
        unit.need("customer", params["customer"], "customer")
    _check_amount(params)
    intent = new_intent(unit, params["amount"], params["currency"], params.get("customer"))
    intent["automatic_payment_methods"] = automatic(params)
    intent["metadata"] = merged_metadata({}, params.get("metadata"))
    _change(unit, intent, params)
    if params.get("off_session") and not params.get("confirm"):
        raise invalid(
            "You cannot set `off_session` when creating a PaymentIntent without also setting "
            "`confirm` to `true`.",
            "off_session",
        )
    unit.add(intent, "payment_intent.created")
    return _confirm(unit, intent, params) if params.get("confirm") else public(intent)


def _check_amount(params: Document) -> None:
    if params.get("amount") is not None and params["amount"] < 1:
        raise invalid(
            "This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer"
        )


def _change(unit: Unit, intent: Document, params: Document) -> None:
    apply(intent, params, _PLAIN)
    intent["payment_method_types"] = intent["payment_method_types"] or ["card"]
    set_options(intent, params)
    if params.get("payment_method"):
        method = chosen_method(unit, intent, params)
        intent["payment_method"] = method["id"] if method else None
        intent.update(status="requires_confirmation", next_action=None, _challenge=None)


def update_payment_intent(unit: Unit, params: Document, identifier: str) -> Document:
    """What is sent changes; an invoice's intent keeps its sum and its customer."""
    intent = unit.need("payment_intent", identifier)
    if intent["status"] not in OPEN:
        raise invalid(
            f"This PaymentIntent's {', '.join(sorted(params)) or 'fields'} could not be updated "
            f"because it has a status of {intent['status']}. You may only update a PaymentIntent "
            f"with one of the following statuses: {', '.join(OPEN)}.",
            None,
            "payment_intent_unexpected_state",
        )
    fixed = [name for name in ("amount", "currency", "customer") if name in params]
    if intent["_invoice"] and fixed:
        raise invalid(
            f"The {fixed[0]} of a PaymentIntent created by an Invoice cannot be changed.", fixed[0]
        )
    _check_amount(params)
    apply(intent, params, ("amount", "currency", "customer"))
    if "metadata" in params:
        intent["metadata"] = merged_metadata(intent["metadata"], params["metadata"])
    _change(unit, intent, params)
    return public(unit.update(intent))


def confirm_payment_intent(unit: Unit, params: Document, identifier: str) -> Document:
    """Try to take the money. Raises 402 when it is refused; the attempt stays."""
    intent = unit.need("payment_intent", identifier)
    check_secret(intent, params)
    if intent["status"] not in OPEN:
        raise wrong_state(intent, "confirm", OPEN)
    apply(intent, params, ("receipt_email", "setup_future_usage", "shipping"))
    set_options(intent, params)
    return _confirm(unit, intent, params)


def _confirm(unit: Unit, intent: Document, params: Document) -> Document:
    method = chosen_method(unit, intent, params)
    if method is None:
        raise without_method(intent)
    away = bool(params.get("off_session"))
    refused = confirm(unit, intent, method, off_session=away, return_url=params.get("return_url"))
    follow(unit, intent, refused)
    if refused and refused is not NEEDS_ACTION:
        raise card_error(
            refused,
            charge=intent["latest_charge"],
            payment_intent=public(intent),
            payment_method=public(method),
        )
    return public(intent)


def cancel_payment_intent(unit: Unit, params: Document, identifier: str) -> Document:
    """Nobody is to pay it; an invoice's intent goes with its invoice only."""
    intent = unit.need("payment_intent", identifier)
    if intent["status"] not in OPEN:
        raise wrong_state(intent, "cancel", OPEN)
    if intent["_invoice"]:
        raise invalid(
            "You cannot cancel a PaymentIntent created by an Invoice. Void the Invoice instead.",
            None,
            "payment_intent_unexpected_state",
        )
    cancel(unit, intent, params.get("cancellation_reason"))
    return public(intent)


def retrieve_payment_intent(unit: Unit, params: Document, identifier: str) -> Document:
    """One payment intent."""
    intent = unit.need("payment_intent", identifier)
    check_secret(intent, params)
    return public(intent)


def list_payment_intents(unit: Unit, params: Document) -> Document:
    """Newest first, by customer."""
    return page(
        unit,
        "payment_intent",
        "/v1/payment_intents",
        params,
        owner=params.get("customer"),
        only=lambda intent: within(intent["created"], params.get("created")),
    )


_USAGE = one_of("off_session", "on_session")
_FIELDS = {
    **SHARED,
    "amount": integer,
    "currency": text,
    "receipt_email": text,
    "setup_future_usage": _USAGE,
    "shipping": hash_of(
        {"address": ADDRESS, "carrier": text, "name": text, "phone": text, "tracking_number": text}
    ),
    "statement_descriptor": text,
    "statement_descriptor_suffix": text,
    "transfer_group": text,
}
_CONFIRM = {**CONFIRMING, "off_session": boolean, "setup_future_usage": _USAGE}

ROUTES = [
    route(
        "POST",
        "/v1/payment_intents",
        create_payment_intent,
        {
            **_FIELDS,
            **_CONFIRM,
            "capture_method": one_of("automatic", "automatic_async"),
            "confirm": boolean,
            "confirmation_method": one_of("automatic", "manual"),
        },
        ("amount", "currency"),
    ),
    listing("/v1/payment_intents", list_payment_intents, {"customer": text, "created": span}),
    route("GET", "/v1/payment_intents/{}", retrieve_payment_intent, {"client_secret": text}),
    route("POST", "/v1/payment_intents/{}", update_payment_intent, _FIELDS),
    route(
        "POST",
        "/v1/payment_intents/{}/confirm",
        confirm_payment_intent,
        {
            **_CONFIRM,
            "client_secret": text,
            "receipt_email": text,
            "shipping": _FIELDS["shipping"],
        },
    ),
    route(
        "POST",
        "/v1/payment_intents/{}/cancel",
        cancel_payment_intent,
        {
            "cancellation_reason": one_of(
                "abandoned", "duplicate", "fraudulent", "requested_by_customer"
            )
        },
    ),
]
