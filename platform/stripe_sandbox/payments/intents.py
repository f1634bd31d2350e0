"""The life of a payment intent: tried, perhaps authenticated, paid, refused or canceled."""

from stripe_sandbox.payments.authentication import (
    asks_authentication,
    challenge,
    close_challenge,
    failed_error,
)
from stripe_sandbox.payments.cards import NEEDS_ACTION, Decline, decline_for
from stripe_sandbox.payments.charges import new_charge, payment_error, refusal_of
from stripe_sandbox.payments.payment_methods import attach, card_of
from stripe_sandbox.state.blanks import blank
from stripe_sandbox.state.documents import Document, new_id, new_token, public
from stripe_sandbox.state.unit import Unit

AUTHENTICATION_FAILED = Decline(
    None,
    "payment_intent_authentication_failure",
    "The provided PaymentMethod has failed authentication.",
    None,
    None,
    None,
)
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def new_intent(
    unit: Unit, amount: int, currency: str, customer: str | None, clock: str | None = None
) -> Document:
    """A payment intent that nobody has tried to pay; nothing is saved yet."""
    identifier = new_id("pi")
    intent: Document = {
        **blank("payment_intent"),
        "id": identifier,
        "amount": amount,
        "client_secret": f"{identifier}_secret_{new_token(24)}",
        "currency": currency,
        "customer": customer,
        "_clock": clock,
    }
    intent["created"] = unit.now(intent)
    return intent


def confirm(
    unit: Unit,
    intent: Document,
    method: Document,
    *,
    off_session: bool,
    return_url: str | None = None,
) -> Decline | None:
    """Try to take the money with a payment method.

    Returns None when it is paid, NEEDS_ACTION when the customer must authenticate first, else why
    it is refused. A customer who is away cannot authenticate: that is a refusal.
    """
    close_challenge(intent)
    intent["payment_method"] = method["id"]
    card = card_of(method)
    if not asks_authentication(card, method, intent, off_session=off_session):
        return _take(unit, intent, method, refusal_of(unit, method))
    if not card.authenticates:
        return _take(unit, intent, method, decline_for(card.decline_code or "processing_error"))
    if off_session:
        return _take(unit, intent, method, decline_for("authentication_required"))
    challenge(unit, intent, return_url)
    unit.update(intent)
    unit.emit("payment_intent.requires_action", intent)
    return NEEDS_ACTION


def answer_challenge(unit: Unit, intent: Document, *, passed: bool) -> Decline | None:
    """What the customer did at the bank's page; answers as `confirm` does."""
    method = unit.need("payment_method", intent["payment_method"])
    close_challenge(intent)
    if passed:
        return _take(unit, intent, method, refusal_of(unit, method), authenticated=True)
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        last_payment_error=failed_error(intent, public(method)),
    )
    unit.update(intent)
    unit.emit("payment_intent.payment_failed", intent)
    return AUTHENTICATION_FAILED


def _take(
    unit: Unit,
    intent: Document,
    method: Document,
    refused: Decline | None,
    *,
    authenticated: bool = False,
) -> Decline | None:
    charge = new_charge(unit, intent, method, refused, authenticated=authenticated)
    unit.add(charge)
    intent["latest_charge"] = charge["id"]
    if refused:
        intent.update(
            status="requires_payment_method",
            payment_method=None,
            last_payment_error=payment_error(refused, method, charge),
        )
        unit.update(intent)
        unit.emit("charge.failed", charge)
        unit.emit("payment_intent.payment_failed", intent)
        return refused
    intent.update(status="succeeded", amount_received=intent["amount"], last_payment_error=None)
    unit.update(intent)
    _keep_method(unit, intent, method)
    unit.emit("charge.succeeded", charge)
    unit.emit("payment_intent.succeeded", intent)
    return None


def _keep_method(unit: Unit, intent: Document, method: Document) -> None:
    """`setup_future_usage`: the card is the customer's, and can be charged while they are away."""
    usage = intent["setup_future_usage"]
    if usage and intent["customer"] and not method["customer"]:
        attach(unit, method["id"], unit.need("customer", intent["customer"]))
    if usage == "off_session":
        method["_set_up"] = True
        unit.update(method)


def cancel(unit: Unit, intent: Document, reason: str | None) -> None:
    """An intent that is not paid is never paid."""
    close_challenge(intent)
    intent.update(status="canceled", canceled_at=unit.now(intent), cancellation_reason=reason)
    unit.update(intent)
    unit.emit("payment_intent.canceled", intent)


def cancel_payment(unit: Unit, invoice: Document, reason: str | None) -> None:
    """Nobody is to pay the invoice's intent any more."""
    intent = unit.find("payment_intent", invoice["_payment_intent"])
    if intent is None or intent["status"] in ("succeeded", "canceled"):
        return
    cancel(unit, intent, reason)
    for payment in list(unit.every("invoice_payment", owner=invoice["id"])):
        payment["status"] = "canceled"
        payment["status_transitions"]["canceled_at"] = unit.now(invoice)
        unit.update(payment)
