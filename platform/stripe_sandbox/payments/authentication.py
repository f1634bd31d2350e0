"""3-D Secure: when a card asks for it, and the one-time challenges that customers answer."""

from typing import TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from stripe_sandbox.payments.cards import Card
from stripe_sandbox.state.documents import Document, new_token
from stripe_sandbox.state.unit import Unit

Challenge: TypeAlias = Document

_ASKED_FOR = ("any", "challenge")
FAILED_MESSAGE = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or "
    "a new PaymentMethod to attempt to fulfill this {noun} again."
)


def asks_authentication(
    card: Card, method: Document, intent: Document, *, off_session: bool
) -> bool:
    """Whether the bank wants to hear from the cardholder before it pays, or keeps the card."""
    match card.authentication:
        case "always":
            return True
        case "unless_set_up":
            return not (off_session and method.get("_set_up"))
        case "already_set_up":
            return not off_session
        case "optional":
            options = (intent["payment_method_options"] or {}).get("card") or {}
            return not off_session and options.get("request_three_d_secure") in _ASKED_FOR
        case _:
            return False


def challenge(unit: Unit, intent: Document, return_url: str | None) -> None:
    """Send the customer to the bank's page; an earlier page of the same intent is void."""
    token = new_token(32)
    url = f"{unit.base_url}/3d-secure/{unit.account.id}/{intent['id']}/{token}"
    intent["_challenges"] = {**intent.get("_challenges", {}), token: return_url}
    intent["_challenge"] = token
    intent["status"] = "requires_action"
    intent["next_action"] = (
        {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}
        if return_url
        else {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url},
        }
    )


def close_challenge(intent: Document) -> None:
    """Its page can still be opened, and only leads back."""
    intent["_challenge"] = None
    intent["next_action"] = None


def failed_error(intent: Document, method: Document | None) -> Document:
    """The last error of an intent whose customer did not pass."""
    kind = intent["object"]
    code = f"{kind}_authentication_failure"
    noun = "PaymentIntent" if kind == "payment_intent" else "SetupIntent"
    return {
        "type": "invalid_request_error",
        "code": code,
        "message": FAILED_MESSAGE.format(noun=noun),
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "payment_method": method,
    }


def return_address(intent: Document, token: str) -> str | None:
    """Where the customer goes on, with what Stripe tells the page there
    (https://docs.stripe.com/payments/payment-intents/verifying-status)."""
    base: str | None = intent["_challenges"][token]
    if base is None:
        return None
    kind = intent["object"]
    told = {
        kind: intent["id"],
        f"{kind}_client_secret": intent["client_secret"],
        "redirect_status": "succeeded" if intent["status"] == "succeeded" else "failed",
    }
    parts = urlsplit(base)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *told.items()])
    return urlunsplit(parts._replace(query=query))
