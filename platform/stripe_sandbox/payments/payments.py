"""Paying invoices: whose card is tried, and what an attempt does to the invoice."""

from typing import Any

from stripe_sandbox.invoices.invoices import mark_paid, subscription_of
from stripe_sandbox.payments.cards import NEEDS_ACTION, Decline, card_error
from stripe_sandbox.payments.intents import confirm, new_intent
from stripe_sandbox.payments.payment_methods import attach
from stripe_sandbox.requests.errors import ApiError
from stripe_sandbox.state.documents import Document, new_id, public
from stripe_sandbox.state.placement import DAY
from stripe_sandbox.state.unit import Unit

NO_METHOD = Decline(
    "no_payment_method",
    "resource_missing",
    "There is no default payment method to charge.",
    None,
    None,
    None,
)
_ACTION_MESSAGE = (
    "Payment for this {noun} requires additional user action before it can be completed "
    "successfully. Payment can be completed using the PaymentIntent associated with {owner}. For "
    "more details see: https://stripe.com/docs/billing/subscriptions/overview#requires-action"
)


def open_payment(unit: Unit, invoice: Document) -> None:
    """The payment intent of an invoice that has just been finalized with something due."""
    if not invoice["amount_due"] or invoice["collection_method"] != "charge_automatically":
        return
    _add_payment(unit, invoice)


def _add_payment(unit: Unit, invoice: Document) -> None:
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
    intent = new_intent(unit, invoice["amount_remaining"], invoice["currency"], invoice["customer"])
    creation = invoice["billing_reason"] == "subscription_create"
    method = method_for(unit, invoice)
    intent.update(
        payment_method=method,
        status="requires_confirmation" if method else "requires_payment_method",
        description="Subscription creation" if creation else "Subscription update",
        # What a subscription begins with pays for its renewals too.
        setup_future_usage="off_session" if creation else None,
        _invoice=invoice["id"],
    )
    return intent


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
    unit: Unit,
    invoice: Document,
    method: str | None = None,
    *,
    automatic: bool = True,
    off_session: bool | None = None,
    return_url: str | None = None,
) -> Decline | None:
    """Charge an open invoice once; subscriptions are untouched.

    Returns None when it is paid, NEEDS_ACTION when the customer must authenticate, else why it is
    refused. `off_session` is as the request has it unless it is given.
    """
    if unit.rehearses:
        return None
    if invoice["_payment_intent"] is None:
        _add_payment(unit, invoice)
    intent = unit.need("payment_intent", invoice["_payment_intent"])
    found = unit.find("payment_method", method or method_for(unit, invoice))
    # Only the first attempt and the automatic ones take the retry schedule further
    # (https://docs.stripe.com/api/invoices/object, `attempt_count`).
    if automatic or not invoice["attempted"]:
        invoice["attempt_count"] += 1
    invoice["attempted"] = True
    if found is None:
        unit.emit("payment_intent.payment_failed", intent)
        settle(unit, invoice, NO_METHOD, automatic=automatic)
        return NO_METHOD
    intent["amount"] = invoice["amount_remaining"]
    away = unit.customer_is_away if off_session is None else off_session
    refused = confirm(unit, intent, found, off_session=away, return_url=return_url)
    settle(unit, invoice, refused, automatic=automatic)
    return refused


def settle(
    unit: Unit, invoice: Document, refused: Decline | None, *, automatic: bool = False
) -> None:
    """What became of the payment intent becomes of the invoice."""
    if refused:
        _note_failure(unit, invoice, refused, automatic=automatic)
        return
    intent = unit.need("payment_intent", invoice["_payment_intent"])
    for payment in list(unit.every("invoice_payment", owner=invoice["id"])):
        payment.update(status="paid", amount_paid=intent["amount"])
        payment["status_transitions"]["paid_at"] = unit.now(invoice)
        unit.update(payment)
        unit.emit("invoice_payment.paid", payment)
    _keep_for_subscription(unit, invoice, intent)
    mark_paid(unit, invoice)


def _keep_for_subscription(unit: Unit, invoice: Document, intent: Document) -> None:
    """`save_default_payment_method`: whose card paid pays the renewals too. The subscription is
    saved as it follows its invoice."""
    subscription = unit.find("subscription", subscription_of(invoice))
    if subscription is None or subscription["status"] in ("canceled", "incomplete_expired"):
        return
    if subscription["payment_settings"]["save_default_payment_method"] == "on_subscription":
        attach(unit, intent["payment_method"], unit.need("customer", invoice["customer"]))
        subscription["default_payment_method"] = intent["payment_method"]


def _note_failure(unit: Unit, invoice: Document, refused: Decline, *, automatic: bool) -> None:
    """Both events are sent when the customer has to act
    (https://docs.stripe.com/billing/subscriptions/webhooks#additional-action)."""
    if automatic and invoice["auto_advance"]:
        invoice["next_payment_attempt"] = _next_attempt(unit, invoice, refused.advice_code)
    unit.update(invoice, "invoice.updated")
    if refused is NEEDS_ACTION or refused.decline_code == "authentication_required":
        unit.emit("invoice.payment_action_required", invoice)
    unit.emit("invoice.payment_failed", invoice)


def _next_attempt(unit: Unit, invoice: Document, advice_code: str | None) -> int | None:
    """The account's retry schedule, in days after each failed attempt; hard declines end it."""
    waits = (0, *unit.account.settings["retry_days"])
    tries = invoice["attempt_count"]
    if advice_code == "do_not_try_again" or tries >= len(waits):
        return None
    if invoice["billing_reason"] == "subscription_create":
        return None
    return unit.now(invoice) + int(waits[tries] * DAY)


def set_automatic(unit: Unit, invoice: Document, automatic: bool) -> None:
    """Turn an open invoice's automatic retries off, or let the schedule go on from now
    (https://docs.stripe.com/invoicing/integration/automatic-advancement-collection)."""
    if invoice["auto_advance"] == automatic:
        return
    invoice.update(auto_advance=automatic, next_payment_attempt=None)
    if automatic and invoice["collection_method"] == "charge_automatically":
        intent = unit.find("payment_intent", invoice["_payment_intent"])
        last_error = (intent["last_payment_error"] if intent else None) or {}
        advice = last_error.get("advice_code")
        invoice["next_payment_attempt"] = _next_attempt(unit, invoice, advice)


def refused_payment(unit: Unit, invoice: Document, refused: Decline) -> ApiError:
    """The 402 of an invoice that was to be paid; the attempt stays."""
    intent = unit.find("payment_intent", invoice["_payment_intent"])
    details = public(intent) if intent else None
    if refused is NEEDS_ACTION:
        return _action_error("invoice", "the invoice", keeps_effects=True, payment_intent=details)
    # Where nobody could be charged, the latest charge is of an earlier attempt.
    last = intent["latest_charge"] if intent and refused is not NO_METHOD else None
    return card_error(refused, charge=last, payment_intent=details)


def refused_change(unit: Unit, invoice: Document, refused: Decline) -> ApiError:
    """The 402 of `error_if_incomplete`: the subscription is as it was, there is no invoice, and
    of the attempt only the failed charge is left
    (https://groups.google.com/a/lists.stripe.com/g/api-discuss/c/5zs299xRJe0)."""
    if refused is NEEDS_ACTION:
        return _action_error("subscription", "`subscription.latest_invoice`", keeps_effects=False)
    intent = unit.find("payment_intent", invoice["_payment_intent"])
    charge = unit.find("charge", intent["latest_charge"]) if intent else None
    if intent is None or charge is None:
        return card_error(refused, keeps_effects=False)
    told = {"charge": charge["id"], "payment_intent": public(intent)}
    error = card_error(refused, keeps_effects=False, **told)
    now = unit.now(intent)
    canceled = {"status": "canceled", "canceled_at": now, "cancellation_reason": "failed_invoice"}
    error.remains = [
        ({**charge, "_invoice": None}, "charge.failed"),
        ({**intent, "_invoice": None}, "payment_intent.payment_failed"),
        ({**intent, **canceled, "_invoice": None}, "payment_intent.canceled"),
    ]
    return error


def _action_error(noun: str, owner: str, *, keeps_effects: bool, **details: Any) -> ApiError:
    return ApiError(
        402,
        "card_error",
        _ACTION_MESSAGE.format(noun=noun, owner=owner),
        keeps_effects=keeps_effects,
        code=f"{noun}_payment_intent_requires_action",
        **details,
    )
