"""New periods: when a change begins one at once, and what is billed for it."""

from collections.abc import Sequence

from stripe_sandbox.invoices.invoice_lines import item_line, trial_description
from stripe_sandbox.passing_time.calendar import Period
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.billing import issue, period_line
from stripe_sandbox.subscriptions.debits import prorate
from stripe_sandbox.subscriptions.standing import healthy_status
from stripe_sandbox.subscriptions.subscription_forms import anchor_after_trial
from stripe_sandbox.subscriptions.subscription_items import (
    ItemChange,
    billed_period,
    full_amount,
    set_period,
)


def begins_at_once(subscription: Document, changes: Sequence[ItemChange], params: Document) -> bool:
    """Whether a new period begins now and is billed now.

    It does when asked to, when the interval changes, when a trial is ended, and when a free
    subscription becomes a paid one
    (https://docs.stripe.com/billing/subscriptions/change-price#immediate-payment).
    """
    trialing = subscription["status"] == "trialing"
    if params.get("trial_end") == "now" and trialing:
        return True
    if trialing:
        return False
    if params.get("billing_cycle_anchor") == "now":
        return True
    was_free = not any(full_amount(change.before) for change in changes if change.before)
    costs = any(full_amount(change.after) for change in changes if change.after)
    return (was_free and costs) or any(change.changes_interval for change in changes)


def set_items(subscription: Document, changes: Sequence[ItemChange]) -> None:
    """The items after a change; what was removed has no debits any more."""
    items = [change.after for change in changes if change.after]
    subscription["items"]["data"] = items
    subscription["items"]["total_count"] = len(items)
    for change in changes:
        if change.before and not change.after:
            subscription["_debits"].pop(change.before["id"], None)


def restart_cycle(
    unit: Unit,
    subscription: Document,
    changes: Sequence[ItemChange],
    params: Document,
    moment: int,
) -> Document:
    """Begin a period now and draft its invoice, with credit for what was paid before."""
    now = unit.now(subscription)
    before = subscription["items"]["data"][0]
    previous = Period(before["current_period_start"], now)
    if params.get("proration_behavior") != "none" and subscription["status"] != "trialing":
        for each in changes:
            prorate(unit, subscription, each, moment, debits_too=False)
    if subscription["status"] == "trialing":
        subscription["trial_end"] = now
        subscription["status"] = "active"
    subscription["billing_cycle_anchor"] = now
    set_items(subscription, changes)
    lines = []
    for item in subscription["items"]["data"]:
        period = billed_period(subscription, item, now)
        set_period(item, period)
        lines.append(period_line(unit, subscription, item, period))
    return issue(unit, subscription, lines, "subscription_update", previous)


def begin_trial(
    unit: Unit,
    subscription: Document,
    changes: Sequence[ItemChange],
    params: Document,
    now: int,
) -> Document | None:
    """Give free time from now: what was paid for it comes back, the anchor moves to its end."""
    end = params["trial_end"]
    if end <= now:
        raise invalid(
            "Invalid timestamp: must be an integer Unix timestamp in the future.", "trial_end"
        )
    already = subscription["status"] == "trialing"
    if params.get("proration_behavior") != "none" and not already:
        for each in changes:
            prorate(unit, subscription, each, now, debits_too=False)
    set_items(subscription, changes)
    subscription.update(
        trial_start=subscription["trial_start"] if already else now,
        trial_end=end,
        billing_cycle_anchor=anchor_after_trial(subscription, end),
        _trial_notice_sent=False,
    )
    if subscription["status"] == "active":
        subscription["status"] = healthy_status(unit, subscription)
    lines = []
    for item in subscription["items"]["data"]:
        period = Period(now, end)
        set_period(item, period)
        words = trial_description(unit, item)
        lines.append(item_line(subscription, item, period, 0, words))
    return None if already else issue(unit, subscription, lines, "subscription_update")
