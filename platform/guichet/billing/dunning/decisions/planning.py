"""When a payment method may be charged next for an invoice, or why it may not."""

from datetime import datetime, timedelta, timezone
from typing import Literal

import msgspec

from guichet.billing.dunning.decisions.facts import DeclineClass, Facts, Method, Reason, Try
from tenants.retries import RetryPolicy

#: A try whose reasons hold one of these is none of the policy's: it was made at once, once for each
#: cause, and the schedule goes on as if it had not been.
EXTRA = frozenset({"soon", "new_method", "fallback", "asked_by_staff"})
#: How long after a failure that was the network's own it is tried again, each time once.
SOON = (timedelta(minutes=5), timedelta(minutes=30))
#: A card that was declined has a rest of a day, or the policy's wait where that is shorter.
REST = timedelta(days=1)
_LAST_ZONE = timezone(timedelta(hours=-12))


class Plan(msgspec.Struct, frozen=True):
    """A method that may be charged, from when, and why then."""

    method: Method
    at: datetime
    reasons: tuple[Reason, ...]
    #: The schedule's own waits for pay days; what somebody asked for, as the customer does by
    #: adding the method, does not wait for the end of quiet times either.
    kind: Literal["scheduled", "extra", "asked_for"]


class Obstacle(msgspec.Struct, frozen=True):
    """Why a method is not charged. `decline` is the class whose action the policy decides about."""

    reason: Reason
    decline: DeclineClass | None = None


def plan(facts: Facts, policy: RetryPolicy, method: Method) -> Plan | Obstacle:
    """When the method is charged next. The plan may lie outside of the window."""
    tries = spoken_tries(facts, method)
    obstacle = expired(method, facts.now) or _declined(tries, policy) or _banned(method)
    if obstacle:
        return obstacle
    if not tries and is_new(facts, method):
        return _held("asked_for", method, facts.opened_at, Reason("new_method"), tries)
    if not tries and not _is_the_first(facts, method):
        return _held("extra", method, facts.opened_at, Reason("fallback"), tries)
    return _soon(method, tries, policy) or _scheduled(facts, policy, method, tries)


def plan_at_once(facts: Facts, policy: RetryPolicy, method: Method) -> Plan | Obstacle:
    """When the method is charged because a member of the team asks for it: now, as a rule.

    Neither the schedule nor its number of tries counts. The networks do, and so does what the
    declines forbid.
    """
    tries = spoken_tries(facts, method)
    obstacle = expired(method, facts.now) or _declined(tries, policy) or _banned(method)
    return obstacle or _held("asked_for", method, facts.now, Reason("asked_by_staff"), tries)


def _soon(method: Method, tries: list[Try], policy: RetryPolicy) -> Plan | None:
    if not tries or tries[-1].decline != "now" or policy.declines.now != "retry_soon":
        return None
    repeats = 0
    for it in reversed(tries):
        if not _has(it, "soon"):
            break
        repeats += 1
    if repeats >= len(SOON):
        return None
    wait = SOON[repeats]
    reason = Reason("soon", {"minutes": int(wait.total_seconds() // 60)})
    return _held("extra", method, tries[-1].at + wait, reason, tries)


def _scheduled(
    facts: Facts, policy: RetryPolicy, method: Method, tries: list[Try]
) -> Plan | Obstacle:
    made = scheduled_tries(facts)
    most = number_of_tries(policy)
    if len(made) >= most:
        return Obstacle(Reason("tries_used_up", {"tries": most}))
    last_at = made[-1].at if made else facts.opened_at
    wait = _wait(facts, policy, len(made), last_at)
    at = last_at + wait
    if tries:
        at = max(at, tries[-1].at + min(wait, REST))
    reason = Reason("planned", {"number": len(made) + 1, "tries": most})
    return _held("scheduled", method, at, reason, tries)


def _wait(facts: Facts, policy: RetryPolicy, made: int, last_at: datetime) -> timedelta:
    """Up to the next try: the list's, or an equal part of what is left of the window."""
    if policy.waits_days:
        return timedelta(days=policy.waits_days[made])
    left = window_end(facts, policy) - last_at
    return max(left, timedelta()) / (number_of_tries(policy) - made + 1)


def _held(
    kind: Literal["scheduled", "extra", "asked_for"],
    method: Method,
    at: datetime,
    reason: Reason,
    tries: list[Try],
) -> Plan:
    """The plan, held back for as long as the networks want it."""
    reasons = [reason]
    for it in tries:
        if it.not_before and it.not_before > at:
            at = it.not_before
            reasons.append(Reason("network_wait", {"until": at.isoformat()}))
    if method.allowed_at and method.allowed_at > at:
        at = method.allowed_at
        reasons.append(Reason("cap", {"cap": method.cap or "", "until": at.isoformat()}))
    return Plan(method, at, tuple(reasons), kind)


def expired(method: Method, at: datetime) -> Obstacle | None:
    """Whether a card has no day left at a time."""
    if method.exp_year is None or method.exp_month is None:
        return None
    # A card is good until the last day of its month, wherever on earth that ends last.
    there = at.astimezone(_LAST_ZONE)
    if (there.year, there.month) <= (method.exp_year, method.exp_month):
        return None
    reason = Reason("card_expired", {"month": method.exp_month, "year": method.exp_year})
    return Obstacle(reason, "new_card")


def _declined(tries: list[Try], policy: RetryPolicy) -> Obstacle | None:
    """What the method's declines forbid by themselves, or the policy because of them."""
    classes = [it.decline for it in tries if it.decline]
    if "never" in classes:
        return Obstacle(Reason("declined_never"), "never")
    if "new_card" in classes:
        return Obstacle(Reason("declined_new_card"), "new_card")
    last = classes[-1] if classes else None
    if last == "authenticate":
        return Obstacle(Reason("declined_authenticate"), last)
    if last == "later" and policy.declines.later != "retry":
        return Obstacle(Reason("declined_later"), last)
    if last == "now" and policy.declines.now in ("ask", "end"):
        return Obstacle(Reason("declined_now"), last)
    return None


def _banned(method: Method) -> Obstacle | None:
    if not method.is_banned:
        return None
    return Obstacle(Reason("banned", {"cap": method.cap or ""}), "never")


def window_end(facts: Facts, policy: RetryPolicy) -> datetime:
    """When the case ends, whatever was tried. Time in which nobody could act does not count."""
    return facts.opened_at + timedelta(days=policy.window_days) + facts.held_up


def number_of_tries(policy: RetryPolicy) -> int:
    """How many the schedule has; a list of waits has one for each."""
    return min(policy.tries, len(policy.waits_days)) if policy.waits_days else policy.tries


def scheduled_tries(facts: Facts) -> list[Try]:
    """The merchant's own tries that the schedule brought."""
    return [
        it
        for it in facts.tries
        if it.initiator == "merchant"
        and it.outcome != "not_made"
        and not any(_has(it, code) for code in EXTRA)
    ]


def spoken_tries(facts: Facts, method: Method) -> list[Try]:
    """The tries that tell of the method as it is now: by its number where that is known."""
    return [
        it
        for it in facts.tries
        if it.outcome != "not_made"
        and _is_of(it, method)
        # Who types in a card anew may have mended its date or its code, but not that it was stolen.
        and (it.decline == "never" or it.at >= method.attached_at or not is_new(facts, method))
    ]


def is_new(facts: Facts, method: Method) -> bool:
    """Whether the customer added or renewed it since the first failure."""
    return facts.opened_at < method.attached_at <= facts.now


def _is_of(it: Try, method: Method) -> bool:
    if it.fingerprint and method.fingerprint:
        return it.fingerprint == method.fingerprint
    return it.payment_method_id == method.id


def _is_the_first(facts: Facts, method: Method) -> bool:
    """Whether the first failure, of which no charge is known yet, must have been this method's."""
    known = any(it.payment_method_id or it.fingerprint for it in facts.tries)
    return not known and bool(facts.methods) and method is facts.methods[0]


def _has(it: Try, code: str) -> bool:
    return any(reason.code == code for reason in it.reasons)
