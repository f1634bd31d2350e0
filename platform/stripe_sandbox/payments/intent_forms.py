"""What the requests that make, change and confirm payment and setup intents have in common."""

import hmac
from urllib.parse import urlsplit

from stripe_sandbox.payments.payment_methods import check_attachable, find_payment_method
from stripe_sandbox.requests.errors import ApiError, invalid
from stripe_sandbox.requests.forms import (
    Shape,
    anything,
    boolean,
    hash_of,
    list_of,
    metadata,
    one_of,
    text,
)
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit

_NOUNS = {"payment_intent": "PaymentIntent", "setup_intent": "SetupIntent"}
THREE_D_SECURE = hash_of(
    {
        "card": hash_of(
            {
                "network": text,
                "request_three_d_secure": one_of("any", "automatic", "challenge"),
                "setup_future_usage": text,
            }
        )
    }
)
SHARED: Shape = {
    "automatic_payment_methods": hash_of(
        {"allow_redirects": one_of("always", "never"), "enabled": boolean}, ("enabled",)
    ),
    "customer": text,
    "description": text,
    "metadata": metadata,
    "payment_method": text,
    "payment_method_options": THREE_D_SECURE,
    "payment_method_types": list_of(one_of("card")),
}


def web_address(raw: object, param: str) -> str | None:
    """A link that a browser can follow."""
    address: str | None = text(raw, param)
    if address is not None:
        parts = urlsplit(address)
        # It goes into a header as it is: a line break there would begin another.
        plain = address.isprintable() and " " not in address
        if parts.scheme not in ("http", "https") or not parts.netloc or not plain:
            raise invalid("Not a valid URL", param, "url_invalid")
    return address


CONFIRMING: Shape = {
    "mandate_data": anything,
    "payment_method": text,
    "payment_method_options": THREE_D_SECURE,
    "return_url": web_address,
    "use_stripe_sdk": boolean,
}


def check_secret(intent: Document, params: Document) -> None:
    """A client secret, where one is given, must be the intent's."""
    secret = params.get("client_secret")
    if secret and not hmac.compare_digest(secret.encode(), intent["client_secret"].encode()):
        noun = _NOUNS[intent["object"]]
        raise invalid(
            f"The client_secret provided does not match any associated {noun} on this account. "
            "Ensure the client_secret was created using the same account and API mode.",
            "client_secret",
            f"{intent['object']}_invalid_parameter",
        )


def chosen_method(unit: Unit, intent: Document, params: Document) -> Document | None:
    """The payment method that a request names, else the intent's own."""
    named = params.get("payment_method") or intent["payment_method"]
    if named is None:
        return None
    method = find_payment_method(unit, named, "payment_method")
    check_attachable(method)
    if method["customer"] not in (None, intent["customer"]):
        noun = _NOUNS[intent["object"]]
        raise invalid(
            "The payment method supplied belongs to a different Customer. Please include the "
            f"Customer in the `customer` parameter on the {noun}.",
            "payment_method",
        )
    return method


def set_options(intent: Document, params: Document) -> None:
    """`payment_method_options` are merged, card by card field."""
    for kind, options in (params.get("payment_method_options") or {}).items():
        kept = (intent["payment_method_options"] or {}).get(kind) or {}
        known = {name: value for name, value in (options or {}).items() if value is not None}
        intent["payment_method_options"] = {
            **(intent["payment_method_options"] or {}),
            kind: {**kept, **known},
        }


def automatic(params: Document) -> Document | None:
    """`automatic_payment_methods` as the intent shows it."""
    given = params.get("automatic_payment_methods")
    if not given or not given["enabled"]:
        return None
    return {"allow_redirects": given.get("allow_redirects") or "always", "enabled": True}


def wrong_state(intent: Document, verb: str, allowed: tuple[str, ...]) -> ApiError:
    """The 400 of an intent that is past this."""
    kind, noun = intent["object"], _NOUNS[intent["object"]]
    if intent["status"] == "succeeded" and verb == "confirm":
        message = (
            f"You cannot confirm this {noun} because it has already succeeded after being "
            "previously confirmed."
        )
    else:
        message = (
            f"You cannot {verb} this {noun} because it has a status of {intent['status']}. Only a "
            f"{noun} with one of the following statuses may be {verb}ed: {', '.join(allowed)}."
        )
    error = invalid(message, None, f"{kind}_unexpected_state")
    error.details[kind] = {
        name: value for name, value in intent.items() if not name.startswith("_")
    }
    return error


def without_method(intent: Document) -> ApiError:
    """The 400 of confirming without a card."""
    noun = _NOUNS[intent["object"]]
    return invalid(
        f"You cannot confirm this {noun} because it's missing a payment method. You can either "
        f"update the {noun} with a payment method and then confirm it again, or confirm it again "
        "directly with a payment method or ConfirmationToken.",
        None,
        f"{intent['object']}_unexpected_state",
    )
