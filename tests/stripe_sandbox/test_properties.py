"""What holds of any history: sums, prorations, previews, and the order in which time is spent."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stripe_sandbox.direct import Direct
from tests.stripe_sandbox.shop import DAY, START

_PERIOD = 28 * DAY
_BEHAVIORS = st.sampled_from(["always_invoice", "create_prorations", "none"])
_CURRENCIES = st.sampled_from(["usd", "jpy", "kwd"])
_AMOUNTS = st.integers(0, 10**6)
_DECIMALS = _AMOUNTS.map(lambda amount: f"{amount}.{amount % 1000:03}")
_INTERVALS = st.sampled_from(["month", "month", "month", "year", "week"])


@st.composite
def _tiers(draw: st.DrawFn) -> dict[str, Any]:
    bounds = [*sorted(draw(st.sets(st.integers(1, 8), max_size=2))), "inf"]
    tiers = [
        {"up_to": bound, "unit_amount_decimal": draw(_DECIMALS), "flat_amount": draw(_AMOUNTS)}
        for bound in bounds
    ]
    mode = draw(st.sampled_from(["graduated", "volume"]))
    return {"billing_scheme": "tiered", "tiers_mode": mode, "tiers": tiers}


_PACKAGE = st.fixed_dictionaries(
    {"divide_by": st.integers(2, 4), "round": st.sampled_from(["up", "down"])}
)
_PRICES = st.one_of(
    st.fixed_dictionaries({"unit_amount": _AMOUNTS}),
    st.fixed_dictionaries({"unit_amount_decimal": _DECIMALS}),
    st.fixed_dictionaries({"unit_amount": _AMOUNTS, "transform_quantity": _PACKAGE}),
    _tiers(),
)
_CHANGES = st.fixed_dictionaries(
    {
        "wait": st.integers(1, 20 * DAY),
        "price": _PRICES,
        "interval": _INTERVALS,
        "quantity": st.integers(1, 9),
        "behavior": _BEHAVIORS,
        "anchor": st.sampled_from([None, None, "now", "unchanged"]),
    }
)
_COUPONS = st.one_of(
    st.none(),
    st.fixed_dictionaries({"percent_off": st.integers(1, 100)}),
    st.fixed_dictionaries({"amount_off": st.integers(1, 2_000)}),
)
_DURATIONS = st.sampled_from(["forever", "once"])


@contextmanager
def _sandbox() -> Iterator[Direct]:
    direct = Direct()
    try:
        yield direct
    finally:
        direct.close()


def _begin(direct: Direct, customer: str, price: str, **params: Any) -> dict[str, Any]:
    items = [{"price": price, "quantity": params.pop("quantity", 1)}]
    return direct.post("subscriptions", customer=customer, items=items, **params)


def _details(direct: Direct, item: str, change: dict[str, Any], currency: str) -> dict[str, Any]:
    price = direct.price(
        currency=currency, recurring={"interval": change["interval"]}, **change["price"]
    )
    details = {
        "items": [{"id": item, "price": price, "quantity": change["quantity"]}],
        "proration_behavior": change["behavior"],
    }
    if change["anchor"]:
        details["billing_cycle_anchor"] = {"type": change["anchor"]}
    return details


def _lines(invoice: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (
            line["amount"],
            line["description"],
            line["period"],
            line["quantity"],
            [each["amount"] for each in line["discount_amounts"]],
        )
        for line in invoice["lines"]["data"]
    ]


def _check_same(made: dict[str, Any], preview: dict[str, Any]) -> None:
    assert _lines(made) == _lines(preview)
    for name in ("subtotal", "total", "amount_due", "currency"):
        assert made[name] == preview[name], name


def _check_sums(invoice: dict[str, Any]) -> None:
    lines = invoice["lines"]["data"]
    assert not invoice["lines"]["has_more"]
    discounts = sum(each["amount"] for line in lines for each in line["discount_amounts"])
    assert invoice["subtotal"] == sum(line["amount"] for line in lines)
    assert invoice["total"] == invoice["subtotal"] - discounts
    assert discounts == sum(each["amount"] for each in invoice["total_discount_amounts"])
    owed = invoice["total"] + invoice["starting_balance"]
    assert invoice["amount_due"] == max(0, owed)
    assert invoice["amount_due"] == invoice["amount_paid"] + invoice["amount_remaining"]
    if invoice["status"] != "draft":
        assert invoice["ending_balance"] == min(0, owed)


@settings(max_examples=40, deadline=None)
@given(
    currency=_CURRENCIES,
    first=_PRICES,
    coupon=_COUPONS,
    duration=_DURATIONS,
    credit=st.integers(0, 5_000),
    changes=st.lists(_CHANGES, max_size=3),
)
def test_lines_add_up_and_credits_give_back_no_more_than_was_billed(
    currency: str,
    first: dict[str, Any],
    coupon: dict[str, Any] | None,
    duration: str,
    credit: int,
    changes: list[dict[str, Any]],
) -> None:
    with _sandbox() as direct:
        customer = direct.customer(balance=-credit)
        discounts = []
        if coupon:
            money = {"currency": currency} if "amount_off" in coupon else {}
            made = direct.post("coupons", duration=duration, **coupon, **money)
            discounts = [{"coupon": made["id"]}]
        price = direct.price(currency=currency, **first)
        subscription = _begin(direct, customer, price, discounts=discounts)
        item, now = subscription["items"]["data"][0]["id"], START
        for change in changes:
            now += change["wait"]
            direct.advance(now)
            details = _details(direct, item, change, currency)
            direct.post(f"subscriptions/{subscription['id']}", **details)
        direct.advance(now + 40 * DAY)
        invoices = direct.every("invoices", customer=customer)
        billed = 0
        for invoice in invoices:
            _check_sums(invoice)
            billed += invoice["total"]
            assert billed >= 0
        pending = direct.every("invoiceitems", customer=customer, pending=True)
        assert billed + sum(each["amount"] for each in pending) >= 0


@settings(max_examples=40, deadline=None)
@given(
    currency=_CURRENCIES,
    prices=st.tuples(_PRICES, _PRICES),
    quantities=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    percent=st.integers(0, 100),
    wait=st.integers(1, _PERIOD - 1),
)
def test_a_change_and_back_in_the_same_second_costs_nothing(
    currency: str,
    prices: tuple[dict[str, Any], dict[str, Any]],
    quantities: tuple[int, int],
    percent: int,
    wait: int,
) -> None:
    with _sandbox() as direct:
        customer, discounts = direct.customer(), []
        if percent:
            made = direct.post("coupons", duration="forever", percent_off=percent)
            discounts = [{"coupon": made["id"]}]
        old, new = (direct.price(currency=currency, **price) for price in prices)
        subscription = _begin(direct, customer, old, quantity=quantities[0], discounts=discounts)
        if not direct.every("invoices", customer=customer)[0]["subtotal"]:
            # What was free begins a period when it becomes a paid one.
            return
        direct.advance(START + wait)
        item = subscription["items"]["data"][0]["id"]
        for price, quantity in ((new, quantities[1]), (old, quantities[0])):
            direct.post(
                f"subscriptions/{subscription['id']}",
                items=[{"id": item, "price": price, "quantity": quantity}],
            )
        pending = direct.every("invoiceitems", customer=customer, pending=True)
        restarted = len(direct.every("invoices", customer=customer)) > 1
        assert restarted or sum(each["amount"] for each in pending) == 0


@settings(max_examples=40, deadline=None)
@given(currency=_CURRENCIES, first=_PRICES, changes=st.lists(_CHANGES, min_size=1, max_size=3))
def test_a_preview_is_the_invoice_that_the_change_makes(
    currency: str, first: dict[str, Any], changes: list[dict[str, Any]]
) -> None:
    with _sandbox() as direct:
        customer = direct.customer()
        price = direct.price(currency=currency, **first)
        subscription = _begin(direct, customer, price)
        item, now = subscription["items"]["data"][0]["id"], START
        for change in changes:
            now += change["wait"]
            direct.advance(now)
            details = _details(direct, item, change, currency)
            asked: dict[str, Any] = {"subscription": subscription["id"]}
            before = len(direct.every("invoices", customer=customer))
            preview = direct.post("invoices/create_preview", subscription_details=details, **asked)
            changed = direct.post(f"subscriptions/{subscription['id']}", **details)
            if len(direct.every("invoices", customer=customer)) > before:
                made = direct.get(f"invoices/{changed['latest_invoice']}")
            else:
                made = direct.post("invoices/create_preview", **asked)
            _check_same(made, preview)
        renewal = direct.post("invoices/create_preview", subscription=subscription["id"])
        direct.advance(renewal["created"])
        _check_same(direct.every("invoices", customer=customer)[-1], renewal)


def _full_life(direct: Direct) -> None:
    """Everything that time does by itself, in one account."""
    customer = direct.customer()
    monthly, weekly, yearly = (
        direct.price(currency="usd", unit_amount=amount, recurring={"interval": interval})
        for amount, interval in ((1_000, "month"), (300, "week"), (9_900, "year"))
    )
    _begin(direct, customer, monthly)
    _begin(direct, customer, weekly, trial_period_days=10)
    _begin(direct, customer, yearly, cancel_at=START + 100 * DAY)
    paused = _begin(direct, customer, weekly)
    direct.post(
        f"subscriptions/{paused['id']}",
        pause_collection={"behavior": "void", "resumes_at": START + 30 * DAY},
    )
    phases = [
        {"items": [{"price": monthly}], "duration": {"interval": "month"}, "trial": True},
        {"items": [{"price": monthly, "quantity": 2}], "end_date": START + 80 * DAY},
    ]  # fmt: skip
    schedule: dict[str, Any] = {"customer": customer, "phases": phases, "end_behavior": "cancel"}
    direct.post("subscription_schedules", start_date=START + DAY, **schedule)
    poor = direct.post("customers", test_clock=direct.clock, payment_method="pm_card_visa")["id"]
    attach = "payment_methods/pm_card_chargeCustomerFail/attach"
    failing = direct.post(attach, customer=poor)["id"]
    _begin(direct, poor, monthly, default_payment_method=failing, trial_period_days=5)
    _begin(direct, poor, monthly, default_payment_method=failing)
    updated = _begin(direct, customer, monthly)
    direct.post(f"payment_methods/{failing}/detach")
    direct.post(
        f"subscriptions/{updated['id']}",
        items=[{"id": updated["items"]["data"][0]["id"], "quantity": 7}],
    )


def _history(direct: Direct) -> tuple[list[Any], ...]:
    """Invoices, subscriptions, schedules and events in their order, without their ids."""
    names = ("created", "total", "amount_paid", "status", "attempt_count", "period_end")
    invoices = [
        (*(invoice[name] for name in names), _lines(invoice))
        for invoice in direct.every("invoices")
    ]
    subscriptions = [
        (each["status"], each["ended_at"], each["billing_cycle_anchor"],
         [item["current_period_end"] for item in each["items"]["data"]])
        for each in direct.every("subscriptions", status="all")
    ]  # fmt: skip
    schedules = [
        (each["status"], each["completed_at"]) for each in direct.every("subscription_schedules")
    ]
    events = [
        (event["created"], event["type"], event["data"]["object"].get("status"))
        for event in direct.every("events")
        if not event["type"].startswith("test_helpers.")
    ]
    return invoices, subscriptions, schedules, events


_DAYS = 120


@settings(max_examples=6, deadline=None)
@given(cuts=st.sets(st.integers(START + 1, START + _DAYS * DAY - 1), max_size=25))
def test_one_step_or_many_make_the_same_history(cuts: set[int]) -> None:
    with _sandbox() as at_once, _sandbox() as in_steps:
        for direct in (at_once, in_steps):
            _full_life(direct)
        at_once.advance(START + _DAYS * DAY)
        for cut in sorted(cuts):
            in_steps.advance(cut)
        in_steps.advance(START + _DAYS * DAY)
        for whole, stepwise in zip(_history(at_once), _history(in_steps), strict=True):
            assert whole == stepwise
