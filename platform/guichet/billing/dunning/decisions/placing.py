"""When a plan is carried out: by the customer's calendar, and within the window."""

from datetime import datetime, timedelta

import msgspec

from guichet.billing.dunning.decisions.calendar import Calendar, calendar_of, quiet_reason
from guichet.billing.dunning.decisions.facts import Facts, Reason
from guichet.billing.dunning.decisions.planning import Obstacle, Plan, expired, window_end
from tenants.retries import RetryPolicy

#: How long after a charge that could not even be made another one may be.
PATIENCE = timedelta(minutes=15)


def place(facts: Facts, policy: RetryPolicy, plan: Plan) -> Plan | Obstacle:
    """The plan at the time at which it may be carried out; in the past, if that was missed.

    Nothing is carried out later than the window lasts, or the card. As long as the time lies ahead,
    it does not depend on when one asks.
    """
    at = max([plan.at, *(it.at + PATIENCE for it in facts.tries if it.outcome == "not_made")])
    end = window_end(facts, policy)
    reasons: list[Reason] = []
    if plan.kind != "asked_for":
        calendar = calendar_of(policy, facts.country)
        at = _in_calendar(calendar, plan, at, end, reasons)
        if at < facts.now:
            at = _not_quiet(calendar, facts.now, reasons)
    if max(at, facts.now) >= end:
        return Obstacle(Reason("no_time_left", {"days": policy.window_days}))
    if obstacle := expired(plan.method, at):
        return obstacle
    return msgspec.structs.replace(plan, at=at, reasons=(*plan.reasons, *reasons))


def _in_calendar(
    calendar: Calendar, plan: Plan, at: datetime, end: datetime, reasons: list[Reason]
) -> datetime:
    at = _not_quiet(calendar, at, reasons)
    if plan.kind != "scheduled" or not calendar.pay_days:
        return at
    pay_day = calendar.pay_day(at, end)
    if pay_day is None:
        return at
    reasons.append(Reason("pay_day", {"at": pay_day.isoformat()}))
    return pay_day


def _not_quiet(calendar: Calendar, at: datetime, reasons: list[Reason]) -> datetime:
    permitted = calendar.permitted(at)
    if permitted > at:
        reasons.append(quiet_reason(calendar, at))
    return permitted
