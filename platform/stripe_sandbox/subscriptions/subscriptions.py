"""Subscriptions: how they begin, and how they are found."""

from stripe_sandbox.catalog.discounts import set_discounts
from stripe_sandbox.invoices.invoice_lines import item_line, trial_description
from stripe_sandbox.invoices.one_off_charges import CHARGES, add_charges
from stripe_sandbox.passing_time.calendar import Period
from stripe_sandbox.payments.payments import method_for, refused_change
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    PAGE,
    moment,
    natural,
    one_of,
    span,
    text,
    within,
)
from stripe_sandbox.requests.lists import page, slice_of
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.blanks import blank
from stripe_sandbox.state.documents import Document, list_of, merged_metadata, new_id, public
from stripe_sandbox.state.placement import DAY
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.anchors import ANCHOR_CONFIG, anchor_config, first_anchor
from stripe_sandbox.subscriptions.billing import collect, issue, period_line
from stripe_sandbox.subscriptions.cancelling import set_cancellation
from stripe_sandbox.subscriptions.standing import ENDED, healthy_status
from stripe_sandbox.subscriptions.subscription_forms import (
    BILLING_MODE,
    SHARED,
    anchor_after_trial,
    billing_mode,
    own_payment_method,
    trial_settings,
)
from stripe_sandbox.subscriptions.subscription_items import (
    check_together,
    new_item,
    period_at,
    price_named,
    set_period,
)


def create_subscription(unit: Unit, params: Document) -> Document:
    """Start a subscription, bill its first period and charge it."""
    return public(begin(unit, params))


def begin(unit: Unit, params: Document, *, drafts: bool = False) -> Document:
    """As `create_subscription`, for callers that go on with the document itself.

    With `drafts` the first invoice stays a draft for an hour, and the subscription does not wait
    for it to be paid.
    """
    customer = unit.need("customer", params["customer"], "customer")
    subscription = _new_subscription(unit, customer, params)
    _add_items(unit, subscription, params)
    _set_first_periods(subscription, params, unit.now(customer))
    if params.get("discounts"):
        set_discounts(unit, subscription, params["discounts"])
    set_cancellation(unit, subscription, params)
    lines = _first_lines(unit, subscription, params)
    unit.add(subscription, "customer.subscription.created")
    add_charges(unit, subscription, params.get("add_invoice_items"))
    invoice = issue(unit, subscription, lines, "subscription_create") if lines else None
    if drafts or not invoice:
        subscription["status"] = healthy_status(unit, subscription)
    unit.update(subscription, "customer.subscription.updated")
    if drafts or not invoice:
        return subscription
    _pay_first(unit, subscription, invoice, params)
    return subscription


def _new_subscription(unit: Unit, customer: Document, params: Document) -> Document:
    now = unit.now(customer)
    identifier = new_id("sub")
    subscription: Document = {
        **blank("subscription"),
        "id": identifier,
        "billing_cycle_anchor": now,
        "billing_cycle_anchor_config": anchor_config(params),
        "billing_mode": billing_mode(params),
        "collection_method": params.get("collection_method") or "charge_automatically",
        "created": now,
        "currency": "usd",
        "customer": customer["id"],
        "days_until_due": params.get("days_until_due"),
        "default_payment_method": own_payment_method(
            unit, customer["id"], params.get("default_payment_method")
        ),
        "description": params.get("description"),
        "items": list_of([], f"/v1/subscription_items?subscription={identifier}", total=0),
        "metadata": merged_metadata({}, params.get("metadata")),
        "start_date": now,
        "test_clock": customer["test_clock"],
        "_notice_days": unit.account.settings["upcoming_days"],
    }
    subscription["payment_settings"].update(params.get("payment_settings") or {})
    if params.get("trial_settings"):
        subscription["trial_settings"] = trial_settings(params)
    return subscription


def _add_items(unit: Unit, subscription: Document, params: Document) -> None:
    items: list[Document] = []
    for index, data in enumerate(params.get("items") or []):
        param = f"items[{index}]"
        price = price_named(unit, data, param)
        if not items:
            subscription["currency"] = (params.get("currency") or price["currency"]).lower()
        items.append(new_item(subscription, data, price, subscription["created"], param))
    if not items:
        raise invalid("Missing required param: items.", "items", "parameter_missing")
    check_together(items)
    subscription["items"]["data"] = items
    subscription["items"]["total_count"] = len(items)


def _set_first_periods(subscription: Document, params: Document, now: int) -> None:
    items = subscription["items"]["data"]
    trial_end = _trial_end(items[0], params, now)
    if trial_end:
        subscription.update(
            trial_start=now,
            trial_end=trial_end,
            status="trialing",
            billing_cycle_anchor=anchor_after_trial(subscription, trial_end),
        )
        for item in items:
            set_period(item, Period(now, trial_end))
        return
    anchor = first_anchor(items, params, now)
    subscription["billing_cycle_anchor"] = anchor
    for item in items:
        set_period(item, Period(now, period_at(anchor, item, now).end))


def _trial_end(item: Document, params: Document, now: int) -> int | None:
    end = params.get("trial_end")
    if end == "now":
        return None
    days = params.get("trial_period_days")
    if params.get("trial_from_plan"):
        days = item["price"]["recurring"]["trial_period_days"]
    if end is None and days:
        end = now + days * DAY
    if end is not None and end <= now:
        raise invalid(
            "Invalid timestamp: must be an integer Unix timestamp in the future.", "trial_end"
        )
    return end


def _first_lines(unit: Unit, subscription: Document, params: Document) -> list[Document] | None:
    """The first invoice's lines; None when there is to be no first invoice at all."""
    lines = []
    for item in subscription["items"]["data"]:
        period = Period(item["current_period_start"], item["current_period_end"])
        if subscription["status"] == "trialing":
            words = trial_description(unit, item)
            lines.append(item_line(subscription, item, period, 0, words))
            continue
        whole = period_at(subscription["billing_cycle_anchor"], item, period.start)
        prorated = params.get("proration_behavior") != "none"
        if whole.start < period.start and not prorated:
            return None
        if prorated and subscription["cancel_at"]:
            period = period._replace(end=min(period.end, subscription["cancel_at"]))
            set_period(item, period)
        lines.append(period_line(unit, subscription, item, period))
    return lines


def _pay_first(unit: Unit, subscription: Document, invoice: Document, params: Document) -> None:
    """Charge at once; what a refusal does is up to `payment_behavior`."""
    behavior = params.get("payment_behavior") or "allow_incomplete"
    automatic = subscription["collection_method"] == "charge_automatically"
    must_pay = invoice["amount_due"] and automatic and behavior != "default_incomplete"
    if must_pay and not unit.rehearses and not method_for(unit, invoice):
        raise invalid(
            "This customer has no attached payment source or default payment method. Please "
            "consider adding a default payment method. For more information, visit "
            "https://stripe.com/docs/billing/subscriptions/payment-methods-setting"
            "#payment-method-priority.",
            None,
            "resource_missing",
        )
    if not automatic:
        subscription["status"] = healthy_status(unit, subscription)
    refused = collect(unit, invoice, attempts=behavior != "default_incomplete")
    if refused and behavior == "error_if_incomplete":
        raise refused_change(unit, invoice, refused)
    unit.update(subscription, "customer.subscription.updated")


def retrieve_subscription(unit: Unit, params: Document, identifier: str) -> Document:
    """One subscription, ended or not."""
    return public(unit.need("subscription", identifier))


def list_subscriptions(unit: Unit, params: Document) -> Document:
    """Newest first; those that ended only when `status` asks for them."""
    status = params.get("status")

    def passes(subscription: Document) -> bool:
        items = subscription["items"]["data"]
        return (
            _has_status(subscription, status)
            and params.get("price") in (None, *(item["price"]["id"] for item in items))
            and params.get("collection_method") in (None, subscription["collection_method"])
            and within(subscription["created"], params.get("created"))
            and all(
                within(items[0][name], params.get(name))
                for name in ("current_period_start", "current_period_end")
            )
            and params.get("test_clock") in (None, subscription["test_clock"])
        )

    return page(
        unit, "subscription", "/v1/subscriptions", params,
        owner=params.get("customer"), only=passes,
    )  # fmt: skip


def list_subscription_items(unit: Unit, params: Document) -> Document:
    """All items of one subscription, which itself shows the first ten."""
    subscription = unit.need("subscription", params["subscription"], "subscription")
    items = subscription["items"]["data"]
    return slice_of(items, "/v1/subscription_items", params, "subscription_item")


def _has_status(subscription: Document, wanted: str | None) -> bool:
    status = subscription["status"]
    if wanted is None:
        return status not in ENDED
    if wanted == "ended":
        return status in ENDED
    return wanted in ("all", status)


ROUTES = [
    route(
        "POST",
        "/v1/subscriptions",
        create_subscription,
        {
            **SHARED,
            "add_invoice_items": CHARGES,
            "billing_cycle_anchor": moment(),
            "billing_cycle_anchor_config": ANCHOR_CONFIG,
            "billing_mode": BILLING_MODE,
            "currency": text,
            "customer": text,
            "payment_behavior": one_of(
                "allow_incomplete", "default_incomplete", "error_if_incomplete"
            ),
            "trial_period_days": natural,
        },
        ("customer",),
    ),
    listing(
        "/v1/subscriptions",
        list_subscriptions,
        {
            "collection_method": text,
            "created": span,
            "current_period_end": span,
            "current_period_start": span,
            "customer": text,
            "price": text,
            "status": one_of(
                "active", "all", "canceled", "ended", "incomplete", "incomplete_expired",
                "past_due", "paused", "trialing", "unpaid",
            ),
            "test_clock": text,
        },
    ),
    route("GET", "/v1/subscriptions/{}", retrieve_subscription),
    route(
        "GET", "/v1/subscription_items", list_subscription_items,
        {**PAGE, "subscription": text}, ("subscription",),
    ),
]  # fmt: skip
