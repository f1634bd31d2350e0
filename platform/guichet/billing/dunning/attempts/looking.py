"""What became of a charge of which nobody knows: looked for, and asked for again with its key."""

from datetime import timedelta

import msgspec

from guichet.billing.dunning.attempts.attempting import charge
from guichet.billing.dunning.attempts.outcomes import (
    NOT_MADE,
    UNKNOWN,
    Outcome,
    candidates,
    outcome_of_charge,
)
from guichet.billing.dunning.cases.cases import Attempt
from guichet.payments.copies import AttemptCopy, InvoiceCopy
from guichet.payments.errors import ProviderError
from guichet.payments.port import PaymentProvider

#: An attempt that is older is only looked for: far below the 24 hours for which Stripe remembers an
#: idempotency key. Source: https://docs.stripe.com/api/idempotent_requests.
PATIENCE = timedelta(hours=1)


async def look(
    provider: PaymentProvider,
    attempt: Attempt,
    others: frozenset[str],
    age: timedelta,
    *,
    is_wanted: bool = True,
) -> Outcome:
    """What became of a merchant's attempt that was asked for `age` ago.

    Its charge is looked for first. Where there is none, it is asked for again with the same key, if
    it is still wanted; after an hour it was not made and never will be.
    """
    unknown = msgspec.structs.replace(attempt, state="unknown")
    is_old = age >= PATIENCE
    found = await _find(provider, unknown, others, is_old)
    if found is not None:
        return found
    if is_old:
        return await _given_up(provider, attempt)
    if not is_wanted:
        # Perhaps it never was asked for; perhaps that is only on its way.
        return UNKNOWN
    outcome = await charge(provider, unknown)
    if outcome.state in ("refused", "not_made"):
        # The refusal may be of the repetition alone.
        return await _find(provider, unknown, others, is_old) or outcome
    return outcome


async def _find(
    provider: PaymentProvider, attempt: Attempt, others: frozenset[str], is_old: bool
) -> Outcome | None:
    """What the provider shows of it; None where it shows no such charge.

    The customer may have paid elsewhere meanwhile, with the same card: such a charge is not the
    attempt's. While the provider does not tell by whose request a charge was made, nobody knows;
    once that is an hour old it was the attempt's, for all that anybody will ever say.
    """
    try:
        charges = await provider.list_invoice_attempts(attempt.invoice_id)
        for made in candidates(attempt, others, charges):
            is_ours = await _is_made_by(provider, made, attempt)
            if is_ours is None and not is_old:
                return UNKNOWN
            if is_ours is not False:
                return _told(made, attempt, await provider.fetch_invoice(attempt.invoice_id))
    except ProviderError as error:
        return msgspec.structs.replace(UNKNOWN, request_id=error.request_id)
    return None


async def _is_made_by(
    provider: PaymentProvider, made: AttemptCopy, attempt: Attempt
) -> bool | None:
    if made.id == attempt.charge_id:
        return True
    return await provider.was_asked_for(made, attempt.idempotency_key)


def _told(made: AttemptCopy, attempt: Attempt, invoice: InvoiceCopy | None) -> Outcome:
    found = outcome_of_charge(made, attempt)
    return msgspec.structs.replace(found, copies=(*found.copies, *((invoice,) if invoice else ())))


async def _given_up(provider: PaymentProvider, attempt: Attempt) -> Outcome:
    """Nothing was charged; with the invoice, which somebody else may have paid."""
    try:
        invoice = await provider.fetch_invoice(attempt.invoice_id)
    except ProviderError as error:
        return msgspec.structs.replace(UNKNOWN, request_id=error.request_id)
    return msgspec.structs.replace(NOT_MADE, copies=(invoice,) if invoice else ())
