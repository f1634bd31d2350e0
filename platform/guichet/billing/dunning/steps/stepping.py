"""What is done about a claimed case: a function of the case, its decision and the policy."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from guichet.billing.dunning.cases.loading import Loaded
from guichet.billing.dunning.decisions.facts import Decision
from tenants.retries import RetryPolicy

#: `write`: the decision is all; the others ask the provider for something first.
#: - `look`, `look_for_customer`: what became of a charge, ours or one that the customer left.
#: - `take`, `hand_back`: switch the provider's own retries off, or on again.
#: - `charge`, `end`: as decided.
#: - `resume`: the subscription goes on whose collection the end has stopped.
Step = Literal["write", "look", "look_for_customer", "take", "hand_back", "charge", "end", "resume"]

#: A customer who went to their bank has so long to come back.
ABSENCE = timedelta(minutes=30)
#: So long the page that began a customer's payment may need to settle it by itself.
_SETTLING = timedelta(seconds=45)


class Next(msgspec.Struct, frozen=True):
    """The step, the decision that is stored before it, and by when to look again at the latest."""

    step: Step
    decision: Decision
    not_after: datetime | None = None


def next_step(loaded: Loaded, decision: Decision, policy: RetryPolicy) -> Next:
    """What is done about a case now.

    Nothing is tried, ended or closed before it is known what became of what was tried last.
    """
    if loaded.open_attempt("merchant"):
        return Next("look", resting(decision))
    if (payment := loaded.open_attempt("customer")) is not None:
        patience = _SETTLING if decision.step == "close" else ABSENCE
        back_at = payment.sent_at + patience
        if loaded.wall_now >= back_at:
            return Next("look_for_customer", resting(decision))
        return Next("write", resting(decision), back_at)
    if decision.step == "close":
        return _closing(loaded, decision, policy)
    if loaded.case.is_ending and loaded.case.decision is not None:
        return Next("end", loaded.case.decision)
    if policy.collector == "guichet" and loaded.case.taken is not True:
        return Next("take", decision)
    if policy.collector == "provider" and loaded.case.taken is not False:
        return Next("hand_back", decision)
    if decision.step == "attempt":
        return Next("charge", decision)
    if decision.step == "end":
        return Next("end", decision)
    return Next("write", decision)


def _closing(loaded: Loaded, decision: Decision, policy: RetryPolicy) -> Next:
    """Where it is paid after all, what its end may have stopped goes on first."""
    may_have_paused = loaded.case.is_ending and policy.end.subscription in ("pause", "unpaid")
    is_paid = decision.outcome in ("recovered", "paid_elsewhere")
    if is_paid and (loaded.case.paused_collection or may_have_paused):
        return Next("resume", resting(decision))
    if decision.is_stopped and policy.collector == "guichet" and loaded.case.taken is not True:
        # Who stops our retries does not want the provider's in their place.
        return Next("take", resting(decision))
    return Next("write", _as_begun(loaded, decision))


def resting(decision: Decision) -> Decision:
    """The decision while something else comes first: nothing is over, nor tried."""
    if decision.step == "rest":
        return decision
    return msgspec.structs.replace(
        decision, step="rest", at=None, payment_method_id=None, asks_for=None, outcome=None
    )


def _as_begun(loaded: Loaded, decision: Decision) -> Decision:
    """An invoice that our own end has voided is given up, and not voided by somebody else."""
    begun = loaded.case.decision
    if begun is None or not loaded.case.is_ending or decision.outcome not in ("voided", "given_up"):
        return decision
    return given_up(begun)


def given_up(ending: Decision) -> Decision:
    """How a case is closed whose end, as it was decided, is carried out."""
    return Decision(step="close", reasons=ending.reasons, outcome="given_up", access=ending.access)
