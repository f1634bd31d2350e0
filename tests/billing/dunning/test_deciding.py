"""What is decided about a failed payment, situation by situation."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from guichet.billing.dunning.decisions.deciding import decide
from guichet.billing.dunning.decisions.facts import Decision, Facts, Try
from tenants.retries import KILL_BILL, POLAR, PRESETS, STRIPE, RetryPolicy
from tests.billing.dunning.cases import CARD, FIRST, OPENED, OTHER, a_try, facts, later

DAY = timedelta(days=1)
NEW = msgspec.structs.replace(OTHER, id="pm_new", fingerprint="n", attached_at=OPENED + DAY)


def _policy(base: RetryPolicy = POLAR, **changes: Any) -> RetryPolicy:
    document = {**msgspec.to_builtins(base), **changes}
    return msgspec.convert(document, RetryPolicy)


def _codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]


def _first(decline: str) -> Facts:
    """The case whose first failure was of a class."""
    return msgspec.structs.replace(facts(), tries=(a_try(by="provider", decline=decline),))


# The schedule.


def test_a_listed_wait_is_kept_and_at_its_time_the_card_is_charged() -> None:
    decision = decide(facts(), POLAR)
    assert (decision.step, decision.at) == ("wait", OPENED + 2 * DAY)
    assert decision.payment_method_id == CARD.id
    assert decide(facts(days=2), POLAR).step == "attempt"


def test_each_wait_counts_from_the_merchant_s_last_try() -> None:
    assert decide(facts(a_try(2.5), days=3), POLAR).at == OPENED + 7.5 * DAY


def test_without_a_list_the_tries_cut_the_window_into_equal_parts() -> None:
    made: list[Try] = []
    for _ in range(STRIPE.tries):
        days = (made[-1].at - OPENED) / DAY if made else 0
        decision = decide(facts(*made, days=days), STRIPE)
        assert decision.at is not None
        made.append(a_try((decision.at - OPENED) / DAY))
    gaps = [(after.at - before.at) / DAY for before, after in pairwise([FIRST, *made])]
    assert gaps == [pytest.approx(14 / 9)] * 8


def test_a_missed_time_is_made_up_for_at_once() -> None:
    assert decide(facts(days=5), POLAR).step == "attempt"


@pytest.mark.parametrize("by", ["customer", "provider"])
def test_only_the_merchant_s_own_tries_count(by: str) -> None:
    known = facts(a_try(0.5, by=by), days=0.6)
    assert decide(known, POLAR).at == OPENED + 2 * DAY
    assert decide(known, POLAR).reasons == decide(facts(), POLAR).reasons


def test_a_customer_s_failed_try_gives_the_card_a_day_s_rest() -> None:
    assert decide(facts(a_try(1.9, by="customer"), days=1.95), POLAR).at == OPENED + 2.9 * DAY


def test_after_the_last_try_the_customer_is_asked_until_the_window_is_over() -> None:
    made = [a_try(days) for days in (2, 7, 14, 21)]
    decision = decide(facts(*made, days=21.5), POLAR)
    assert (decision.step, decision.at, decision.asks_for) == ("ask", OPENED + 22 * DAY, "new_card")
    assert _codes(decision) == ["tries_used_up"]
    assert decide(facts(*made, days=22), POLAR).step == "end"


def test_time_in_which_nobody_could_act_is_added_to_the_window() -> None:
    made = [a_try(days) for days in (2, 7, 14, 21)]
    held_up = facts(*made, days=22, held_up=3 * DAY)
    decision = decide(held_up, POLAR)
    assert (decision.step, decision.at) == ("ask", OPENED + 25 * DAY)
    assert decide(later(held_up, OPENED + 25 * DAY), POLAR).step == "end"


def test_a_charge_that_was_not_made_uses_up_nothing_and_is_not_repeated_hot() -> None:
    decision = decide(facts(a_try(2, decline=None, outcome="not_made"), days=2), POLAR)
    assert (decision.step, decision.at) == ("wait", OPENED + 2 * DAY + timedelta(minutes=15))


def test_a_try_that_the_provider_refused_uses_up_one() -> None:
    decision = decide(facts(a_try(2, decline=None, outcome="refused"), days=2), POLAR)
    assert decision.at == OPENED + 7 * DAY


def test_no_tries_at_all_leave_it_to_the_customer() -> None:
    decision = decide(facts(), _policy(STRIPE, tries=0))
    assert (decision.step, decision.at) == ("ask", OPENED + 14 * DAY)


@pytest.mark.parametrize("preset", PRESETS.values())
def test_a_preset_makes_all_its_tries_and_ends(preset: RetryPolicy) -> None:
    made: list[Try] = []
    now, decision = OPENED, decide(facts(days=0), preset)
    while decision.step in ("wait", "attempt"):
        if decision.step == "attempt":
            made.append(a_try((now - OPENED) / DAY))
        else:
            assert decision.at is not None
            now = decision.at
        decision = decide(facts(*made, days=(now - OPENED) / DAY), preset)
    assert (len(made), decision.step) == (preset.tries, "ask")
    assert decision.at == OPENED + preset.window_days * DAY


def test_kill_bill_s_days_are_eight_apart() -> None:
    assert decide(facts(a_try(8), a_try(16), days=17), KILL_BILL).at == OPENED + 24 * DAY


# Classes of declines.


@pytest.mark.parametrize(
    ("decline", "asks_for"),
    [("never", "new_card"), ("new_card", "new_card"), ("authenticate", "authenticate")],
)
def test_a_card_that_time_does_not_mend_waits_for_the_customer(decline: str, asks_for: str) -> None:
    decision = decide(_first(decline), POLAR)
    assert (decision.step, decision.asks_for) == ("ask", asks_for)
    assert decision.at == OPENED + POLAR.window_days * DAY


@pytest.mark.parametrize("decline", ["never", "new_card", "authenticate", "later", "now"])
def test_a_policy_may_end_the_case_at_a_class_of_decline(decline: str) -> None:
    decision = decide(_first(decline), _policy(declines={decline: "end"}))
    assert (decision.step, _codes(decision)) == ("end", [f"declined_{decline}"])


@pytest.mark.parametrize("decline", ["later", "now"])
def test_a_policy_may_ask_instead_of_trying_again(decline: str) -> None:
    assert decide(_first(decline), _policy(declines={decline: "ask"})).step == "ask"


def test_a_failure_of_the_network_is_tried_again_soon_and_then_by_the_schedule() -> None:
    known = _first("now")
    tries: list[Try] = []
    for wait in (5, 30):
        failed = [a_try(by="provider", decline="now"), *tries]
        known = msgspec.structs.replace(known, tries=tuple(failed), now=failed[-1].at)
        decision = decide(known, POLAR)
        assert decision.at == failed[-1].at + timedelta(minutes=wait)
        assert _codes(decision) == ["soon"]
        tries.append(a_try((decision.at - OPENED) / DAY, decline="now", why=("soon",)))
    known = msgspec.structs.replace(known, tries=(known.tries[0], *tries))
    decision = decide(known, POLAR)
    assert (decision.at, _codes(decision)) == (OPENED + 2 * DAY, ["planned"])
    assert decision.reasons[0].facts == {"number": 1, "tries": 4}


def test_a_card_that_the_network_wants_left_alone_for_days_is() -> None:
    until = OPENED + 10 * DAY
    known = msgspec.structs.replace(
        facts(), tries=(msgspec.structs.replace(FIRST, not_before=until),)
    )
    decision = decide(known, POLAR)
    assert (decision.at, _codes(decision)) == (until, ["planned", "network_wait"])


# Methods.


def test_a_fallback_is_tried_at_once_and_only_once() -> None:
    decision = decide(facts(methods=(CARD, OTHER)), POLAR)
    assert (decision.step, decision.payment_method_id) == ("attempt", OTHER.id)
    tried = facts(a_try(0.1, on=OTHER, why=("fallback",)), days=0.2, methods=(CARD, OTHER))
    decision = decide(tried, POLAR)
    assert (decision.at, decision.payment_method_id) == (OPENED + 2 * DAY, CARD.id)


def test_after_a_dead_first_card_the_schedule_goes_to_the_fallback() -> None:
    known = msgspec.structs.replace(
        facts(methods=(CARD, OTHER)),
        tries=(a_try(by="provider", decline="never"), a_try(0.1, on=OTHER, why=("fallback",))),
    )
    decision = decide(known, POLAR)
    assert (decision.step, decision.payment_method_id) == ("wait", OTHER.id)
    assert _codes(decision) == ["declined_never", "planned"]


def test_without_fallbacks_only_the_first_method_is_charged() -> None:
    decision = decide(facts(methods=(CARD, OTHER)), _policy(fallbacks=False))
    assert (decision.step, decision.payment_method_id) == ("wait", CARD.id)
    assert _codes(decision) == ["fallbacks_off", "planned"]


@pytest.mark.parametrize("fallbacks", [True, False])
@pytest.mark.parametrize("place", [0, 1])
def test_a_new_card_is_charged_at_once_wherever_it_stands(fallbacks: bool, place: int) -> None:
    methods = (CARD, NEW) if place else (NEW, CARD)
    quiet = {"from_hour": 0, "until_hour": 23}
    policy = _policy(fallbacks=fallbacks, tries=0, waits_days=(), quiet=quiet)
    decision = decide(facts(days=1.1, methods=methods), policy)
    assert (decision.step, decision.payment_method_id) == ("attempt", NEW.id)
    assert _codes(decision)[-1] == "new_method"


def test_a_new_card_that_was_declined_goes_on_by_the_schedule() -> None:
    tried = a_try(1.1, on=NEW, why=("new_method",))
    decision = decide(facts(tried, days=1.2, methods=(NEW,)), POLAR)
    assert (decision.step, decision.at) == ("wait", OPENED + 2.1 * DAY)
    assert decision.reasons[0].facts["number"] == 1


def test_a_new_card_that_the_customer_has_just_tried_is_not_tried_again_at_once() -> None:
    decision = decide(facts(a_try(1.1, by="customer", on=NEW), days=1.2, methods=(NEW,)), POLAR)
    assert decision.step == "wait"


def test_the_same_number_typed_in_anew_is_tried_unless_it_is_dead() -> None:
    again = msgspec.structs.replace(CARD, id="pm_again", attached_at=OPENED + DAY)
    for decline, step in (("new_card", "attempt"), ("later", "attempt"), ("never", "ask")):
        known = msgspec.structs.replace(_first(decline), methods=(again,), now=OPENED + 1.1 * DAY)
        assert decide(known, POLAR).step == step


def test_an_expired_card_is_skipped_and_a_card_is_good_to_the_end_of_its_month() -> None:
    expired = msgspec.structs.replace(CARD, exp_month=2, exp_year=2026)
    decision = decide(facts(methods=(expired,)), POLAR)
    assert (decision.step, _codes(decision)) == ("ask", ["card_expired"])
    assert decision.reasons[0].facts == {"month": 2, "year": 2026, "payment_method": "pm_a"}
    good = msgspec.structs.replace(CARD, exp_month=3, exp_year=2026)
    assert decide(facts(methods=(good,)), POLAR).step == "wait"


def test_a_banned_card_is_never_charged_however_new() -> None:
    banned = msgspec.structs.replace(NEW, is_banned=True, cap="forbidden")
    decision = decide(facts(days=1.1, methods=(banned,)), POLAR)
    assert (decision.step, _codes(decision)) == ("ask", ["banned"])


def test_a_cap_moves_the_time_to_where_it_leaves_room() -> None:
    capped = msgspec.structs.replace(CARD, allowed_at=OPENED + 5 * DAY, cap="visa_30_days")
    decision = decide(facts(methods=(capped,)), POLAR)
    assert (decision.at, _codes(decision)) == (OPENED + 5 * DAY, ["planned", "cap"])


def test_a_cap_beyond_the_window_leaves_it_to_the_customer() -> None:
    capped = msgspec.structs.replace(CARD, allowed_at=OPENED + 25 * DAY, cap="visa_30_days")
    decision = decide(facts(methods=(capped,)), POLAR)
    assert (decision.step, _codes(decision)) == ("ask", ["no_time_left"])


def test_without_any_method_a_card_is_asked_for() -> None:
    decision = decide(facts(methods=()), POLAR)
    assert (decision.step, decision.asks_for, _codes(decision)) == (
        "ask",
        "new_card",
        ["no_method"],
    )


def test_a_first_failure_of_which_no_charge_is_known_yet_is_the_first_method_s() -> None:
    known = msgspec.structs.replace(facts(), tries=())
    assert decide(known, POLAR).step == "wait"


# What others do.


@pytest.mark.parametrize(
    ("status", "by", "outcome", "code"),
    [
        ("paid", "merchant", "recovered", "paid_by_merchant"),
        ("paid", "provider", "recovered", "paid_by_provider"),
        ("paid", "customer", "recovered", "paid_by_customer"),
        ("paid", None, "paid_elsewhere", "paid_elsewhere"),
        ("void", None, "voided", "invoice_voided"),
        ("uncollectible", None, "given_up", "invoice_uncollectible"),
    ],
)
@pytest.mark.parametrize("policy", [POLAR, _policy(paused=True), _policy(collector="provider")])
def test_the_invoice_s_state_closes_the_case(
    status: str, by: str | None, outcome: str, code: str, policy: RetryPolicy
) -> None:
    tries = [a_try(1, by=by, decline=None)] if by else []
    decision = decide(facts(*tries, days=1, invoice_status=status), policy)
    assert (decision.step, decision.outcome, _codes(decision)) == ("close", outcome, [code])
    assert decision.access == ("blocked" if outcome == "given_up" else "ok")


def test_what_nobody_we_know_of_charged_is_paid_elsewhere_while_the_provider_stands_back() -> None:
    paid = facts(a_try(1, by="provider", decline=None), days=1, invoice_status="paid", taken=True)
    assert decide(paid, POLAR).outcome == "paid_elsewhere"
    own = facts(a_try(1, decline=None), days=1, invoice_status="paid", taken=True)
    assert decide(own, POLAR).outcome == "recovered"


@pytest.mark.parametrize("policy", [POLAR, _policy(paused=True), _policy(collector="provider")])
def test_a_case_whose_customer_is_gone_is_closed(policy: RetryPolicy) -> None:
    decision = decide(facts(days=1, customer_gone=True), policy)
    assert (decision.step, decision.outcome, decision.access) == ("close", "given_up", "blocked")
    assert _codes(decision) == ["customer_gone"]
    paid = facts(days=1, customer_gone=True, invoice_status="paid")
    assert decide(paid, policy).outcome == "paid_elsewhere"


@pytest.mark.parametrize("status", ["canceled", "incomplete_expired"])
def test_an_ended_subscription_ends_the_case_without_a_charge(status: str) -> None:
    decision = decide(facts(days=2, subscription_status=status), POLAR)
    assert (decision.step, _codes(decision)) == ("end", ["subscription_ended"])
    followed = decide(facts(days=2, subscription_status=status), _policy(collector="provider"))
    assert (followed.step, followed.outcome) == ("close", "given_up")


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"paused": True}, "paused"), ({"collector": "provider"}, "provider_collects")],
)
def test_nothing_is_tried_while_somebody_else_does_or_the_merchant_says_so(
    changes: dict[str, Any], code: str
) -> None:
    for days in (2, 300):
        decision = decide(facts(days=days), _policy(**changes))
        assert (decision.step, _codes(decision)) == ("rest", [code])


@pytest.mark.parametrize("outcome", ["under_way", "unknown"])
@pytest.mark.parametrize("by", ["merchant", "provider", "customer"])
def test_nothing_is_tried_while_a_try_is_not_known_to_be_over(outcome: str, by: str) -> None:
    known = facts(a_try(1.9, by=by, decline=None, outcome=outcome), days=30)
    decision = decide(known, POLAR)
    assert (decision.step, _codes(decision)) == ("rest", [f"try_{outcome}"])


def test_a_success_that_the_invoice_does_not_show_yet_is_waited_for() -> None:
    known = facts(a_try(2, decline=None), days=2)
    decision = decide(known, POLAR)
    assert (decision.step, decision.at) == ("rest", OPENED + 2 * DAY + timedelta(hours=1))
    assert decide(later(known, decision.at or OPENED), POLAR).step == "wait"


def test_a_draft_is_left_alone() -> None:
    assert decide(facts(invoice_status="draft", days=2), POLAR).step == "rest"


def test_an_invoice_without_a_subscription_is_tried_too() -> None:
    assert decide(facts(subscription_status=None, days=2), POLAR).step == "attempt"


def test_a_clock_that_was_set_back_charges_nothing() -> None:
    decision = decide(facts(a_try(2), days=-3), POLAR)
    assert (decision.step, decision.at, decision.access) == ("wait", OPENED + 7 * DAY, "grace")


# Quiet times and pay days.


def test_a_time_in_quiet_hours_moves_to_their_end_in_the_customer_s_zone() -> None:
    quiet = _policy(quiet={"from_hour": 20, "until_hour": 11})
    decision = decide(facts(country="FR"), quiet)
    assert (decision.at, _codes(decision)) == (
        OPENED + 2 * DAY + timedelta(hours=1),
        ["planned", "quiet"],
    )
    assert decision.reasons[1].facts == {"zone": "Europe/Paris"}


def test_a_missed_time_waits_for_the_end_of_quiet_hours() -> None:
    quiet = _policy(quiet={"from_hour": 20, "until_hour": 11})
    known = facts(days=2.5, country="FR")  # 21:00 UTC
    decision = decide(known, quiet)
    assert decision.at == OPENED + 3 * DAY + timedelta(hours=1)
    assert decide(later(known, decision.at), quiet).step == "attempt"


def test_a_try_moves_to_a_pay_day_within_reach() -> None:
    policy = _policy(pay_days=(5,), pay_day_reach_days=1)
    decision = decide(facts(), policy)  # Planned for March 4.
    assert (decision.at, _codes(decision)) == (OPENED + 3 * DAY, ["planned", "pay_day"])
    assert decide(facts(days=2.5), policy).at == decision.at
    assert decide(facts(days=3), policy).step == "attempt"


def test_a_fallback_does_not_wait_for_a_pay_day() -> None:
    policy = _policy(pay_days=(5,))
    assert decide(facts(methods=(CARD, OTHER)), policy).step == "attempt"


# Access.


def test_access_gets_worse_by_the_policy_s_days_and_is_blocked_at_the_end() -> None:
    policy = _policy(grace_days=3, block_after_days=10)
    for days, access, changes in ((1, "grace", 3), (3, "restricted", 10), (10, "blocked", None)):
        decision = decide(facts(days=days), policy)
        assert decision.access == access
        assert decision.access_changes_at == (OPENED + changes * DAY if changes else None)
    assert decide(facts(days=22), policy).access == "blocked"
