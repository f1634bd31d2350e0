"""Refunds: money back for a charge, in whole or in part."""

from stripe_sandbox.catalog.pricing import money
from stripe_sandbox.requests.errors import ApiError, invalid
from stripe_sandbox.requests.forms import integer, metadata, one_of, span, text, within
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, merged_metadata, new_id, new_token, public
from stripe_sandbox.state.unit import Unit

# https://docs.stripe.com/testing#refunds: how a refund of these cards ends, and how it begins.
_LATER = {"4000000000007726": ("pending", "succeeded"), "4000000000005126": ("succeeded", "failed")}


def make_refund(
    unit: Unit, charge: Document, amount: int | None, reason: str | None = None
) -> Document:
    """Give back an amount in minor units, or all that is left. Raises 400 for more than that."""
    left = charge["amount"] - charge["amount_refunded"]
    amount = left if amount is None else amount
    _check_refundable(charge, amount, left)
    refund: Document = {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": unit.now(charge),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": _destination(),
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "pending_reason": None,
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": _LATER.get(_card_number(unit, charge), ("succeeded", ""))[0],
        "transfer_reversal": None,
    }
    unit.add(refund, "refund.created")
    _count(unit, charge, amount, "charge.refunded")
    return refund


def _check_refundable(charge: Document, amount: int, left: int) -> None:
    if charge["status"] != "succeeded":
        raise invalid(
            f"This charge ({charge['id']}) has not been paid and cannot be refunded.",
            "charge",
            "charge_not_refundable",
        )
    if not left:
        message = f"Charge {charge['id']} has already been refunded."
        raise invalid(message, code="charge_already_refunded")
    if amount < 1:
        raise invalid("Invalid positive integer", "amount", "parameter_invalid_integer")
    if amount > left:
        sums = [money(each, charge["currency"]) for each in (amount, left)]
        raise invalid(
            f"Refund amount ({sums[0]}) is greater than unrefunded amount on charge ({sums[1]})",
            "amount",
        )


def _card_number(unit: Unit, charge: Document) -> str:
    method = unit.find("payment_method", charge["payment_method"])
    return str(method.get("_number") or "") if method else ""


def _destination() -> Document:
    return {
        "type": "card",
        "card": {
            "reference": new_token(11).upper(),
            "reference_status": "available",
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        },
    }


def _count(unit: Unit, charge: Document, amount: int, event: str) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    unit.update(charge, event)


def settle_refund(unit: Unit, refund: Document) -> None:
    """What becomes of a refund after it was answered: the test cards for refunds fail or wait."""
    charge = unit.need("charge", refund["charge"])
    outcome = _LATER.get(_card_number(unit, charge), ("", refund["status"]))[1]
    if outcome == refund["status"]:
        return
    refund["status"] = outcome
    if outcome == "failed":
        refund["failure_reason"] = "unknown"
        _count(unit, charge, -refund["amount"], "charge.updated")
    unit.update(refund, "refund.updated")
    if outcome == "failed":
        unit.emit("refund.failed", refund)


def create_refund(unit: Unit, params: Document) -> Document:
    """Of a charge, or of the charge that paid a payment intent."""
    refund = make_refund(unit, _charge(unit, params), params.get("amount"), params.get("reason"))
    refund["metadata"] = merged_metadata({}, params.get("metadata"))
    answered = public(unit.update(refund))
    settle_refund(unit, refund)
    return answered


def _charge(unit: Unit, params: Document) -> Document:
    if named := params.get("charge"):
        return unit.need("charge", named, "charge")
    if not (wanted := params.get("payment_intent")):
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
            code="parameter_missing",
        )
    intent = unit.need("payment_intent", wanted, "payment_intent")
    if intent["status"] != "succeeded":
        message = f"This PaymentIntent ({wanted}) does not have a successful charge to refund."
        raise invalid(message, "payment_intent")
    return unit.need("charge", intent["latest_charge"])


def retrieve_refund(unit: Unit, params: Document, identifier: str) -> Document:
    """One refund."""
    return public(unit.need("refund", identifier))


def update_refund(unit: Unit, params: Document, identifier: str) -> Document:
    """Metadata only."""
    refund = unit.need("refund", identifier)
    if "metadata" in params:
        refund["metadata"] = merged_metadata(refund["metadata"], params["metadata"])
    return public(unit.update(refund, "refund.updated"))


def cancel_refund(unit: Unit, params: Document, identifier: str) -> Document:
    """Never possible: a card's refund waits for nobody."""
    refund = unit.need("refund", identifier)
    raise ApiError(
        400,
        "invalid_request_error",
        f"You cannot cancel a refund with status {refund['status']}: only refunds that require "
        "action can be canceled.",
    )


def list_refunds(unit: Unit, params: Document) -> Document:
    """Newest first, by charge or payment intent."""
    return page(
        unit, "refund", "/v1/refunds", params,
        owner=params.get("charge"), tag=params.get("payment_intent"),
        only=lambda refund: within(refund["created"], params.get("created")),
    )  # fmt: skip


ROUTES = [
    route(
        "POST",
        "/v1/refunds",
        create_refund,
        {
            "amount": integer,
            "charge": text,
            "metadata": metadata,
            "payment_intent": text,
            "reason": one_of("duplicate", "fraudulent", "requested_by_customer"),
        },
    ),
    listing("/v1/refunds", list_refunds, {"charge": text, "created": span, "payment_intent": text}),
    route("GET", "/v1/refunds/{}", retrieve_refund),
    route("POST", "/v1/refunds/{}", update_refund, {"metadata": metadata}),
    route("POST", "/v1/refunds/{}/cancel", cancel_refund),
]
