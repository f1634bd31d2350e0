"""Subscription schedules: what a subscription is to be, phase after phase."""

from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    Shape,
    anything,
    boolean,
    hash_of,
    list_of,
    metadata,
    moment,
    one_of,
    span,
    text,
    within,
)
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.schedules.phases import (
    INVOICE_SETTINGS,
    PHASE,
    new_phase,
    phase_item,
    read_phases,
)
from stripe_sandbox.schedules.transitions import bounds, let_go, plan_end, start, take_up
from stripe_sandbox.state.blanks import blank
from stripe_sandbox.state.documents import Document, merged_metadata, new_id, public
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.cancelling import cancel_now
from stripe_sandbox.subscriptions.standing import ENDED
from stripe_sandbox.subscriptions.subscription_forms import (
    BILLING_MODE,
    PRORATION_BEHAVIOR,
    billing_mode,
)


def create_schedule(unit: Unit, params: Document) -> Document:
    """A schedule of phases, or one around a subscription as it is."""
    if params.get("from_subscription"):
        return _migrate(unit, params)
    for name in ("customer", "phases"):
        if not params.get(name):
            raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
    customer = unit.need("customer", params["customer"], "customer")
    now = unit.now(customer)
    schedule = _new_schedule(unit, customer, params)
    schedule["billing_mode"] = billing_mode(params)
    given = params.get("start_date")
    begins = now if given in (None, "now") else given
    if begins < now:
        raise invalid("This sandbox does not backdate schedules.", "start_date")
    schedule["phases"] = read_phases(unit, schedule, params["phases"], begins)
    unit.add(schedule, "subscription_schedule.created")
    if schedule["phases"][0]["start_date"] <= now:
        start(unit, schedule)
    return public(schedule)


def _new_schedule(unit: Unit, customer: Document, params: Document) -> Document:
    schedule: Document = {
        **blank("subscription_schedule"),
        "id": new_id("sub_sched"),
        "created": unit.now(customer),
        "current_phase": None,
        "customer": customer["id"],
        "end_behavior": params.get("end_behavior") or "release",
        "metadata": merged_metadata({}, params.get("metadata")),
        "phases": [],
        "status": "not_started",
        "subscription": None,
        "test_clock": customer["test_clock"],
    }
    schedule["default_settings"]["collection_method"] = "charge_automatically"
    _set_defaults(schedule, params)
    return schedule


def _set_defaults(schedule: Document, params: Document) -> None:
    given = dict(params.get("default_settings") or {})
    settings = schedule["default_settings"]
    settings["invoice_settings"].update(given.pop("invoice_settings", None) or {})
    settings.update(given)


def _migrate(unit: Unit, params: Document) -> Document:
    """The first phase is the period that the subscription is in."""
    for name in ("billing_mode", "customer", "default_settings", "phases", "start_date"):
        if params.get(name):
            raise invalid(f"You cannot set `{name}` if `from_subscription` is set.", name)
    subscription = unit.need("subscription", params["from_subscription"], "from_subscription")
    if subscription["schedule"]:
        raise invalid(
            f"You cannot migrate a subscription that is already attached to a schedule: "
            f"`{subscription['schedule']}`.",
            "from_subscription",
        )
    if subscription["status"] in ENDED:
        raise invalid("You cannot migrate a canceled subscription.", "from_subscription")
    schedule = _new_schedule(unit, unit.need("customer", subscription["customer"]), params)
    phase = _present_phase(subscription)
    if subscription["cancel_at_period_end"] and not params.get("end_behavior"):
        schedule["end_behavior"] = "cancel"
    schedule.update(
        billing_mode=subscription["billing_mode"],
        current_phase=bounds(phase),
        phases=[phase],
        status="active",
        subscription=subscription["id"],
    )
    schedule["default_settings"]["collection_method"] = subscription["collection_method"]
    subscription["schedule"] = schedule["id"]
    unit.add(schedule, "subscription_schedule.created")
    unit.update(subscription, "customer.subscription.updated")
    return public(schedule)


def _present_phase(subscription: Document) -> Document:
    items = subscription["items"]["data"]
    begun = min(item["current_period_start"] for item in items)
    finish = max(item["current_period_end"] for item in items)
    phase = new_phase(subscription["currency"], begun, finish, [phase_item(item) for item in items])
    phase["metadata"] = dict(subscription["metadata"])
    phase["discounts"] = [
        {"coupon": None, "discount": discount, "promotion_code": None}
        for discount in subscription["discounts"]
    ]
    if subscription["status"] == "trialing":
        phase["trial_end"] = subscription["trial_end"]
    return phase


def update_schedule(unit: Unit, params: Document, identifier: str) -> Document:
    """Replace the phases. The current one must be among them, as it is or with another end."""
    schedule = unit.need("subscription_schedule", identifier)
    _check_live(schedule, "update")
    behavior = params.get("proration_behavior") or "create_prorations"
    ended_it = schedule["end_behavior"] == "cancel"
    if params.get("end_behavior"):
        schedule["end_behavior"] = params["end_behavior"]
    _set_defaults(schedule, params)
    if "metadata" in params:
        schedule["metadata"] = merged_metadata(schedule["metadata"], params["metadata"])
    if params.get("phases"):
        begins = schedule["phases"][0]["start_date"]
        schedule["phases"] = read_phases(unit, schedule, params["phases"], begins)
        _place_in_time(unit, schedule, behavior)
    if schedule["subscription"] and (ended_it or schedule["end_behavior"] == "cancel"):
        plan_end(unit, schedule, behavior)
    return public(unit.update(schedule, "subscription_schedule.updated"))


def _check_live(schedule: Document, what: str) -> None:
    if schedule["status"] not in ("active", "not_started"):
        raise invalid(
            f"You cannot {what} a subscription schedule that is currently in the "
            f"`{schedule['status']}` status."
        )


def _place_in_time(unit: Unit, schedule: Document, behavior: str) -> None:
    """Find the current phase; the subscription becomes what it says."""
    now = unit.now(schedule)
    if schedule["status"] == "not_started":
        if schedule["phases"][0]["start_date"] <= now:
            start(unit, schedule)
        return
    for phase in schedule["phases"]:
        if phase["start_date"] <= now < phase["end_date"]:
            schedule["current_phase"] = bounds(phase)
            take_up(unit, schedule, phase, behavior)
            return
    raise invalid("The current phase must be among the phases.", "phases")


def release_schedule(unit: Unit, params: Document, identifier: str) -> Document:
    """Let the subscription go on as it is, without its schedule."""
    schedule = unit.need("subscription_schedule", identifier)
    _check_live(schedule, "release")
    let_go(unit, schedule, keeps_end=bool(params.get("preserve_cancel_date")))
    return public(schedule)


def cancel_schedule(unit: Unit, params: Document, identifier: str) -> Document:
    """Cancel the schedule and its subscription with it, settled unless told otherwise."""
    schedule = unit.need("subscription_schedule", identifier)
    _check_live(schedule, "cancel")
    if schedule["subscription"]:
        settles = {name: params.get(name) is not False for name in ("invoice_now", "prorate")}
        cancel_now(unit, unit.need("subscription", schedule["subscription"]), settles)
    else:
        schedule.update(status="canceled", canceled_at=unit.now(schedule))
        unit.update(schedule, "subscription_schedule.updated")
        unit.emit("subscription_schedule.canceled", schedule)
    return public(schedule)


def retrieve_schedule(unit: Unit, params: Document, identifier: str) -> Document:
    """One schedule."""
    return public(unit.need("subscription_schedule", identifier))


def list_schedules(unit: Unit, params: Document) -> Document:
    """Newest first, by customer, by time, or those that have not started."""

    def passes(schedule: Document) -> bool:
        scheduled = params.get("scheduled")
        return scheduled in (None, schedule["status"] == "not_started") and all(
            name not in params
            or (schedule[name] is not None and within(schedule[name], params[name]))
            for name in ("canceled_at", "completed_at", "created", "released_at")
        )

    return page(
        unit, "subscription_schedule", "/v1/subscription_schedules", params,
        owner=params.get("customer"), only=passes,
    )  # fmt: skip


_SHAPE: Shape = {
    "default_settings": hash_of(
        {
            "automatic_tax": anything,
            "billing_cycle_anchor": one_of("automatic", "phase_start"),
            "collection_method": one_of("charge_automatically", "send_invoice"),
            "default_payment_method": text,
            "description": text,
            "invoice_settings": INVOICE_SETTINGS,
        }
    ),
    "end_behavior": one_of("cancel", "none", "release", "renew"),
    "metadata": metadata,
    "phases": list_of(hash_of(PHASE, ("items",))),
}
_BASE = "/v1/subscription_schedules"

ROUTES = [
    route(
        "POST",
        _BASE,
        create_schedule,
        {
            **_SHAPE,
            "billing_mode": BILLING_MODE,
            "customer": text,
            "from_subscription": text,
            "start_date": moment("now"),
        },
    ),
    listing(
        _BASE,
        list_schedules,
        {
            "canceled_at": span,
            "completed_at": span,
            "created": span,
            "customer": text,
            "released_at": span,
            "scheduled": boolean,
        },
    ),
    route("GET", f"{_BASE}/{{}}", retrieve_schedule),
    route(
        "POST", f"{_BASE}/{{}}", update_schedule,
        {**_SHAPE, "proration_behavior": PRORATION_BEHAVIOR},
    ),
    route("POST", f"{_BASE}/{{}}/release", release_schedule, {"preserve_cancel_date": boolean}),
    route(
        "POST", f"{_BASE}/{{}}/cancel", cancel_schedule,
        {"invoice_now": boolean, "prorate": boolean},
    ),
]  # fmt: skip
