"""The change rules: every direction, every refusal, and what must hold for any two prices."""

from datetime import UTC, datetime
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guichet.billing.catalog import Price
from guichet.billing.change_rules import Situation, default_direction, monthly_cost
from guichet.billing.changes import (
    ChangePending,
    ChangeRefused,
    ChangeUnfinished,
    IsCancelling,
    NotAllowed,
    NotLive,
    NotOffered,
    Offer,
    PaymentOverdue,
    PlannedByMerchant,
    SamePlan,
    decide,
    main_item,
    offered_options,
)
from guichet.billing.subscriptions import Item, PendingChange, Subscription
from guichet.money import Money
from tenants.catalog import ChangeRules, Plan

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def price(
    key: str, amount: int, interval: str = "month", product: str = "", count: int = 1
) -> Price:
    return Price(
        id=f"price_{key}",
        product_id=f"prod_{product or key}",
        product=key.title(),
        amount=Money(amount, "eur"),
        currency="eur",
        interval=interval,  # type: ignore[arg-type]
        interval_count=count,
        active=True,
    )


def direction(item: Item, to: Price, quantity: int) -> str:
    """Under which of the defaults a change from this item falls."""
    return default_direction(
        Situation(
            status="active",
            current=item.price,
            current_quantity=item.quantity or 1,
            price=to,
            quantity=quantity,
        )
    )


SMALL = price("small", 1000)
LARGE = price("large", 3000)
LARGE_YEARLY = price("large-yearly", 30000, "year", "large")
PLANS = tuple(Plan(it.id, quantity_max=5) for it in (SMALL, LARGE, LARGE_YEARLY))

OFFER = Offer(ChangeRules(), PLANS)


def subscription(on: Price = SMALL, quantity: int = 1, **changes: object) -> Subscription:
    made = Subscription(
        id="sub_1",
        customer_id="cus_1",
        status="active",
        currency="eur",
        cancel_at_period_end=False,
        cancel_at=None,
        canceled_at=None,
        ended_at=None,
        trial_end_at=None,
        current_period_start_at=NOW,
        current_period_end_at=NOW,
        created_at=NOW,
        schedule_id=None,
        default_payment_method_id=None,
        pending=None,
        unfinished_change=False,
        items=(Item("si_1", quantity, on),),
    )
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize(
    ("on", "to", "quantity", "expected"),
    [
        (SMALL, LARGE, 1, "upgrade"),
        (LARGE, SMALL, 1, "downgrade"),
        (LARGE, LARGE_YEARLY, 1, "longer_interval"),
        (LARGE_YEARLY, LARGE, 1, "shorter_interval"),
        (SMALL, SMALL, 3, "upgrade"),
        (LARGE, SMALL, 4, "upgrade"),
        (SMALL, LARGE_YEARLY, 1, "upgrade"),
        (LARGE_YEARLY, SMALL, 1, "downgrade"),
    ],
)
def test_a_change_has_a_direction(on: Price, to: Price, quantity: int, expected: str) -> None:
    assert direction(Item("si_1", 1, on), to, quantity) == expected


def test_fewer_of_the_same_plan_is_a_downgrade() -> None:
    assert direction(Item("si_1", 3, SMALL), SMALL, 2) == "downgrade"


@pytest.mark.parametrize("rule", ["now", "period_end"])
def test_the_merchants_rule_for_the_direction_decides_when(rule: str) -> None:
    for name, on, to in [
        ("upgrade", SMALL, LARGE),
        ("downgrade", LARGE, SMALL),
        ("longer_interval", LARGE, LARGE_YEARLY),
        ("shorter_interval", LARGE_YEARLY, LARGE),
    ]:
        forbidden = dict.fromkeys(ChangeRules.__struct_fields__[:4], "forbidden")
        rules = ChangeRules(**forbidden | {name: rule})  # type: ignore[arg-type]
        assert decide(Offer(rules, PLANS), subscription(on), to, 1).when == rule


def test_a_forbidden_direction_is_refused() -> None:
    with pytest.raises(NotAllowed):
        decide(Offer(ChangeRules(upgrade="forbidden"), PLANS), subscription(), LARGE, 1)


def test_a_change_during_a_trial_applies_now() -> None:
    offer = Offer(ChangeRules(downgrade="period_end"), PLANS)
    assert decide(offer, subscription(LARGE, status="trialing"), SMALL, 1).when == "now"


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        ({"status": "canceled"}, NotLive),
        ({"status": "incomplete"}, NotLive),
        ({"status": "incomplete_expired"}, NotLive),
        ({"unfinished_change": True}, ChangeUnfinished),
        ({"status": "past_due"}, PaymentOverdue),
        ({"status": "unpaid"}, PaymentOverdue),
        ({"status": "paused"}, NotAllowed),
        ({"cancel_at_period_end": True}, IsCancelling),
        ({"cancel_at": NOW}, IsCancelling),
        ({"pending": PendingChange(NOW, 1, LARGE)}, ChangePending),
        ({"items": ()}, NotAllowed),
        ({"schedule_id": "sub_sched_1"}, PlannedByMerchant),
        (
            {"schedule_id": "sub_sched_1", "pending": PendingChange(NOW, 1, LARGE)},
            PlannedByMerchant,
        ),
        (
            {
                "schedule_id": "sub_sched_1",
                "schedule_is_ours": True,
                "pending": PendingChange(NOW, 1, LARGE),
            },
            ChangePending,
        ),
    ],
)
def test_a_state_that_forbids_changes_says_why(
    state: dict[str, object], refusal: type[ChangeRefused]
) -> None:
    with pytest.raises(refusal):
        decide(OFFER, msgspec.structs.replace(subscription(), **state), LARGE, 1)


@pytest.mark.parametrize(
    ("to", "quantity", "refusal"),
    [
        (price("unknown", 10), 1, NotOffered),
        (msgspec.structs.replace(LARGE, currency="usd"), 1, NotOffered),
        (msgspec.structs.replace(LARGE, active=False), 1, NotOffered),
        (LARGE, 0, NotOffered),
        (LARGE, 6, NotOffered),
        (SMALL, 1, SamePlan),
    ],
)
def test_only_what_is_offered_can_be_chosen(
    to: Price, quantity: int, refusal: type[ChangeRefused]
) -> None:
    with pytest.raises(refusal):
        decide(OFFER, subscription(), to, quantity)


def test_the_item_on_an_offered_plan_is_the_one_that_moves() -> None:
    extra = Item("si_0", 1, price("extra", 50))
    held = subscription(items=(extra, Item("si_1", 1, SMALL)))
    assert main_item(held, PLANS).id == "si_1"


def test_the_chooser_shows_the_merchants_order_and_leaves_out_what_cannot_be_chosen() -> None:
    prices = {it.id: it for it in (SMALL, LARGE, LARGE_YEARLY)}
    rules = ChangeRules(upgrade="period_end", downgrade="forbidden")
    shown = offered_options(Offer(rules, PLANS), subscription(LARGE), prices, "en")
    assert [(it.price.id, it.is_current, it.when) for it in shown] == [
        ("price_large", True, None),
        ("price_large-yearly", False, "now"),
    ]


prices = st.builds(
    price,
    st.sampled_from(["a", "b", "c"]),
    st.integers(0, 10**9),
    st.sampled_from(["day", "week", "month", "year"]),
    st.sampled_from(["x", "y"]),
    st.integers(1, 12),
)


@given(prices, prices, st.integers(1, 100), st.integers(1, 100))
def test_there_and_back_are_opposite_directions(
    one: Price, other: Price, before: int, after: int
) -> None:
    there = direction(Item("si_1", before, one), other, after)
    back = direction(Item("si_1", after, other), one, before)
    if monthly_cost(one, before) == monthly_cost(other, after) and not there.endswith("interval"):
        assert there == back == "upgrade"
    else:
        opposite = {
            "upgrade": "downgrade",
            "downgrade": "upgrade",
            "longer_interval": "shorter_interval",
            "shorter_interval": "longer_interval",
        }
        assert back == opposite[there]


@given(st.integers(1, 10**9), st.integers(1, 24))
def test_a_years_price_costs_the_same_a_month_as_twelve_months(amount: int, years: int) -> None:
    yearly = price("y", amount, "year", count=years)
    monthly = price("m", amount, "month", count=12 * years)
    assert monthly_cost(yearly, 3) == monthly_cost(monthly, 3) == Fraction(amount * 3, 12 * years)
