"""What to do next about a failed payment: a function of what is known, and of the policy."""

from datetime import datetime, timedelta
from typing import Literal

from guichet.billing.dunning.decisions.access import access_at
from guichet.billing.dunning.decisions.facts import Access, Decision, Facts, Method, Reason
from guichet.billing.dunning.decisions.placing import place
from guichet.billing.dunning.decisions.planning import (
    Obstacle,
    Plan,
    is_new,
    plan,
    plan_at_once,
    window_end,
)
from tenants.retries import RetryPolicy

#: How long the mirror may need to learn that an invoice is paid, once a charge of it succeeded.
SETTLING = timedelta(hours=1)
_ENDED = ("canceled", "incomplete_expired")


def decide(facts: Facts, policy: RetryPolicy) -> Decision:
    """The next step of a case, always with its reasons.

    Asked again with the same facts it answers the same, and of a `wait` asked at its time, with
    nothing new, `attempt`.
    """
    return (
        _closed(facts)
        or _unsettled(facts, policy)
        or _stopped(facts, policy)
        or _resting(facts, policy)
        or _ended(facts, policy)
        or _asked_for(facts, policy)
        or _going_on(facts, policy)
    )


def obstacles_to_try(facts: Facts, policy: RetryPolicy) -> tuple[Reason, ...]:
    """Why a member of the team cannot have it tried at this moment; empty where they can."""
    found = (
        _closed(facts)
        or _unsettled(facts, policy)
        or _resting(facts, policy)
        or _ended(facts, policy)
    )
    if found:
        return found.reasons
    wanted = try_at_once(facts, policy)
    return () if isinstance(wanted, Plan) else wanted


def try_at_once(facts: Facts, policy: RetryPolicy) -> Plan | tuple[Reason, ...]:
    """The first payment method that may be charged now, or why none may."""
    reasons: list[Reason] = []
    for method in facts.methods:
        if _is_fallback(facts, method) and not policy.fallbacks:
            found: Plan | Obstacle = Obstacle(Reason("fallbacks_off"))
        else:
            found = plan_at_once(facts, policy, method)
        if isinstance(found, Obstacle):
            reasons.append(found.reason)
        elif found.at <= facts.now:
            return found
        else:
            # The first of them is that somebody asks.
            reasons += found.reasons[1:]
    return tuple(reasons) or (Reason("no_method"),)


def _closed(facts: Facts) -> Decision | None:
    """What the invoice's state says by itself, or that nobody is left to pay it."""
    if facts.invoice_status == "paid":
        paid_by = next((it.initiator for it in facts.tries if it.outcome == "succeeded"), None)
        if paid_by is None or (paid_by == "provider" and facts.taken):
            return _close("paid_elsewhere", "ok", Reason("paid_elsewhere"))
        return _close("recovered", "ok", Reason(f"paid_by_{paid_by}"))
    if facts.invoice_status == "void":
        return _close("voided", "ok", Reason("invoice_voided"))
    if facts.invoice_status == "uncollectible":
        return _close("given_up", "blocked", Reason("invoice_uncollectible"))
    if facts.customer_gone:
        return _close("given_up", "blocked", Reason("customer_gone"))
    return None


def _unsettled(facts: Facts, policy: RetryPolicy) -> Decision | None:
    """Nobody tries anything while somebody else does."""
    for it in facts.tries:
        if it.outcome in ("under_way", "unknown"):
            return _open(facts, policy, "rest", Reason(f"try_{it.outcome}"))
        if it.outcome == "succeeded" and facts.now < it.at + SETTLING:
            return _open(facts, policy, "rest", Reason("settling"), at=it.at + SETTLING)
    if facts.invoice_status == "draft":
        return _open(facts, policy, "rest", Reason("invoice_draft"))
    return None


def _stopped(facts: Facts, policy: RetryPolicy) -> Decision | None:
    """What the team has stopped; without the policy's end access stays as it is."""
    if facts.asked_for == "end":
        return _end(Reason("ended_by_staff"))
    if facts.asked_for == "stop":
        access, _ = access_at(facts.now, facts.opened_at, policy)
        return _close("given_up", access, Reason("stopped_by_staff"))
    return None


def _resting(facts: Facts, policy: RetryPolicy) -> Decision | None:
    """Nobody tries anything while the merchant says so."""
    if policy.collector == "provider":
        if facts.subscription_status in _ENDED:
            return _close("given_up", "blocked", Reason("subscription_ended"))
        return _open(facts, policy, "rest", Reason("provider_collects"))
    if policy.paused:
        return _open(facts, policy, "rest", Reason("paused"))
    return None


def _ended(facts: Facts, policy: RetryPolicy) -> Decision | None:
    """What is over whatever could still be tried."""
    if facts.subscription_status in _ENDED:
        return _end(Reason("subscription_ended"))
    if facts.now >= window_end(facts, policy):
        return _end(Reason("window_over", {"days": policy.window_days}))
    return None


def _asked_for(facts: Facts, policy: RetryPolicy) -> Decision | None:
    """The try that a member of the team has asked for, where it is possible."""
    if facts.asked_for != "retry":
        return None
    wanted = try_at_once(facts, policy)
    return _try(facts, policy, wanted, []) if isinstance(wanted, Plan) else None


def _is_fallback(facts: Facts, method: Method) -> bool:
    return method is not facts.methods[0] and not is_new(facts, method)


def _going_on(facts: Facts, policy: RetryPolicy) -> Decision:
    plans: list[Plan] = []
    obstacles: list[Obstacle] = []
    for method in facts.methods:
        found = _use(facts, policy, method)
        if isinstance(found, Plan):
            plans.append(found)
        else:
            named = Reason(found.reason.code, {**found.reason.facts, "payment_method": method.id})
            obstacles.append(Obstacle(named, found.decline))
    if plans:
        return _try(facts, policy, min(plans, key=lambda it: it.at), obstacles)
    return _ask(facts, policy, obstacles)


def _use(facts: Facts, policy: RetryPolicy, method: Method) -> Plan | Obstacle:
    """When one of the methods is charged, or why it is not."""
    if _is_fallback(facts, method) and not policy.fallbacks:
        return Obstacle(Reason("fallbacks_off"))
    found = plan(facts, policy, method)
    return place(facts, policy, found) if isinstance(found, Plan) else found


def _try(facts: Facts, policy: RetryPolicy, wanted: Plan, obstacles: list[Obstacle]) -> Decision:
    reasons = [*(it.reason for it in obstacles), *wanted.reasons]
    method: Method = wanted.method
    if wanted.at <= facts.now:
        return _open(facts, policy, "attempt", *reasons, payment_method_id=method.id)
    return _open(facts, policy, "wait", *reasons, at=wanted.at, payment_method_id=method.id)


def _ask(facts: Facts, policy: RetryPolicy, obstacles: list[Obstacle]) -> Decision:
    """Only the customer can bring it on: until the window is over, or not at all.

    What became of the method that comes first says which of the policy's actions counts.
    """
    reasons = [it.reason for it in obstacles] or [Reason("no_method")]
    declined = obstacles[0].decline if obstacles else None
    if declined and getattr(policy.declines, declined) == "end":
        return _end(*reasons)
    asks_for: Literal["new_card", "authenticate"] = (
        "authenticate" if declined == "authenticate" else "new_card"
    )
    at = window_end(facts, policy)
    return _open(facts, policy, "ask", *reasons, at=at, asks_for=asks_for)


def _open(
    facts: Facts,
    policy: RetryPolicy,
    step: Literal["attempt", "wait", "ask", "rest"],
    *reasons: Reason,
    at: datetime | None = None,
    payment_method_id: str | None = None,
    asks_for: Literal["new_card", "authenticate"] | None = None,
) -> Decision:
    access, changes_at = access_at(facts.now, facts.opened_at, policy)
    return Decision(
        step=step,
        reasons=reasons,
        at=at,
        payment_method_id=payment_method_id,
        asks_for=asks_for,
        access=access,
        access_changes_at=changes_at,
    )


def _end(*reasons: Reason) -> Decision:
    return Decision(step="end", reasons=reasons, access="blocked")


def _close(
    outcome: Literal["recovered", "voided", "paid_elsewhere", "given_up"],
    access: Access,
    *reasons: Reason,
) -> Decision:
    return Decision(step="close", reasons=reasons, outcome=outcome, access=access)
