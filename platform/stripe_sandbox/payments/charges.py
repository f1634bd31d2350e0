"""Charges: one for every attempt, with what the bank and the networks said of it."""

from stripe_sandbox.payments.cards import Decline, decline_for
from stripe_sandbox.payments.payment_methods import card_of
from stripe_sandbox.state.blanks import blank
from stripe_sandbox.state.documents import Document, new_id, new_token, public
from stripe_sandbox.state.unit import Unit


def refusal_of(unit: Unit, method: Document) -> Decline | None:
    """A switch of the control page, or the card's own nature."""
    switches = unit.account.settings
    if switches["fail_next_charges"] > 0:
        switches["fail_next_charges"] -= 1
        unit.store.save_settings(unit.account.id, switches)
        return decline_for(switches["fail_with"])
    code = switches["declines"].get(method["id"]) or card_of(method).decline_code
    return decline_for(code) if code else None


def new_charge(
    unit: Unit,
    intent: Document,
    method: Document,
    refused: Decline | None,
    *,
    authenticated: bool = False,
) -> Document:
    """The record of one attempt at a payment intent; nothing is saved yet."""
    token, identifier = new_token(32), new_id("ch")
    receipt = f"{unit.base_url}/receipts/{unit.account.id}/{identifier}/{token}"
    amount = intent["amount"]
    return {
        **blank("charge"),
        "id": identifier,
        "amount": amount,
        "amount_captured": 0 if refused else amount,
        "billing_details": method["billing_details"],
        "captured": not refused,
        "created": unit.now(intent),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "failure_code": refused.code if refused else None,
        "failure_message": refused.message if refused else None,
        "metadata": dict(intent["metadata"]),
        "outcome": _outcome(method, refused),
        "paid": not refused,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {
            "type": "card",
            "card": _card_details(method["card"], authenticated=authenticated),
        },
        "receipt_email": intent["receipt_email"],
        "receipt_url": None if refused else receipt,
        "status": "failed" if refused else "succeeded",
        "_invoice": intent["_invoice"],
        "_token": token,
    }


def payment_error(refused: Decline, method: Document, charge: Document | None) -> Document:
    """What a payment or setup intent remembers of a refusal."""
    return {
        "type": "card_error",
        "code": refused.code,
        "decline_code": refused.decline_code,
        "advice_code": refused.advice_code,
        "network_advice_code": refused.network_advice_code,
        "network_decline_code": refused.network_decline_code,
        "message": refused.message,
        "charge": charge["id"] if charge else None,
        "doc_url": doc_url(refused.code),
        "payment_method": public(method),
    }


def doc_url(code: str) -> str:
    """Where Stripe explains an error code."""
    return f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"


def _card_details(card: Document, *, authenticated: bool) -> Document:
    shared = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding",
              "last4", "wallet")  # fmt: skip
    return {
        **{name: card[name] for name in shared},
        "installments": None,
        "mandate": None,
        "network": card["networks"]["preferred"] or card["brand"],
        "three_d_secure": _AUTHENTICATED if authenticated else None,
    }


_AUTHENTICATED: Document = {
    "authentication_flow": "challenge",
    "electronic_commerce_indicator": "05",
    "exemption_indicator": None,
    "exemption_indicator_applied": None,
    "result": "authenticated",
    "result_reason": None,
    "transaction_id": None,
    "version": "2.2.0",
}
_SCORES = {"normal": 12, "elevated": 68, "highest": 92}


def _outcome(method: Document, refused: Decline | None) -> Document:
    """https://docs.stripe.com/declines and https://docs.stripe.com/api/charges/object."""
    risk = card_of(method).risk
    outcome: Document = {
        "advice_code": refused.advice_code if refused else None,
        "network_advice_code": refused.network_advice_code if refused else None,
        "network_decline_code": refused.network_decline_code if refused else None,
        "network_status": "declined_by_network" if refused else "approved_by_network",
        "reason": refused.decline_code if refused else None,
        "risk_level": risk,
        "risk_score": _SCORES[risk],
        "seller_message": "The bank did not return any further details with this decline."
        if refused
        else "Payment complete.",
        "type": "issuer_declined" if refused else "authorized",
    }
    if refused and risk == "highest":
        # The bank is not asked at all (https://docs.stripe.com/declines#blocked-payments).
        outcome.update(
            advice_code=None,
            network_advice_code=None,
            network_decline_code=None,
            network_status="not_sent_to_network",
            reason="highest_risk_level",
            seller_message="Stripe blocked this payment as too risky.",
            type="blocked",
        )
    elif risk == "elevated":
        outcome["reason"] = outcome["reason"] or "elevated_risk_level"
    return outcome
