"""What became of a charge, in the words of an attempt's row."""

from datetime import timedelta

import msgspec

from guichet.billing.dunning.cases.cases import Attempt, AttemptState
from guichet.billing.dunning.decisions.declines import classify
from guichet.billing.dunning.decisions.facts import DeclineClass
from guichet.payments.copies import AttemptCopy, Copy
from guichet.payments.errors import (
    NeedsAuthentication,
    PaymentFailed,
    ProviderAway,
    ProviderBusy,
    ProviderError,
    ProviderKeyRejected,
    ProviderRefused,
)

#: Nothing was done, for the provider did not look at the charge.
TURNED_AWAY = (ProviderAway, ProviderBusy, ProviderKeyRejected)


#: So much the clocks of two well-kept machines may differ; nobody charges one card twice in it.
_CLOCKS_DIFFER = timedelta(seconds=5)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended, or that nobody knows; with what the provider showed of its objects."""

    state: AttemptState
    decline_class: DeclineClass | None = None
    #: Of a refusal, the provider's own code.
    decline_code: str | None = None
    advice_code: str | None = None
    network_decline_code: str | None = None
    network_advice_code: str | None = None
    charge_id: str | None = None
    payment_intent_id: str | None = None
    request_id: str | None = None
    copies: tuple[Copy, ...] = ()
    #: Whether the provider did not even look: then the next try of anything waits.
    is_turned_away: bool = False


UNKNOWN = Outcome(state="unknown")
NOT_MADE = Outcome(state="not_made")


def outcome_of_error(error: ProviderError, attempt: Attempt) -> Outcome:
    """What an error says of the attempt. What a repetition is told says nothing of the first call.

    Source for what is known of which error: `guichet.payments.errors`.
    """
    if isinstance(error, PaymentFailed):
        return _declined(error, attempt)
    if isinstance(error, TURNED_AWAY):
        state: AttemptState = "unknown" if attempt.state == "unknown" else "not_made"
        return Outcome(state=state, request_id=error.request_id, is_turned_away=True)
    if isinstance(error, ProviderRefused):
        return Outcome(
            state="refused", decline_code=error.provider_code, request_id=error.request_id
        )
    return Outcome(state="unknown", request_id=error.request_id)


def _declined(error: PaymentFailed, attempt: Attempt) -> Outcome:
    wants_customer = isinstance(error, NeedsAuthentication)
    verdict = classify(
        decline_code=error.decline_code,
        network=attempt.network,
        network_decline_code=error.network_decline_code,
        network_advice_code=error.advice,
    )
    return Outcome(
        state="needs_authentication" if wants_customer else "declined",
        decline_class="authenticate" if wants_customer else verdict.decline,
        decline_code=error.decline_code,
        network_decline_code=error.network_decline_code,
        network_advice_code=error.advice,
        charge_id=error.charge_id,
        payment_intent_id=error.payment_intent_id,
        request_id=error.request_id,
    )


def outcome_of_charge(charge: AttemptCopy, attempt: Attempt) -> Outcome:
    """What the provider tells of the attempt's charge."""
    found = Outcome(
        state="succeeded",
        charge_id=charge.id,
        payment_intent_id=charge.payment_intent_id,
        copies=(charge,),
    )
    if charge.status == "succeeded":
        return found
    if charge.status == "pending":
        return msgspec.structs.replace(found, state="unknown")
    verdict = classify(
        decline_code=charge.decline_code,
        failure_code=charge.failure_code,
        advice_code=charge.advice_code,
        network=charge.network,
        network_decline_code=charge.network_decline_code,
        network_advice_code=charge.network_advice_code,
    )
    return msgspec.structs.replace(
        found,
        state="needs_authentication" if verdict.decline == "authenticate" else "declined",
        decline_class=verdict.decline,
        decline_code=charge.decline_code or charge.failure_code,
        advice_code=charge.advice_code,
        network_decline_code=charge.network_decline_code,
        network_advice_code=charge.network_advice_code,
    )


def charge_of(
    attempt: Attempt, others: frozenset[str], charges: list[AttemptCopy]
) -> AttemptCopy | None:
    """The attempt's charge among those of its invoice, if it is there; of several the first."""
    return next(iter(candidates(attempt, others, charges)), None)


def candidates(
    attempt: Attempt, others: frozenset[str], charges: list[AttemptCopy]
) -> list[AttemptCopy]:
    """Charges of the invoice that may be the attempt's, oldest first; `charges` is newest first.

    They are none that is accounted for (`others`), nor older than the attempt, and of the method
    that was to be charged.
    """
    if attempt.charge_id:
        return [it for it in charges if it.id == attempt.charge_id]
    # The provider tells whole seconds, by a clock that is not the database's.
    since = attempt.started_at.replace(microsecond=0) - _CLOCKS_DIFFER
    return [
        it
        for it in reversed(charges)
        if it.id not in others
        and it.created_at >= since
        and attempt.payment_method_id in (None, it.payment_method_id)
    ]
