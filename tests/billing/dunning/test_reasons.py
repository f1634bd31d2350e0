"""Reasons in words: every code has some, and customers are told nothing that an issuer suspects."""

import ast
from pathlib import Path

import pytest

import guichet.billing.dunning
from guichet.billing.dunning.decisions.facts import Reason
from guichet.billing.dunning.decisions.reasons import customer_reason, customer_text, merchant_text


def _codes() -> set[str]:
    """The code of each `Reason` that the package makes."""
    found = set()
    for path in Path(guichet.billing.dunning.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="Reason"), args=[ast.Constant(value=str(it)), *_]):
                    found.add(it)
    return found


def test_each_reason_that_is_given_has_words() -> None:
    codes = _codes()
    assert {"planned", "quiet", "declined_never", "window_over"} <= codes
    for code in codes:
        text, _ = merchant_text(Reason(code))
        assert text.endswith(".")


def test_a_reason_s_facts_go_into_its_words() -> None:
    text, values = merchant_text(Reason("planned", {"number": 2, "tries": 8}))
    assert text % values == "Try 2 of 8 in your schedule."


@pytest.mark.parametrize(
    "code",
    [
        "lost_card",
        "stolen_card",
        "fraudulent",
        "pickup_card",
        "restricted_card",
        "merchant_blacklist",
        "security_violation",
        "revocation_of_authorization",
        "stop_payment_order",
        "transaction_not_allowed",
        "partner_high_risk_customer",
        "do_not_honor",
        "a_code_of_tomorrow",
        None,
    ],
)
def test_a_suspicion_is_told_as_any_other_decline(code: str | None) -> None:
    assert customer_reason(code, "card_declined") == customer_reason("generic_decline")
    assert customer_text(customer_reason(code)) == "Your bank declined the payment."


@pytest.mark.parametrize(
    ("decline_code", "failure_code", "reason"),
    [
        ("insufficient_funds", "card_declined", "insufficient_funds"),
        (None, "expired_card", "expired_card"),
        ("incorrect_cvc", "incorrect_cvc", "incorrect_details"),
        ("card_velocity_exceeded", "card_declined", "limit"),
        ("currency_not_supported", "card_declined", "not_supported"),
        ("authentication_required", "authentication_required", "authentication"),
        (None, "payment_intent_action_required", "authentication"),
        ("processing_error", "processing_error", "temporary"),
    ],
)
def test_a_customer_is_told_what_they_can_mend(
    decline_code: str | None, failure_code: str, reason: str
) -> None:
    assert customer_reason(decline_code, failure_code) == reason
    assert customer_text(reason).endswith(".")


def test_what_the_network_said_for_good_hides_the_milder_reason() -> None:
    assert customer_reason("insufficient_funds", None, "never") == "declined"
    assert customer_reason(None, None, "authenticate") == "authentication"


def test_an_unknown_code_is_worded_plainly() -> None:
    assert customer_text("nonsense") == "Your bank declined the payment."
