"""Subscription schedules: what a subscription is to become at the end of its period."""

from stripe_sandbox.billing import collect
from stripe_sandbox.blanks import blank
from stripe_sandbox.cancelling import final_invoice
from stripe_sandbox.changes import change, swap_at_boundary
from stripe_sandbox.documents import Document, merged_metadata, new_id, public
from stripe_sandbox.errors import invalid
from stripe_sandbox.forms import (
    Shape,
    anything,
    boolean,
    hash_of,
    list_of,
    metadata,
    one_of,
    span,
    text,
    within,
)
from stripe_sandbox.lists import page
from stripe_sandbox.phases import PHASE, as_change, new_phase, phase_item, read_phases
from stripe_sandbox.routing import listing, route
from stripe_sandbox.standing import ENDED, end
from stripe_sandbox.subscription_forms import PRORATION_BEHAVIOR
from stripe_sandbox.unit import Unit


def create_schedule(unit: Unit, params: Document) -> Document:
    """A schedule around a subscription; its first phase is the period that it is in."""
    if not params.get("from_subscription"):
        raise invalid(
            "This sandbox makes schedules from subscriptions only: pass `from_subscription`.",
            "from_subscription",
            "parameter_missing",
        )
    subscription = unit.need("subscription", params["from_subscription"], "from_subscription")
    if subscription["schedule"]:
        raise invalid(
            f"You cannot migrate a subscription that is already attached to a schedule: "
            f"`{subscription['schedule']}`.",
            "from_subscription",
        )
    if subscription["status"] in ENDED:
        raise invalid("You cannot migrate a canceled subscription.", "from_subscription")
    schedule = _new_schedule(unit, subscription, params)
    subscription["schedule"] = schedule["id"]
    unit.add(schedule, "subscription_schedule.created")
    unit.update(subscription, "customer.subscription.updated")
    return public(schedule)


def _new_schedule(unit: Unit, subscription: Document, params: Document) -> Document:
    items = subscription["items"]["data"]
    start = min(item["current_period_start"] for item in items)
    finish = max(item["current_period_end"] for item in items)
    phase = new_phase(subscription["currency"], start, finish, [phase_item(item) for item in items])
    phase["metadata"] = dict(subscription["metadata"])
    if subscription["status"] == "trialing":
        phase["trial_end"] = subscription["trial_end"]
    end_behavior = "cancel" if subscription["cancel_at_period_end"] else "release"
    schedule: Document = {
        **blank("subscription_schedule"),
        "id": new_id("sub_sched"),
        "billing_mode": subscription["billing_mode"],
        "created": unit.now(subscription),
        "current_phase": {"start_date": start, "end_date": finish},
        "customer": subscription["customer"],
        "end_behavior": params.get("end_behavior") or end_behavior,
        "metadata": merged_metadata({}, params.get("metadata")),
        "phases": [phase],
        "subscription": subscription["id"],
        "test_clock": subscription["test_clock"],
    }
    schedule["default_settings"]["collection_method"] = subscription["collection_method"]
    return schedule


def update_schedule(unit: Unit, params: Document, identifier: str) -> Document:
    """Replace the phases. The current one must be among them, as it is or with another end."""
    schedule = unit.need("subscription_schedule", identifier)
    _check_live(schedule, "update")
    if params.get("end_behavior"):
        schedule["end_behavior"] = params["end_behavior"]
    if "metadata" in params:
        schedule["metadata"] = merged_metadata(schedule["metadata"], params["metadata"])
    if params.get("phases"):
        schedule["phases"] = read_phases(unit, schedule, params["phases"])
        _place_in_time(unit, schedule)
    return public(unit.update(schedule, "subscription_schedule.updated"))


def _check_live(schedule: Document, what: str) -> None:
    if schedule["status"] not in ("active", "not_started"):
        raise invalid(
            f"You cannot {what} a subscription schedule that is currently in the "
            f"`{schedule['status']}` status."
        )


def _place_in_time(unit: Unit, schedule: Document) -> None:
    """Find the current phase; it must not differ from what the subscription holds already."""
    now = unit.now(schedule)
    for phase in schedule["phases"]:
        if phase["start_date"] <= now < phase["end_date"]:
            bounds = {name: phase[name] for name in ("start_date", "end_date")}
            schedule["current_phase"] = bounds
            _take_up(unit, schedule, phase)
            return
    raise invalid("The current phase must be among the phases.", "phases")


def _take_up(unit: Unit, schedule: Document, phase: Document) -> None:
    """Make the subscription what the phase says."""
    subscription = unit.need("subscription", schedule["subscription"])
    params = as_change(subscription, phase)
    schedule_id, subscription["schedule"] = subscription["schedule"], None
    invoice = change(unit, subscription, params) if params else None
    subscription["schedule"] = schedule_id
    unit.update(subscription, "customer.subscription.updated" if params else None)
    if invoice:
        collect(unit, invoice)


def advance_schedule(unit: Unit, schedule: Document) -> None:
    """The current phase is over: the next one begins, or the schedule ends."""
    boundary = schedule["current_phase"]["end_date"]
    following = next((p for p in schedule["phases"] if p["start_date"] == boundary), None)
    if following:
        schedule["current_phase"] = {name: following[name] for name in ("start_date", "end_date")}
        unit.update(schedule, "subscription_schedule.updated")
        _turn_over(unit, schedule, following)
        return
    now = unit.now(schedule)
    schedule["completed_at"] = now
    schedule["current_phase"] = None
    if schedule["end_behavior"] == "cancel":
        _complete_with_end(unit, schedule)
    else:
        schedule["completed_at"] = None
        _let_go(unit, schedule)


def _turn_over(unit: Unit, schedule: Document, phase: Document) -> None:
    """Take up a phase; at the very end of a period the renewal itself bills the new items."""
    subscription = unit.need("subscription", schedule["subscription"])
    items = subscription["items"]["data"]
    if any(item["current_period_end"] > unit.now(schedule) for item in items):
        _take_up(unit, schedule, phase)
        return
    params = as_change(subscription, phase)
    if params:
        swap_at_boundary(unit, subscription, params["items"])
        unit.update(subscription, "customer.subscription.updated")


def _complete_with_end(unit: Unit, schedule: Document) -> None:
    subscription = unit.need("subscription", schedule["subscription"])
    subscription["schedule"] = None
    schedule["status"] = "completed"
    unit.update(schedule, "subscription_schedule.updated")
    unit.emit("subscription_schedule.completed", schedule)
    last = final_invoice(unit, subscription)
    end(unit, subscription, None)
    if last:
        collect(unit, last)


def release_schedule(unit: Unit, params: Document, identifier: str) -> Document:
    """Let the subscription go on as it is, without its schedule."""
    schedule = unit.need("subscription_schedule", identifier)
    _check_live(schedule, "release")
    _let_go(unit, schedule)
    return public(schedule)


def _let_go(unit: Unit, schedule: Document) -> None:
    subscription = unit.need("subscription", schedule["subscription"])
    subscription["schedule"] = None
    unit.update(subscription, "customer.subscription.updated")
    schedule.update(
        status="released",
        released_at=unit.now(schedule),
        released_subscription=subscription["id"],
        subscription=None,
        current_phase=None,
    )
    unit.update(schedule, "subscription_schedule.updated")
    unit.emit("subscription_schedule.released", schedule)


def cancel_schedule(unit: Unit, params: Document, identifier: str) -> Document:
    """Cancel the schedule and its subscription with it."""
    schedule = unit.need("subscription_schedule", identifier)
    _check_live(schedule, "cancel")
    end(unit, unit.need("subscription", schedule["subscription"]), "cancellation_requested")
    return public(schedule)


def retrieve_schedule(unit: Unit, params: Document, identifier: str) -> Document:
    """One schedule."""
    return public(unit.need("subscription_schedule", identifier))


def list_schedules(unit: Unit, params: Document) -> Document:
    """Newest first, by customer or time."""
    return page(
        unit, "subscription_schedule", "/v1/subscription_schedules", params,
        owner=params.get("customer"),
        only=lambda schedule: within(schedule["created"], params.get("created")),
    )  # fmt: skip


_SHAPE: Shape = {
    "default_settings": anything,
    "end_behavior": one_of("cancel", "none", "release", "renew"),
    "metadata": metadata,
}
_BASE = "/v1/subscription_schedules"

ROUTES = [
    route("POST", _BASE, create_schedule, {**_SHAPE, "from_subscription": text}),
    listing(_BASE, list_schedules, {"created": span, "customer": text}),
    route("GET", f"{_BASE}/{{}}", retrieve_schedule),
    route(
        "POST",
        f"{_BASE}/{{}}",
        update_schedule,
        {
            **_SHAPE,
            "phases": list_of(hash_of(PHASE, ("items",))),
            "proration_behavior": PRORATION_BEHAVIOR,
        },
    ),
    route("POST", f"{_BASE}/{{}}/release", release_schedule, {"preserve_cancel_date": boolean}),
    route(
        "POST", f"{_BASE}/{{}}/cancel", cancel_schedule,
        {"invoice_now": boolean, "prorate": boolean},
    ),
]  # fmt: skip
