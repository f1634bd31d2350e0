"""Stripe's charges as copies: one for each attempt at a payment."""

import stripe

from guichet.payments.copies import AttemptCopy
from guichet.payments.stripe.copying.values import moment, reference


def copy_attempt(charge: stripe.Charge) -> AttemptCopy:
    """A charge. An issuer's decline code stands in the outcome's `reason`.

    Source: https://docs.stripe.com/api/charges/object, `outcome`.
    """
    details = charge.payment_method_details
    card = getattr(details, "card", None) if details else None
    outcome = charge.outcome
    refused = outcome if charge.status == "failed" else None
    return AttemptCopy(
        id=charge.id,
        customer_id=reference(charge.customer),
        payment_intent_id=reference(charge.payment_intent),
        payment_method_id=charge.payment_method,
        status=charge.status,  # type: ignore[arg-type]
        currency=charge.currency,
        amount=charge.amount,
        amount_refunded=charge.amount_refunded,
        failure_code=charge.failure_code,
        decline_code=refused.reason if refused else None,
        advice_code=getattr(refused, "advice_code", None),
        network_decline_code=getattr(refused, "network_decline_code", None),
        network_advice_code=getattr(refused, "network_advice_code", None),
        network=getattr(card, "network", None),
        fingerprint=getattr(card, "fingerprint", None),
        created_at=moment(charge.created),
    )


def receipt_url(intent: stripe.PaymentIntent) -> str | None:
    """The receipt of an intent whose latest charge was expanded."""
    charge = intent.latest_charge
    return charge.receipt_url if isinstance(charge, stripe.Charge) else None
