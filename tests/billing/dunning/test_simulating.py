"""The timeline that merchants are shown is what the decision would do, whatever the policy."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guichet.billing.dunning.decisions.calendar import calendar_of
from guichet.billing.dunning.decisions.facts import DeclineClass
from guichet.billing.dunning.decisions.simulating import Scenario, Step, simulate
from tenants.retries import (
    KILL_BILL,
    POLAR,
    STRIPE,
    DeclineActions,
    QuietTimes,
    RetryPolicy,
)

FAILED_AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
_DECLINES: tuple[DeclineClass, ...] = get_args(DeclineClass)


def _days(steps: tuple[Step, ...], kind: str) -> list[float]:
    return [(it.at - FAILED_AT) / timedelta(days=1) for it in steps if it.kind == kind]


def test_polar_s_days_are_shown_as_they_are() -> None:
    steps = simulate(POLAR, Scenario(failed_at=FAILED_AT))
    assert _days(steps, "tried") == [2, 7, 14, 21]
    assert _days(steps, "ends") == [22]


def test_kill_bill_s_days_are_shown_as_they_are() -> None:
    assert _days(simulate(KILL_BILL, Scenario(failed_at=FAILED_AT)), "tried") == [8, 16, 24]


@pytest.mark.parametrize("decline", ["never", "new_card", "authenticate"])
def test_what_only_the_customer_can_mend_is_asked_and_not_tried(decline: DeclineClass) -> None:
    steps = simulate(STRIPE, Scenario(failed_at=FAILED_AT, decline=decline))
    assert _days(steps, "tried") == []
    assert _days(steps, "asks") == [0]
    assert _days(steps, "ends") == [14]
    mail = "action_needed" if decline == "authenticate" else "payment_failed"
    assert [it.mail for it in steps if it.mail] == [mail, "given_up"]


def test_other_cards_are_tried_where_the_policy_says_so() -> None:
    scenario = Scenario(failed_at=FAILED_AT, decline="never", methods=3)
    assert [it.method for it in simulate(STRIPE, scenario) if it.kind == "tried"] == [2, 3]
    policy = RetryPolicy(collector="guichet", fallbacks=False)
    assert [it for it in simulate(policy, scenario) if it.kind == "tried"] == []


def test_access_gets_worse_as_the_ladder_says() -> None:
    policy = RetryPolicy(collector="guichet", grace_days=3, block_after_days=9)
    steps = simulate(policy, Scenario(failed_at=FAILED_AT))
    changes = [(it.access, (it.at - FAILED_AT).days) for it in steps if it.kind == "access"]
    assert changes == [("grace", 0), ("restricted", 3), ("blocked", 9)]


def test_where_the_provider_collects_or_all_is_paused_nothing_more_is_told() -> None:
    for policy in (RetryPolicy(), RetryPolicy(collector="guichet", paused=True)):
        steps = simulate(policy, Scenario(failed_at=FAILED_AT))
        assert [it.kind for it in steps if it.kind != "access"] == ["failed", "rests"]


def test_a_day_has_one_mail_about_the_failure_however_many_tries() -> None:
    policy = RetryPolicy(collector="guichet", waits_days=(0.1, 0.1, 0.1, 3), tries=4)
    steps = simulate(policy, Scenario(failed_at=FAILED_AT))
    assert len(_days(steps, "tried")) == 4
    assert len([it for it in steps if it.mail == "payment_failed"]) == 2


_policies = st.builds(
    RetryPolicy,
    collector=st.just("guichet"),
    waits_days=st.lists(st.floats(0.01, 3), max_size=4).map(tuple),
    tries=st.integers(0, 20),
    window_days=st.integers(13, 60),
    quiet=st.builds(
        QuietTimes,
        from_hour=st.integers(0, 23),
        until_hour=st.integers(0, 23),
        weekdays=st.sets(st.integers(0, 6), max_size=6).map(tuple),
    ),
    declines=st.builds(
        DeclineActions,
        later=st.sampled_from(("retry", "ask", "end")),
        now=st.sampled_from(("retry_soon", "retry", "ask", "end")),
    ),
    fallbacks=st.booleans(),
    grace_days=st.integers(0, 20),
)


@given(
    _policies,
    st.sampled_from(_DECLINES),
    st.sampled_from((None, "FR", "US", "JP")),
    st.sampled_from((1, 2, 3)),
    st.integers(0, 2 * 365 * 24).map(lambda hours: FAILED_AT + timedelta(hours=hours)),
)
def test_a_timeline_ends_in_order_and_keeps_to_quiet_times_and_window(
    policy: RetryPolicy,
    decline: DeclineClass,
    country: str | None,
    methods: int,
    failed_at: datetime,
) -> None:
    scenario = Scenario(failed_at=failed_at, decline=decline, country=country, methods=methods)  # type: ignore[arg-type]
    steps = simulate(policy, scenario)
    assert [it.at for it in steps] == sorted(it.at for it in steps)
    assert [it.kind for it in steps].count("ends") == 1
    calendar = calendar_of(policy, country)
    for step in steps:
        if step.kind == "tried":
            assert step.reasons
            assert failed_at <= step.at < failed_at + timedelta(days=policy.window_days)
            assert calendar.permitted(step.at) == step.at
