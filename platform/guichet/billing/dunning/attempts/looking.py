"""What became of a charge of which nobody knows: looked for, and asked for again with its key."""

from datetime import timedelta

import msgspec

from guichet.billing.dunning.attempts.attempting import charge
from guichet.billing.dunning.attempts.outcomes import (
    NOT_MADE,
    UNKNOWN,
    Outcome,
    charge_of,
    outcome_of_charge,
)
from guichet.billing.dunning.cases.cases import Attempt
from guichet.payments.errors import ProviderError
from guichet.payments.port import PaymentProvider

#: An attempt that is older is only looked for: far below the 24 hours for which Stripe remembers an
#: idempotency key. Source: https://docs.stripe.com/api/idempotent_requests.
PATIENCE = timedelta(hours=1)


async def look(
    provider: PaymentProvider, attempt: Attempt, others: frozenset[str], age: timedelta
) -> Outcome:
    """What became of a merchant's attempt that was asked for `age` ago.

    Its charge is looked for first. Where there is none, it is asked for again with the same key;
    after an hour it was not made and never will be.
    """
    unknown = msgspec.structs.replace(attempt, state="unknown")
    found = await _find(provider, unknown, others)
    if found is not None:
        return found
    if age >= PATIENCE:
        return NOT_MADE
    outcome = await charge(provider, unknown)
    if outcome.state in ("refused", "not_made"):
        # The refusal may be of the repetition alone.
        return await _find(provider, unknown, others) or outcome
    return outcome


async def _find(
    provider: PaymentProvider, attempt: Attempt, others: frozenset[str]
) -> Outcome | None:
    """What the provider shows of it; None where it shows no such charge."""
    try:
        charges = await provider.list_invoice_attempts(attempt.invoice_id)
        made = charge_of(attempt, others, charges)
        if made is None:
            return None
        invoice = await provider.fetch_invoice(attempt.invoice_id)
    except ProviderError as error:
        return msgspec.structs.replace(UNKNOWN, request_id=error.request_id)
    found = outcome_of_charge(made, attempt)
    return msgspec.structs.replace(found, copies=(*found.copies, *((invoice,) if invoice else ())))
