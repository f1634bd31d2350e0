"""Changing a subscription: items, anchor and trial, with their prorations and invoices."""

from collections.abc import Sequence
from copy import deepcopy

from stripe_sandbox.catalog.discounts import set_discounts
from stripe_sandbox.invoices.invoice_items import pending_items
from stripe_sandbox.invoices.one_off_charges import CHARGES, add_charges
from stripe_sandbox.passing_time.calendar import Period
from stripe_sandbox.payments.cards import Decline
from stripe_sandbox.payments.payments import refused_change
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import hash_of, integer, one_of
from stripe_sandbox.requests.routing import route
from stripe_sandbox.schedules.phases import follow_in_schedule
from stripe_sandbox.state.documents import Document, apply, merged_metadata, public
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions import pending_updates
from stripe_sandbox.subscriptions.billing import collect, issue
from stripe_sandbox.subscriptions.cancelling import names_period_end, set_cancellation
from stripe_sandbox.subscriptions.debits import fit_to_end, prorate
from stripe_sandbox.subscriptions.new_periods import (
    begin_trial,
    begins_at_once,
    restart_cycle,
    set_items,
)
from stripe_sandbox.subscriptions.standing import ENDED
from stripe_sandbox.subscriptions.subscription_forms import (
    CANCELLATION_DETAILS,
    SHARED,
    anchor,
    own_payment_method,
    trial_settings,
)
from stripe_sandbox.subscriptions.subscription_items import (
    ItemChange,
    billed_period,
    changed_items,
    set_period,
)


def update_subscription(unit: Unit, params: Document, identifier: str) -> Document:
    """Change what is sent; what has to be paid at once is charged at once."""
    subscription = unit.need("subscription", identifier)
    _check_changeable(subscription, params)
    pending_updates.replace(unit, subscription, params)
    may_wait = params.get("payment_behavior") == "pending_if_incomplete"
    if may_wait:
        pending_updates.check_allowed(subscription, params)
    before = deepcopy(subscription)
    invoice = change(unit, subscription, params)
    if invoice and may_wait:
        pending_updates.hold(before, subscription, invoice, params)
    else:
        unit.update(subscription, "customer.subscription.updated")
    if invoice:
        _collect_change(unit, subscription, invoice, params)
    return public(subscription)


def _check_changeable(subscription: Document, params: Document) -> None:
    if subscription["status"] in ENDED and params.keys() - {"cancellation_details", "metadata"}:
        raise invalid(
            "A canceled subscription can only update its cancellation_details and metadata.",
            "id",
        )


def _collect_change(
    unit: Unit, subscription: Document, invoice: Document, params: Document
) -> None:
    behavior = params.get("payment_behavior") or "allow_incomplete"
    refused: Decline | None = collect(unit, invoice, attempts=behavior != "default_incomplete")
    if refused and behavior == "error_if_incomplete":
        raise refused_change(unit, invoice, refused)
    waits = behavior == "default_incomplete" and invoice["status"] == "open"
    if waits and subscription["collection_method"] == "charge_automatically":
        subscription["status"] = "past_due"
    pending_updates.show(subscription)
    unit.update(subscription, "customer.subscription.updated")


def change(unit: Unit, subscription: Document, params: Document) -> Document | None:
    """Apply a change; the caller saves it. Returns the draft of what is to be paid at once."""
    now = unit.now(subscription)
    moment = _proration_moment(subscription, params, now)
    add_charges(unit, subscription, params.get("add_invoice_items"))
    changes = changed_items(unit, subscription, params.get("items") or [], now)
    change_fields(unit, subscription, params)
    begins_anew = isinstance(params.get("trial_end"), int) or begins_at_once(
        subscription, changes, params
    )
    # The end of a period that is about to begin is known only afterwards.
    ends_later = begins_anew and names_period_end(params)
    if not ends_later:
        set_cancellation(unit, subscription, params)
    if isinstance(params.get("trial_end"), int):
        invoice = begin_trial(unit, subscription, changes, params, now)
    elif begins_anew:
        invoice = restart_cycle(unit, subscription, changes, params, moment)
    else:
        invoice = _change_within_period(unit, subscription, changes, params, moment)
    if ends_later:
        set_cancellation(unit, subscription, params)
    if any(each.matters for each in changes):
        follow_in_schedule(unit, subscription)
    return invoice


def _proration_moment(subscription: Document, params: Document, now: int) -> int:
    """`proration_date` if it is given; it must lie within the current period."""
    moment = params.get("proration_date")
    if moment is None:
        return now
    items = subscription["items"]["data"]
    start = min(item["current_period_start"] for item in items)
    end = max(item["current_period_end"] for item in items)
    if not start <= moment <= end:
        raise invalid(
            f"Invalid `proration_date`: must be within the current period ({start} to {end}).",
            "proration_date",
        )
    return int(moment)


def change_fields(unit: Unit, subscription: Document, params: Document) -> None:
    """Change what is sent and has no price."""
    if "default_payment_method" in params:
        subscription["default_payment_method"] = own_payment_method(
            unit, subscription["customer"], params["default_payment_method"]
        )
    apply(
        subscription,
        params,
        ("collection_method", "days_until_due", "description", "pause_collection"),
    )
    pause = subscription["pause_collection"]
    if pause:
        pause.setdefault("resumes_at", None)
    if "metadata" in params:
        subscription["metadata"] = merged_metadata(subscription["metadata"], params["metadata"])
    if params.get("trial_settings"):
        subscription["trial_settings"] = trial_settings(params)
    for name in ("payment_settings", "cancellation_details"):
        subscription[name] = {**subscription[name], **(params.get(name) or {})}
    if "discounts" in params:
        set_discounts(unit, subscription, params["discounts"])


def _change_within_period(
    unit: Unit,
    subscription: Document,
    changes: Sequence[ItemChange],
    params: Document,
    moment: int,
) -> Document | None:
    behavior = params.get("proration_behavior") or "create_prorations"
    trialing = subscription["status"] == "trialing"
    changed = [change for change in changes if change.matters]
    _join_periods(subscription, changed, moment)
    if behavior != "none" and not trialing:
        for each in changed:
            prorate(unit, subscription, each, moment, debits_too=True)
    set_items(subscription, changes)
    fit_to_end(unit, subscription, prorated=behavior != "none")
    at_once = behavior == "always_invoice" and not trialing
    at_once = at_once and bool(changed or _asks_for_invoice(subscription, params))
    if at_once and next(pending_items(unit, subscription), None):
        return issue(unit, subscription, [], "subscription_update")
    return None


def _asks_for_invoice(subscription: Document, params: Document) -> bool:
    """An early end is settled at once; classic billing does not let one-off charges wait either."""
    classic = subscription["billing_mode"]["type"] == "classic"
    return "cancel_at" in params or (classic and bool(params.get("add_invoice_items")))


def swap_at_boundary(unit: Unit, subscription: Document, wanted: Sequence[Document]) -> None:
    """Change the items where one period ends and the next begins: the renewal bills them."""
    now = unit.now(subscription)
    changes = changed_items(unit, subscription, wanted, now)
    for each in changes:
        if each.before is None and each.after:
            set_period(each.after, Period(now, now))
    if any(each.changes_interval for each in changes):
        subscription["billing_cycle_anchor"] = now
    set_items(subscription, changes)


def _join_periods(subscription: Document, changes: Sequence[ItemChange], moment: int) -> None:
    """A new item joins the period that the subscription is in."""
    for each in changes:
        if each.before is None and each.after:
            if subscription["status"] == "trialing":
                period = Period(subscription["trial_start"], subscription["trial_end"])
            else:
                period = billed_period(subscription, each.after, moment)
            set_period(each.after, period)


ROUTES = [
    route(
        "POST",
        "/v1/subscriptions/{}",
        update_subscription,
        {
            **SHARED,
            "billing_cycle_anchor": anchor("now", "unchanged"),
            "cancellation_details": CANCELLATION_DETAILS,
            "pause_collection": hash_of(
                {
                    "behavior": one_of("keep_as_draft", "mark_uncollectible", "void"),
                    "resumes_at": integer,
                },
                ("behavior",),
            ),
            "payment_behavior": one_of(
                "allow_incomplete",
                "default_incomplete",
                "error_if_incomplete",
                "pending_if_incomplete",
            ),
            "proration_date": integer,
            "add_invoice_items": CHARGES,
        },
    )
]
