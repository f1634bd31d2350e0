"""What is decided about a failed payment, situation by situation."""

from datetime import timedelta
from itertools import pairwise

from guichet.billing.dunning.deciding import decide
from guichet.billing.dunning.facts import Try
from tenants.retries import POLAR, STRIPE
from tests.billing.dunning.cases import CARD, OPENED, OTHER, a_try, facts, later


def test_a_listed_wait_is_kept_and_at_its_time_the_card_is_charged() -> None:
    known = facts()
    decision = decide(known, POLAR)
    assert (decision.step, decision.at) == ("wait", OPENED + timedelta(days=2))
    assert decision.payment_method_id == CARD.id
    assert decision.at is not None
    assert decide(later(known, decision.at), POLAR).step == "attempt"


def test_each_wait_counts_from_the_merchant_s_last_try() -> None:
    decision = decide(facts(a_try(2.5), days=3), POLAR)
    assert decision.at == OPENED + timedelta(days=7.5)


def test_without_a_list_the_tries_cut_the_window_into_equal_parts() -> None:
    made: list[Try] = []
    for _ in range(STRIPE.tries):
        decision = decide(facts(*made, days=made[-1].at.day - 2 if made else 0), STRIPE)
        assert decision.at is not None
        made.append(a_try((decision.at - OPENED) / timedelta(days=1)))
    gaps = {after.at - before.at for before, after in pairwise(made)}
    assert {gap.total_seconds() // 60 for gap in gaps} == {14 * 24 * 60 / 9 // 1}


def test_a_fallback_is_tried_at_once_and_only_once() -> None:
    decision = decide(facts(methods=(CARD, OTHER)), POLAR)
    assert (decision.step, decision.payment_method_id) == ("attempt", OTHER.id)
    tried = facts(a_try(0.1, on=OTHER, why=("fallback",)), days=0.2, methods=(CARD, OTHER))
    decision = decide(tried, POLAR)
    assert (decision.at, decision.payment_method_id) == (OPENED + timedelta(days=2), CARD.id)
