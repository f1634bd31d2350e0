"""What holds of every decision, whatever is known and whatever the policy."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from guichet.billing.dunning.decisions.access import is_worse
from guichet.billing.dunning.decisions.calendar import zones_of
from guichet.billing.dunning.decisions.deciding import decide
from guichet.billing.dunning.decisions.facts import Decision, Facts, Method, Reason, Try
from guichet.billing.dunning.decisions.planning import expired
from guichet.billing.dunning.decisions.reasons import merchant_text
from tenants.retries import DeclineActions, QuietTimes, RetryPolicy
from tests.billing.dunning.cases import later

DAY = timedelta(days=1)
#: The examples are large, and many of them are of cases in which nothing is charged.
usual = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
#: Days around which clocks change in the countries below, and the end of a February.
_DAYS = [
    datetime(2026, 3, 8, tzinfo=UTC),
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(2026, 9, 6, tzinfo=UTC),
    datetime(2026, 2, 28, tzinfo=UTC),
    datetime(2026, 7, 14, tzinfo=UTC),
]
#: One zone each, or several that show the same; in Lebanon and Chile midnight itself is skipped.
_COUNTRIES = ["FR", "GB", "LB", "IN", "JP", "PY", None]
_ZONES = ["UTC", "Europe/Madrid", "America/New_York", "America/Havana", "Australia/Lord_Howe"]
_CODES = ["planned", "soon", "new_method", "fallback"]

hours = st.integers(0, 23)
quiet_times = st.builds(
    QuietTimes, hours, hours, st.lists(st.integers(0, 6), unique=True, max_size=6).map(tuple)
)
waits = st.lists(st.floats(0.1, 20, allow_nan=False), max_size=6).map(tuple)
policies = st.builds(
    RetryPolicy,
    collector=st.just("guichet"),
    waits_days=waits,
    tries=st.integers(0, 10),
    window_days=st.integers(1, 40),
    quiet=quiet_times,
    pay_days=st.lists(st.integers(1, 31), max_size=4).map(tuple),
    pay_day_reach_days=st.integers(0, 7),
    time_zone=st.sampled_from(_ZONES),
    declines=st.builds(
        DeclineActions,
        later=st.sampled_from(["retry", "retry", "ask", "end"]),
        now=st.sampled_from(["retry_soon", "retry", "ask", "end"]),
    ),
    fallbacks=st.booleans(),
    grace_days=st.integers(0, 20),
    block_after_days=st.none() | st.integers(0, 40),
)
minutes = st.integers(-60, 45 * 24 * 60)


@st.composite
def methods(draw: st.DrawFn, opened_at: datetime, now: datetime) -> tuple[Method, ...]:
    found = []
    for name in draw(st.lists(st.sampled_from("abcd"), unique=True, max_size=3)):
        expires = draw(st.booleans())
        capped = draw(st.booleans())
        attached_at = opened_at + draw(st.integers(-100, 20)) * DAY
        found.append(
            Method(
                id=f"pm_{name}",
                fingerprint=draw(st.sampled_from([name, name.upper(), None])),
                exp_month=draw(st.integers(1, 12)) if expires else None,
                exp_year=draw(st.integers(2025, 2027)) if expires else None,
                attached_at=min(attached_at, now),
                allowed_at=opened_at + draw(st.integers(1, 40)) * DAY if capped else None,
                is_banned=draw(st.integers(0, 5)) == 0,
                cap="visa_30_days",
            )
        )
    return tuple(found)


@st.composite
def tries(draw: st.DrawFn, opened_at: datetime, now: datetime) -> tuple[Try, ...]:
    found = []
    for _ in range(draw(st.integers(0, 6))):
        at = opened_at + timedelta(minutes=draw(minutes))
        outcome = draw(st.sampled_from(["declined", "declined", "declined", "refused", "not_made"]))
        name = draw(st.sampled_from("abc"))
        classes = ["later", "later", "later", "now", "now", "authenticate", "new_card", "never"]
        waits = draw(st.integers(0, 4)) == 0
        found.append(
            Try(
                at=min(at, now),
                initiator=draw(st.sampled_from(["merchant", "provider", "customer"])),
                outcome=outcome,  # type: ignore[arg-type]
                decline=draw(st.sampled_from(classes)) if outcome == "declined" else None,
                not_before=at + draw(st.integers(1, 240)) * DAY / 24 if waits else None,
                payment_method_id=f"pm_{name}",
                fingerprint=draw(st.sampled_from([name, None])),
                reasons=(Reason(draw(st.sampled_from(_CODES))),),
            )
        )
    return tuple(sorted(found, key=lambda it: it.at))


@st.composite
def cases(draw: st.DrawFn) -> Facts:
    opened_at = draw(st.sampled_from(_DAYS)) + timedelta(minutes=draw(st.integers(-2000, 2000)))
    now = opened_at + timedelta(minutes=draw(minutes))
    return Facts(
        now=now,
        opened_at=opened_at,
        held_up=timedelta(minutes=draw(st.sampled_from([0, 0, 90, 30_000]))),
        invoice_status="open",
        subscription_status="past_due",
        country=draw(st.sampled_from(_COUNTRIES)),
        tries=draw(tries(opened_at, now)),
        methods=draw(methods(opened_at, now)),
    )


def _moment(decision: Decision, facts: Facts) -> datetime:
    """When the decision would charge."""
    assert decision.step in ("attempt", "wait")
    return facts.now if decision.step == "attempt" else decision.at or facts.now


def _charges(decision: Decision) -> bool:
    return decision.step in ("attempt", "wait")


def _codes(decision: Decision) -> set[str]:
    return {reason.code for reason in decision.reasons}


def _method(decision: Decision, facts: Facts) -> Method:
    return next(it for it in facts.methods if it.id == decision.payment_method_id)


def _of(it: Try, method: Method) -> bool:
    if it.fingerprint and method.fingerprint:
        return it.fingerprint == method.fingerprint
    return it.payment_method_id == method.id


@usual
@given(facts=cases(), policy=policies)
def test_a_decision_has_reasons_that_can_be_told(facts: Facts, policy: RetryPolicy) -> None:
    decision = decide(facts, policy)
    assert decision.reasons
    for reason in decision.reasons:
        text, values = merchant_text(reason)
        assert text % values


@usual
@given(facts=cases(), policy=policies, part=st.floats(0, 1))
def test_a_plan_stays_as_it_is_until_its_time_and_is_carried_out_then(
    facts: Facts, policy: RetryPolicy, part: float
) -> None:
    decision = decide(facts, policy)
    assert decide(facts, policy) == decision
    assume(decision.step in ("wait", "ask"))
    assert decision.at is not None
    assert decision.at > facts.now
    assume(_valid_cards(facts, facts.now) == _valid_cards(facts, decision.at))
    between = later(facts, facts.now + (decision.at - facts.now) * part * 0.999)
    meanwhile = decide(between, policy)
    assert [it.code for it in meanwhile.reasons] == [it.code for it in decision.reasons]
    assert _without_access(meanwhile) == _without_access(decision)
    then = decide(later(facts, decision.at), policy)
    assert then.step == ("attempt" if decision.step == "wait" else "end")
    assert then.payment_method_id == decision.payment_method_id


def _valid_cards(facts: Facts, at: datetime) -> list[bool]:
    return [not expired(method, at) for method in facts.methods]


def _without_access(decision: Decision) -> Decision:
    return msgspec.structs.replace(decision, access="grace", access_changes_at=None)


@usual
@given(facts=cases(), policy=policies)
def test_nothing_is_charged_in_quiet_times_unless_the_customer_asks(
    facts: Facts, policy: RetryPolicy
) -> None:
    decision = decide(facts, policy)
    assume(_charges(decision) and "new_method" not in _codes(decision))
    for zone in zones_of(facts.country or "", policy.time_zone):
        local = _moment(decision, facts).astimezone(zone)
        assert local.weekday() not in policy.quiet.weekdays
        hour = policy.quiet.from_hour
        while hour != policy.quiet.until_hour:
            assert local.hour != hour
            hour = (hour + 1) % 24


@usual
@given(facts=cases(), policy=policies)
def test_nothing_is_charged_beyond_the_window_the_tries_or_the_caps(
    facts: Facts, policy: RetryPolicy
) -> None:
    decision = decide(facts, policy)
    assume(_charges(decision))
    moment, method = _moment(decision, facts), _method(decision, facts)
    assert moment < facts.opened_at + policy.window_days * DAY + facts.held_up
    if "planned" in _codes(decision):
        made = [
            it
            for it in facts.tries
            if it.initiator == "merchant"
            and it.outcome != "not_made"
            and it.reasons[0].code == "planned"
        ]
        assert len(made) < policy.tries
        assert not policy.waits_days or len(made) < len(policy.waits_days)
    assert method.allowed_at is None or moment >= method.allowed_at


@usual
@given(facts=cases(), policy=policies)
def test_a_banned_dead_or_expired_card_is_never_charged(facts: Facts, policy: RetryPolicy) -> None:
    decision = decide(facts, policy)
    assume(_charges(decision))
    moment, method = _moment(decision, facts), _method(decision, facts)
    assert not method.is_banned
    own = [it for it in facts.tries if _of(it, method) and it.outcome != "not_made"]
    assert not [it for it in own if it.decline == "never"]
    since = [
        it for it in own if it.at >= method.attached_at or "new_method" not in _codes(decision)
    ]
    was_renewed = facts.opened_at < method.attached_at
    assert was_renewed or not [it for it in since if it.decline == "new_card"]
    assert was_renewed or not own or own[-1].decline != "authenticate"
    assert all(it.not_before is None or moment >= it.not_before for it in since if not was_renewed)
    if method.exp_year and method.exp_month:
        there = moment.astimezone(ZoneInfo("Etc/GMT+12"))
        assert (there.year, there.month) <= (method.exp_year, method.exp_month)


@usual
@given(facts=cases(), policy=policies)
def test_an_open_case_always_has_a_next_time(facts: Facts, policy: RetryPolicy) -> None:
    decision = decide(facts, policy)
    if decision.step == "attempt":
        assert decision.payment_method_id
    elif decision.step in ("wait", "ask"):
        assert decision.at
        assert facts.now < decision.at <= facts.opened_at + policy.window_days * DAY + facts.held_up
    else:
        assert decision.step == "end"
        assert decision.access == "blocked"


@usual
@given(facts=cases(), policy=policies, days=st.floats(0, 60))
def test_access_never_gets_better_by_waiting(
    facts: Facts, policy: RetryPolicy, days: float
) -> None:
    before = decide(facts, policy)
    after = decide(later(facts, facts.now + days * DAY), policy)
    assert not is_worse(before.access, after.access)
    if before.access_changes_at:
        changed = decide(later(facts, before.access_changes_at), policy)
        assert is_worse(changed.access, before.access)


@usual
@given(data=st.data(), facts=cases(), policy=policies)
def test_a_case_that_is_carried_out_comes_to_its_end(
    data: st.DataObject, facts: Facts, policy: RetryPolicy
) -> None:
    """The executor played in time: each attempt is declined in some way, until the case ends."""
    facts = msgspec.structs.replace(facts, tries=(), now=max(facts.now, facts.opened_at))
    made: list[Try] = []
    for _ in range(200):
        decision = decide(facts, policy)
        if decision.step == "end":
            break
        if decision.step == "attempt":
            method = _method(decision, facts)
            made.append(
                Try(
                    at=facts.now,
                    initiator="merchant",
                    outcome="declined",
                    decline=data.draw(st.sampled_from(["later", "now", "later", "new_card"])),
                    payment_method_id=method.id,
                    fingerprint=method.fingerprint,
                    reasons=decision.reasons,
                )
            )
            facts = msgspec.structs.replace(facts, tries=tuple(made))
        else:
            assert decision.at is not None
            facts = later(facts, decision.at)
    assert decide(facts, policy).step == "end"
    kinds = [{reason.code for reason in it.reasons} & set(_CODES) for it in made]
    assert sum(kind == {"planned"} for kind in kinds) <= policy.tries
    at_once = [it.payment_method_id for it in made if _is_at_once(it)]
    assert len(at_once) == len(set(at_once))
    assert len(made) <= (policy.tries + len(facts.methods) + 1) * 3


def _is_at_once(it: Try) -> bool:
    return bool({"new_method", "fallback"} & {reason.code for reason in it.reasons})
