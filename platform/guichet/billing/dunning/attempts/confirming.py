"""How a customer's payment stands at the provider, in the words of its row."""

import msgspec

from guichet.billing.dunning.attempts.outcomes import (
    NOT_MADE,
    UNKNOWN,
    Outcome,
    charge_of,
    outcome_of_charge,
)
from guichet.billing.dunning.cases.cases import Attempt
from guichet.payments.answers import Confirmation
from guichet.payments.errors import ProviderError
from guichet.payments.port import PaymentProvider


async def look_for_payment(
    provider: PaymentProvider, payment: Attempt, others: frozenset[str]
) -> Outcome:
    """What became of a payment that its customer has left; one still at the bank is given up."""
    try:
        if payment.payment_intent_id is not None:
            confirmation = await provider.fetch_confirmation(payment.payment_intent_id)
            if confirmation is None or confirmation.status == "needs_confirmation":
                return NOT_MADE
            return await outcome_of_confirmation(provider, payment, confirmation, others)
        charges = await provider.list_invoice_attempts(payment.invoice_id)
        made = charge_of(payment, others, charges)
        invoice = await provider.fetch_invoice(payment.invoice_id) if made else None
    except ProviderError as error:
        return msgspec.structs.replace(UNKNOWN, request_id=error.request_id)
    if made is None:
        return NOT_MADE
    found = outcome_of_charge(made, payment)
    copies = (*found.copies, *((invoice,) if invoice else ()))
    return msgspec.structs.replace(found, copies=copies)


async def outcome_of_confirmation(
    provider: PaymentProvider,
    payment: Attempt,
    confirmation: Confirmation,
    others: frozenset[str],
) -> Outcome:
    """What a payment's standing means for it, with its charge where there is one."""
    intent_id = confirmation.payment_intent_id
    match confirmation.status:
        case "needs_confirmation":
            return Outcome(state="needs_authentication", payment_intent_id=intent_id)
        case "canceled":
            return msgspec.structs.replace(NOT_MADE, payment_intent_id=intent_id)
        case "succeeded" | "processing" | "needs_method":
            pass
    try:
        charges = await provider.list_invoice_attempts(payment.invoice_id)
        invoice = await provider.fetch_invoice(payment.invoice_id)
    except ProviderError:
        return msgspec.structs.replace(UNKNOWN, payment_intent_id=intent_id)
    made = charge_of(payment, others, charges)
    if made is not None:
        found = outcome_of_charge(made, payment)
    elif confirmation.status == "needs_method":
        # The customer was not recognised by their bank, so nobody was charged.
        found = Outcome(state="needs_authentication", decline_class="authenticate")
    elif any(it.status != "failed" and it.payment_intent_id == intent_id for it in charges):
        # Paid meanwhile in another way, as on the provider's own page: this one never will be.
        found = NOT_MADE
    else:
        found = UNKNOWN
    copies = (invoice, *found.copies) if invoice else found.copies
    return msgspec.structs.replace(found, payment_intent_id=intent_id, copies=copies)
