"""What a policy would do about a failed payment, told beforehand: the decision, asked on and on.

Nothing is charged and nobody is asked. Each try is declined as the first one was, because what
merchants want to see is how their policy goes on and how it ends.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from guichet.billing.dunning.decisions.access import access_at
from guichet.billing.dunning.decisions.calendar import calendar_of
from guichet.billing.dunning.decisions.deciding import decide
from guichet.billing.dunning.decisions.facts import (
    Access,
    DeclineClass,
    Facts,
    Method,
    Reason,
    Try,
)
from tenants.mails import MailKind
from tenants.retries import RetryPolicy

#: Far above the twenty tries of a policy with all its fallbacks: whatever a policy says, it ends.
_MOST_STEPS = 200


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """The payment that fails."""

    failed_at: datetime
    decline: DeclineClass = "later"
    #: Two capital letters, or None where it is not known.
    country: str | None = None
    #: Cards that the customer has: the second and third one are fallbacks.
    methods: Literal[1, 2, 3] = 1


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One point of the timeline."""

    at: datetime
    kind: Literal["failed", "tried", "asks", "rests", "access", "ends"]
    #: Which try it is, of the merchant's own; 0 for everything else.
    number: int = 0
    #: 1 for the card that failed first, 2 and 3 for fallbacks; 0 for everything else.
    method: int = 0
    access: Access = "grace"
    #: What the customer is sent then.
    mail: MailKind | None = None
    reasons: tuple[Reason, ...] = ()


def simulate(policy: RetryPolicy, scenario: Scenario) -> tuple[Step, ...]:
    """The timeline of a payment that nobody ever pays, in the order of time."""
    steps = [*_steps(policy, scenario)]
    ended_at = next((it.at for it in steps if it.kind == "ends"), None)
    # The sort keeps what happens at the same time in its order.
    merged = sorted([*steps, *_access_steps(policy, scenario, ended_at)], key=lambda it: it.at)
    return tuple(_with_mails(merged, policy, scenario))


def _steps(policy: RetryPolicy, scenario: Scenario) -> Iterator[Step]:
    now = scenario.failed_at
    tries: tuple[Try, ...] = (_declined(scenario, now, 1, "provider", ()),)
    yield Step(at=now, kind="failed", method=1)
    number = 0
    for _ in range(_MOST_STEPS):
        decision = decide(_facts(scenario, now, tries), policy)
        match decision.step:
            case "attempt":
                number += 1
                method = int(str(decision.payment_method_id))
                yield Step(
                    at=now, kind="tried", number=number, method=method, reasons=decision.reasons
                )
                made = _declined(scenario, now, method, "merchant", decision.reasons)
                tries = (*tries, made)
            case "wait" | "ask" if decision.at is not None:
                if decision.step == "ask":
                    yield Step(at=now, kind="asks", reasons=decision.reasons)
                now = decision.at
            case "end" | "close":
                yield Step(at=now, kind="ends", access="blocked", reasons=decision.reasons)
                return
            case _:
                yield Step(at=now, kind="rests", reasons=decision.reasons)
                return


def _facts(scenario: Scenario, now: datetime, tries: tuple[Try, ...]) -> Facts:
    return Facts(
        now=now,
        opened_at=scenario.failed_at,
        invoice_status="open",
        subscription_status="past_due",
        taken=True,
        country=scenario.country,
        tries=tries,
        methods=tuple(
            Method(
                id=str(number),
                fingerprint=str(number),
                attached_at=scenario.failed_at - timedelta(days=365),
            )
            for number in range(1, scenario.methods + 1)
        ),
    )


def _declined(
    scenario: Scenario,
    at: datetime,
    method: int,
    initiator: Literal["merchant", "provider"],
    reasons: tuple[Reason, ...],
) -> Try:
    return Try(
        at=at,
        initiator=initiator,
        outcome="declined",
        decline=scenario.decline,
        payment_method_id=str(method),
        fingerprint=str(method),
        reasons=reasons,
    )


def _access_steps(
    policy: RetryPolicy, scenario: Scenario, ended_at: datetime | None
) -> Iterator[Step]:
    """When access gets worse, until the end, which blocks it by itself."""
    access, at = access_at(scenario.failed_at, scenario.failed_at, policy)
    yield Step(at=scenario.failed_at, kind="access", access=access)
    while at is not None and (ended_at is None or at < ended_at):
        access, later = access_at(at, scenario.failed_at, policy)
        yield Step(at=at, kind="access", access=access)
        at = later


def _with_mails(steps: list[Step], policy: RetryPolicy, scenario: Scenario) -> Iterator[Step]:
    """One mail about the failure on a customer's day at most, and one at the end."""
    zone = calendar_of(policy, scenario.country).zones[0]
    about: MailKind = "action_needed" if scenario.decline == "authenticate" else "payment_failed"
    told = None
    for step in steps:
        if step.kind == "ends":
            yield msgspec.structs.replace(step, mail="given_up")
        elif step.kind in ("failed", "tried") and (day := step.at.astimezone(zone).date()) != told:
            told = day
            yield msgspec.structs.replace(step, mail=about)
        else:
            yield step
