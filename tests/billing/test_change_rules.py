"""The table of change rules: the first that fits, an outcome for everything, and no surprises."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guichet.billing.change_rules import (
    ChangeableStatus,
    Outcome,
    Situation,
    allows_overdue,
    decide,
    default_direction,
    direction,
)
from guichet.billing.changes import (
    NotAllowed,
    NotOffered,
    Offer,
    PaymentOverdue,
    check_changeable,
    offered_options,
    order,
)
from guichet.billing.changes import decide as decide_for
from guichet.billing.subscriptions import Item
from tenants.catalog import ChangeRule, ChangeRules, Direction, Plan, Proration, When
from tenants.features import Features
from tests.billing.test_changes import (
    LARGE,
    LARGE_YEARLY,
    NOW,
    PLANS,
    SMALL,
    prices,
    subscription,
)

STATUSES: tuple[ChangeableStatus, ...] = get_args(ChangeableStatus)
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)

situations = st.builds(
    Situation,
    status=st.sampled_from(STATUSES),
    current=st.none() | prices,
    current_quantity=st.integers(1, 20),
    price=prices,
    quantity=st.integers(1, 20),
)
rules = st.builds(
    ChangeRule,
    direction=st.sampled_from(("any", *DIRECTIONS)),
    status=st.sampled_from(("settled", *STATUSES)),
    from_plan=st.sampled_from(("", "price_a", "prod_x")),
    to_plan=st.sampled_from(("", "price_b", "prod_y")),
    when=st.sampled_from(get_args(When)),
    proration=st.sampled_from(get_args(Proration)),
    anchor=st.sampled_from(("unchanged", "now")),
    trial=st.sampled_from(("continue", "end")),
)
tables = st.builds(
    ChangeRules,
    **{name: st.sampled_from(get_args(When)) for name in ChangeRules.__struct_fields__[:4]},
    proration=st.sampled_from(get_args(Proration)),
    rules=st.lists(rules, max_size=6).map(tuple),
)


def asked(
    status: ChangeableStatus = "active",
    current: object = SMALL,
    price: object = LARGE,
    before: int = 1,
    after: int = 1,
) -> Situation:
    return Situation(
        status=status,
        current=current,  # type: ignore[arg-type]
        current_quantity=before,
        price=price,  # type: ignore[arg-type]
        quantity=after,
    )


@given(tables, situations)
def test_every_change_has_an_outcome_and_the_first_rule_that_fits_speaks(
    table: ChangeRules, change: Situation
) -> None:
    outcome = decide(table, change)
    alone = [decide(ChangeRules(rules=(rule,)), change).rule is not None for rule in table.rules]
    expected = alone.index(True) + 1 if any(alone) else None
    assert outcome.rule == expected
    if expected is not None:
        rule = table.rules[expected - 1]
        assert (outcome.when, outcome.proration) == (rule.when, rule.proration)


@given(tables, situations)
def test_without_a_rule_the_defaults_mean_what_they_meant_before_there_were_rules(
    table: ChangeRules, change: Situation
) -> None:
    outcome = decide(msgspec.structs.replace(table, rules=()), change)
    if change.status == "past_due":
        assert outcome.when == "forbidden"
        return
    before = getattr(table, default_direction(change))
    if change.status == "trialing" and before != "forbidden":
        before = "now"
    assert outcome == Outcome(when=before, proration=table.proration)


@given(tables, situations)
def test_what_is_overdue_changes_by_a_rule_that_names_it_and_by_no_other(
    table: ChangeRules, change: Situation
) -> None:
    overdue = msgspec.structs.replace(change, status="past_due")
    outcome = decide(table, overdue)
    if outcome.when != "forbidden":
        assert outcome.rule is not None
        assert table.rules[outcome.rule - 1].status == "past_due"
        assert allows_overdue(table)


@given(tables, situations)
def test_a_period_begins_and_a_trial_ends_only_where_there_is_one_and_at_once(
    table: ChangeRules, change: Situation
) -> None:
    outcome = decide(table, change)
    if outcome.anchor == "now":
        assert outcome.when == "now"
        assert change.status != "trialing"
    if outcome.trial == "end":
        assert outcome.when == "now"
        assert change.status == "trialing"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (asked(), "upgrade"),
        (asked(current=LARGE, price=SMALL), "downgrade"),
        (asked(current=LARGE, price=LARGE_YEARLY), "longer_interval"),
        (asked(current=LARGE_YEARLY, price=LARGE), "shorter_interval"),
        (asked(price=SMALL, before=1, after=3), "quantity_up"),
        (asked(price=SMALL, before=3, after=1), "quantity_down"),
        (asked(current=SMALL, price=LARGE, before=3, after=1), "upgrade"),
        (asked(current=None), "upgrade"),
    ],
)
def test_a_rule_calls_a_change_by_what_it_is(change: Situation, expected: Direction) -> None:
    assert direction(change) == expected


@pytest.mark.parametrize("wanted", DIRECTIONS)
def test_a_rule_of_one_direction_leaves_the_others_alone(wanted: Direction) -> None:
    table = ChangeRules(rules=(ChangeRule(direction=wanted, when="forbidden"),))
    for change in (
        asked(),
        asked(current=LARGE, price=SMALL),
        asked(current=LARGE, price=LARGE_YEARLY),
        asked(current=LARGE_YEARLY, price=LARGE),
        asked(price=SMALL, after=3),
        asked(price=SMALL, before=3),
    ):
        assert (decide(table, change).rule == 1) == (direction(change) == wanted)


@pytest.mark.parametrize(
    ("rule", "change"),
    list(itertools.product(("settled", *STATUSES), STATUSES)),
)
def test_a_rule_is_about_the_status_it_names(rule: str, change: ChangeableStatus) -> None:
    table = ChangeRules(rules=(ChangeRule(status=rule),))  # type: ignore[arg-type]
    covered = ("active", "trialing") if rule == "settled" else (rule,)
    assert (decide(table, asked(change)).rule == 1) == (change in covered)


@pytest.mark.parametrize(
    ("from_plan", "to_plan", "applies"),
    [
        (SMALL.id, LARGE.id, True),
        (SMALL.product_id, LARGE.product_id, True),
        ("", LARGE.id, True),
        (LARGE.id, "", False),
        (SMALL.id, LARGE_YEARLY.id, False),
        (SMALL.id, SMALL.product_id, False),
    ],
)
def test_a_rule_names_plans_by_price_or_by_product(
    from_plan: str, to_plan: str, applies: bool
) -> None:
    table = ChangeRules(rules=(ChangeRule(from_plan=from_plan, to_plan=to_plan),))
    assert (decide(table, asked()).rule == 1) == applies


def test_an_overdue_subscription_is_changed_where_a_rule_allows_it() -> None:
    rule = ChangeRule(status="past_due", direction="downgrade", when="period_end")
    offer = Offer(ChangeRules(rules=(rule,)), PLANS)
    overdue = subscription(LARGE, status="past_due")
    assert decide_for(offer, overdue, SMALL, 1).when == "period_end"
    with pytest.raises(PaymentOverdue):
        decide_for(offer, subscription(SMALL, status="past_due"), LARGE, 1)
    with pytest.raises(PaymentOverdue):
        check_changeable(subscription(status="unpaid"), offer.changes)


def test_a_new_period_and_the_end_of_a_trial_reach_the_order() -> None:
    rule = ChangeRule(anchor="now", trial="end", proration="none")
    offer = Offer(ChangeRules(rules=(rule,)), PLANS)
    moment = datetime(2026, 11, 2, tzinfo=UTC)
    item = Item("si_1", 1, SMALL)
    active, trial = subscription(), subscription(status="trialing", trial_end_at=NOW)
    made = order(decide_for(offer, active, LARGE, 1), active, item, LARGE, 1, moment)
    assert (made.when, made.proration, made.anchor, made.trial_end) == ("now", "none", "now", None)
    made = order(decide_for(offer, trial, LARGE, 1), trial, item, LARGE, 1, moment)
    assert (made.anchor, made.trial_end) == ("unchanged", moment)
    assert made.as_of - moment == timedelta(0)


def test_a_hidden_plan_is_kept_by_who_has_it_and_chosen_by_nobody() -> None:
    plans = (Plan(SMALL.id, quantity_max=5, hidden=True), Plan(LARGE.id))
    offer = Offer(ChangeRules(), plans)
    held = {SMALL.id: SMALL, LARGE.id: LARGE}
    shown = offered_options(offer, subscription(LARGE), held, "en")
    assert [it.price.id for it in shown] == [LARGE.id]
    with pytest.raises(NotOffered):
        decide_for(offer, subscription(LARGE), SMALL, 1)
    shown = offered_options(offer, subscription(SMALL), held, "en")
    assert [it.price.id for it in shown] == [SMALL.id, LARGE.id]
    assert decide_for(offer, subscription(SMALL), SMALL, 3).when == "now"


@pytest.mark.parametrize(
    ("features", "to", "quantity", "is_allowed"),
    [
        (Features(change_plan=False), LARGE, 2, False),
        (Features(change_plan=False), SMALL, 3, True),
        (Features(change_quantity=False), LARGE, 2, True),
        (Features(change_quantity=False), LARGE, 3, False),
        (Features(change_quantity=False), SMALL, 3, False),
    ],
)
def test_what_is_switched_off_is_refused(
    features: Features, to: object, quantity: int, is_allowed: bool
) -> None:
    offer = Offer(ChangeRules(), PLANS, features)
    held = subscription(SMALL, 2)
    if is_allowed:
        assert decide_for(offer, held, to, quantity).when == "now"  # type: ignore[arg-type]
    else:
        with pytest.raises(NotAllowed):
            decide_for(offer, held, to, quantity)  # type: ignore[arg-type]


def test_a_badge_and_a_description_are_shown_in_the_customers_language_or_another() -> None:
    plan = Plan(LARGE.id, {"en": "For teams"}, badge={"en": "New", "fr": "Nouveau"})
    offer = Offer(ChangeRules(), (plan,))
    (option,) = offered_options(offer, subscription(), {LARGE.id: LARGE}, "fr")
    assert (option.badge, option.description) == ("Nouveau", "For teams")
