"""Transitions: what a schedule does to its subscription as phases begin and end."""

from stripe_sandbox.invoices.one_off_charges import add_charges
from stripe_sandbox.schedules.phase_changes import (
    as_beginning,
    as_change,
    charges,
    enters_anew,
    planned_end,
)
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.placement import schedule_notice
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.billing import collect
from stripe_sandbox.subscriptions.cancelling import final_invoice
from stripe_sandbox.subscriptions.changes import change, change_fields, swap_at_boundary
from stripe_sandbox.subscriptions.debits import fit_to_end
from stripe_sandbox.subscriptions.standing import end
from stripe_sandbox.subscriptions.subscriptions import begin


def advance_schedule(unit: Unit, schedule: Document) -> None:
    """Do what is due now: begin, give notice, enter the next phase, or end."""
    told = schedule_notice(schedule)
    if schedule["status"] == "not_started":
        start(unit, schedule)
    elif told is not None and told <= unit.now(schedule):
        schedule["_expiry_told"] = schedule["phases"][-1]["end_date"]
        unit.update(schedule)
        unit.emit("subscription_schedule.expiring", schedule)
    else:
        _leave_phase(unit, schedule)


def start(unit: Unit, schedule: Document) -> None:
    """Begin the subscription of the first phase; its invoice stays a draft for an hour."""
    phase = schedule["phases"][0]
    subscription = begin(unit, as_beginning(schedule, phase), drafts=True)
    subscription["schedule"] = schedule["id"]
    unit.update(subscription, "customer.subscription.updated")
    schedule.update(status="active", subscription=subscription["id"], current_phase=bounds(phase))
    unit.update(schedule, "subscription_schedule.updated")


def bounds(phase: Document) -> Document:
    """A phase as `current_phase` shows it."""
    return {name: phase[name] for name in ("start_date", "end_date")}


def _leave_phase(unit: Unit, schedule: Document) -> None:
    boundary = schedule["current_phase"]["end_date"]
    following = next((p for p in schedule["phases"] if p["start_date"] == boundary), None)
    if following:
        schedule["current_phase"] = bounds(following)
        unit.update(schedule, "subscription_schedule.updated")
        _turn_over(unit, schedule, following)
    elif schedule["end_behavior"] == "cancel":
        _complete(unit, schedule)
    else:
        let_go(unit, schedule)


def _turn_over(unit: Unit, schedule: Document, phase: Document) -> None:
    """Enter a phase; at the very end of a period the renewal itself bills the new items."""
    subscription = unit.need("subscription", schedule["subscription"])
    params = as_change(unit, schedule, subscription, phase)
    items = subscription["items"]["data"]
    within = any(item["current_period_end"] > unit.now(schedule) for item in items)
    if within or "trial_end" in params:
        take_up(unit, schedule, phase, phase["proration_behavior"], enters=True)
        return
    add_charges(unit, subscription, charges(phase))
    change_fields(unit, subscription, params)
    if "items" in params:
        swap_at_boundary(unit, subscription, params["items"])
    if enters_anew(schedule, phase):
        subscription["billing_cycle_anchor"] = unit.now(schedule)
    unit.update(subscription, "customer.subscription.updated")


def take_up(
    unit: Unit, schedule: Document, phase: Document, behavior: str, *, enters: bool = False
) -> None:
    """Make the subscription what the phase says; `enters` when the phase begins only now."""
    subscription = unit.need("subscription", schedule["subscription"])
    params = as_change(unit, schedule, subscription, phase)
    if enters:
        params["add_invoice_items"] = charges(phase)
    if enters and enters_anew(schedule, phase):
        params["billing_cycle_anchor"] = "now"
    if not params:
        return
    subscription["schedule"] = None
    invoice = change(unit, subscription, {**params, "proration_behavior": behavior})
    subscription["schedule"] = schedule["id"]
    unit.update(subscription, "customer.subscription.updated")
    if invoice:
        collect(unit, invoice)


def plan_end(unit: Unit, schedule: Document, behavior: str) -> None:
    """Let the subscription know when its schedule is to end it, or that it no longer is."""
    subscription = unit.need("subscription", schedule["subscription"])
    subscription["cancel_at"] = planned_end(schedule)
    fit_to_end(unit, subscription, prorated=behavior != "none")
    unit.update(subscription, "customer.subscription.updated")


def _complete(unit: Unit, schedule: Document) -> None:
    subscription = unit.need("subscription", schedule["subscription"])
    subscription["schedule"] = None
    schedule.update(status="completed", completed_at=unit.now(schedule), current_phase=None)
    unit.update(schedule, "subscription_schedule.updated")
    unit.emit("subscription_schedule.completed", schedule)
    last = final_invoice(unit, subscription)
    end(unit, subscription, None)
    if last:
        collect(unit, last)


def let_go(unit: Unit, schedule: Document, *, keeps_end: bool = False) -> None:
    """Let the subscription go on as it is, without its schedule and without the end it planned."""
    subscription = unit.find("subscription", schedule["subscription"])
    if subscription:
        subscription["schedule"] = None
        if schedule["end_behavior"] == "cancel" and not keeps_end:
            subscription["cancel_at"] = None
            fit_to_end(unit, subscription, prorated=True)
        unit.update(subscription, "customer.subscription.updated")
    schedule.update(
        status="released",
        released_at=unit.now(schedule),
        released_subscription=subscription["id"] if subscription else None,
        subscription=None,
        current_phase=None,
    )
    unit.update(schedule, "subscription_schedule.updated")
    unit.emit("subscription_schedule.released", schedule)
