"""What time alone does to a subscription: renewals, ends of trials, pauses and of itself."""

from stripe_sandbox.passing_time.calendar import Period
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.placement import TRIAL_NOTICE
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.billing import collect, issue, period_line
from stripe_sandbox.subscriptions.cancelling import final_invoice
from stripe_sandbox.subscriptions.pending_updates import drop
from stripe_sandbox.subscriptions.standing import be_paused, end, expire_incomplete, stay_paused
from stripe_sandbox.subscriptions.subscription_items import billed_period, set_period


def advance_subscription(unit: Unit, subscription: Document) -> None:
    """Do the one thing that is due now."""
    now = unit.now(subscription)
    pause = subscription["pause_collection"]
    if subscription["status"] == "incomplete":
        expire_incomplete(unit, subscription)
    elif subscription["pending_update"] and subscription["pending_update"]["expires_at"] <= now:
        drop(unit, subscription)
    elif subscription["_resuming"] and subscription["_resuming"]["expires_at"] <= now:
        stay_paused(unit, subscription)
    elif pause and pause["resumes_at"] is not None and pause["resumes_at"] <= now:
        subscription["pause_collection"] = None
        unit.update(subscription, "customer.subscription.updated")
    elif subscription["cancel_at"] is not None and subscription["cancel_at"] <= now:
        _end_as_planned(unit, subscription)
    elif _trial_notice_due(subscription, now):
        subscription["_trial_notice_sent"] = True
        unit.update(subscription)
        unit.emit("customer.subscription.trial_will_end", subscription)
    else:
        _renew_or_stop(unit, subscription, now)


def _trial_notice_due(subscription: Document, now: int) -> bool:
    return (
        subscription["status"] == "trialing"
        and not subscription.get("_trial_notice_sent")
        and now < subscription["trial_end"]
        and now >= subscription["trial_end"] - TRIAL_NOTICE
    )


def _end_as_planned(unit: Unit, subscription: Document) -> None:
    last = final_invoice(unit, subscription)
    end(unit, subscription, None)
    if last:
        collect(unit, last)


def _renew_or_stop(unit: Unit, subscription: Document, now: int) -> None:
    """At a trial's end a missing payment method may cancel or pause instead."""
    ends_trial = subscription["status"] == "trialing"
    missing = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if ends_trial and missing != "create_invoice" and not _can_be_charged(unit, subscription):
        if missing == "cancel":
            end(unit, subscription, None)
        else:
            be_paused(unit, subscription, "trial_end_without_payment_method")
        return
    invoice = renew(unit, subscription, now)
    if subscription["status"] == "unpaid":
        invoice.update(auto_advance=False, automatically_finalizes_at=None)
        unit.update(invoice)
    unit.update(subscription, "customer.subscription.updated")


def _can_be_charged(unit: Unit, subscription: Document) -> bool:
    customer = unit.need("customer", subscription["customer"])
    return bool(
        subscription["default_payment_method"]
        or customer["invoice_settings"]["default_payment_method"]
    )


def renew(unit: Unit, subscription: Document, moment: int) -> Document:
    """Begin the next period of every item whose period is over, and draft its invoice."""
    due = [item for item in subscription["items"]["data"] if item["current_period_end"] <= moment]
    previous = Period(
        min(item["current_period_start"] for item in due),
        max(item["current_period_end"] for item in due),
    )
    lines = []
    for item in due:
        period = billed_period(subscription, item, moment)
        # A trial may end within the period that its anchor makes: only the rest is billed.
        period = period._replace(start=max(period.start, item["current_period_end"]))
        set_period(item, period)
        lines.append(period_line(unit, subscription, item, period))
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    subscription["_notice_days"] = unit.account.settings["upcoming_days"]
    return issue(unit, subscription, lines, "subscription_cycle", previous)
