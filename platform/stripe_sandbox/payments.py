"""Payment intents, charges and their place on an invoice: one charge for each attempt."""

from stripe_sandbox.blanks import blank
from stripe_sandbox.cards import Decline, decline_for
from stripe_sandbox.documents import Document, new_id, new_token, public
from stripe_sandbox.invoices import mark_paid, subscription_of
from stripe_sandbox.payment_methods import card_of
from stripe_sandbox.placement import DAY
from stripe_sandbox.unit import Unit

NO_METHOD = Decline(
    "no_payment_method",
    "resource_missing",
    "There is no default payment method to charge.",
    None,
    "",
    None,
)


def open_payment(unit: Unit, invoice: Document) -> None:
    """The payment intent of an invoice that has just been finalized with something due."""
    if not invoice["amount_due"] or invoice["collection_method"] != "charge_automatically":
        return
    intent = _new_intent(unit, invoice)
    unit.add(intent, "payment_intent.created")
    payment: Document = {
        "id": new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_due"],
        "created": unit.now(invoice),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": intent["id"]},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
        "_clock": invoice["test_clock"],
    }
    unit.add(payment)
    invoice["_payment_intent"] = intent["id"]
    unit.update(invoice)


def _new_intent(unit: Unit, invoice: Document) -> Document:
    identifier = new_id("pi")
    creation = invoice["billing_reason"] == "subscription_create"
    return {
        **blank("payment_intent"),
        "id": identifier,
        "amount": invoice["amount_due"],
        "client_secret": f"{identifier}_secret_{new_token(24)}",
        "created": unit.now(invoice),
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "description": "Subscription creation" if creation else "Subscription update",
        "_invoice": invoice["id"],
    }


def method_for(unit: Unit, invoice: Document) -> str | None:
    """Who pays: the invoice's method, else the subscription's, else the customer's
    (https://docs.stripe.com/billing/subscriptions/payment-methods-setting)."""
    subscription = unit.find("subscription", subscription_of(invoice))
    customer = unit.need("customer", invoice["customer"])
    method: str | None = (
        invoice["default_payment_method"]
        or (subscription["default_payment_method"] if subscription else None)
        or customer["invoice_settings"]["default_payment_method"]
    )
    return method


def attempt(
    unit: Unit, invoice: Document, method: str | None = None, *, automatic: bool = True
) -> Decline | None:
    """Charge an open invoice once. Returns why it failed, or None; subscriptions are untouched."""
    if not unit.tries_payment:
        return None
    if invoice["_payment_intent"] is None:
        open_payment(unit, invoice)
    intent = unit.need("payment_intent", invoice["_payment_intent"])
    found = unit.find("payment_method", method or method_for(unit, invoice))
    invoice["attempt_count"] += 1
    invoice["attempted"] = True
    if found is None:
        _fail(unit, invoice, intent, NO_METHOD, automatic=automatic)
        return NO_METHOD
    intent["payment_method"] = found["id"]
    refused = _refusal(unit, found)
    charge = _new_charge(unit, invoice, intent, found, refused)
    unit.add(charge)
    intent["latest_charge"] = charge["id"]
    if refused:
        intent["last_payment_error"] = _payment_error(refused, found, charge)
        unit.update(intent)
        unit.emit("charge.failed", charge)
        _fail(unit, invoice, intent, refused, automatic=automatic)
    else:
        _succeed(unit, invoice, intent, charge)
    return refused


def _refusal(unit: Unit, method: Document) -> Decline | None:
    """A switch of the control page, or the card's own nature."""
    switches = unit.account.settings
    if switches["fail_next_charges"] > 0:
        switches["fail_next_charges"] -= 1
        unit.store.save_settings(unit.account.id, switches)
        return decline_for(switches["fail_with"])
    card = card_of(method)
    if code := switches["declines"].get(method["id"]) or card.decline_code:
        return decline_for(code)
    return decline_for("authentication_required") if card.authentication == "always" else None


def _succeed(unit: Unit, invoice: Document, intent: Document, charge: Document) -> None:
    intent.update(status="succeeded", amount_received=intent["amount"], last_payment_error=None)
    unit.update(intent)
    unit.emit("charge.succeeded", charge)
    unit.emit("payment_intent.succeeded", intent)
    for payment in list(unit.every("invoice_payment", owner=invoice["id"])):
        payment.update(status="paid", amount_paid=intent["amount"])
        payment["status_transitions"]["paid_at"] = unit.now(invoice)
        unit.update(payment)
        unit.emit("invoice_payment.paid", payment)
    mark_paid(unit, invoice)


def _fail(
    unit: Unit, invoice: Document, intent: Document, refused: Decline, *, automatic: bool
) -> None:
    unit.update(intent)
    unit.emit("payment_intent.payment_failed", intent)
    if automatic:
        invoice["next_payment_attempt"] = _next_attempt(unit, invoice, refused)
    unit.update(invoice, "invoice.updated")
    if refused.decline_code == "authentication_required":
        unit.emit("invoice.payment_action_required", invoice)
    unit.emit("invoice.payment_failed", invoice)


def _next_attempt(unit: Unit, invoice: Document, refused: Decline) -> int | None:
    """The account's retry schedule, in days after each failed attempt; hard declines end it."""
    waits = unit.account.settings["retry_days"]
    tries = invoice["attempt_count"]
    if refused.advice_code == "do_not_try_again" or tries > len(waits):
        return None
    if invoice["billing_reason"] == "subscription_create":
        return None
    return unit.now(invoice) + int(waits[tries - 1] * DAY)


def _payment_error(refused: Decline, method: Document, charge: Document) -> Document:
    return {
        "type": "card_error",
        "code": refused.code,
        "decline_code": refused.decline_code,
        "advice_code": refused.advice_code,
        "network_advice_code": refused.network_advice_code,
        "network_decline_code": refused.network_decline_code,
        "message": refused.message,
        "charge": charge["id"],
        "doc_url": f"https://stripe.com/docs/error-codes/{refused.code.replace('_', '-')}",
        "payment_method": public(method),
    }


def _new_charge(
    unit: Unit, invoice: Document, intent: Document, method: Document, refused: Decline | None
) -> Document:
    token, identifier = new_token(32), new_id("ch")
    receipt = f"{unit.base_url}/receipts/{unit.account.id}/{identifier}/{token}"
    amount = intent["amount"]
    charge: Document = {
        **blank("charge"),
        "id": identifier,
        "amount": amount,
        "amount_captured": 0 if refused else amount,
        "billing_details": method["billing_details"],
        "captured": not refused,
        "created": unit.now(invoice),
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "description": intent["description"],
        "outcome": _outcome(refused),
        "paid": not refused,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"type": "card", "card": _card_details(method["card"])},
        "receipt_url": None if refused else receipt,
        "status": "failed" if refused else "succeeded",
        "_invoice": invoice["id"],
        "_token": token,
    }
    if refused:
        charge.update(failure_code=refused.code, failure_message=refused.message)
    return charge


def _card_details(card: Document) -> Document:
    shared = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding",
              "last4", "wallet")  # fmt: skip
    return {
        **{name: card[name] for name in shared},
        "installments": None,
        "mandate": None,
        "network": card["brand"],
        "three_d_secure": None,
    }


def _outcome(refused: Decline | None) -> Document:
    if refused is None:
        return {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "risk_score": 12,
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    return {
        "advice_code": refused.advice_code,
        "network_advice_code": refused.network_advice_code,
        "network_decline_code": refused.network_decline_code,
        "network_status": "declined_by_network",
        "reason": refused.decline_code,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }
