"""The tables of decline codes: each code's class, where they disagree, and where they come from."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guichet.billing.dunning.decisions.declines import ROWS, STRICTNESS, Row, classify, is_forbidden
from guichet.billing.dunning.decisions.facts import DeclineClass
from stripe_sandbox.payments.cards import decline_for

#: All codes of https://docs.stripe.com/declines/codes for cards, by what they mean here.
_STRIPE = {
    "now": "approve_with_id issuer_not_available processing_error reenter_transaction",
    "later": "call_issuer card_velocity_exceeded do_not_honor duplicate_transaction"
    " generic_decline insufficient_funds invalid_amount no_action_taken not_permitted"
    " security_violation service_not_allowed try_again_later withdrawal_count_limit_exceeded",
    "authenticate": "authentication_required authentication_not_handled"
    " mobile_device_authentication_required",
    "new_card": "card_not_supported currency_not_supported expired_card incorrect_address"
    " incorrect_cvc incorrect_number incorrect_pin incorrect_zip invalid_cvc invalid_expiry_month"
    " invalid_expiry_year invalid_number invalid_pin new_account_information_available"
    " offline_pin_required online_or_offline_pin_required pin_try_exceeded testmode_decline",
    "never": "do_not_try_again fraudulent invalid_account lost_card merchant_blacklist pickup_card"
    " restricted_card revocation_of_all_authorizations revocation_of_authorization stolen_card"
    " stop_payment_order transaction_not_allowed",
}
#: In hours, for advice 24 to 30.
_WAITS = (1, 24, 48, 96, 144, 192, 240)


def _words(text: str) -> list[str]:
    return text.split()


_CODES = [(code, means) for means, codes in _STRIPE.items() for code in codes.split()]


@pytest.mark.parametrize(("code", "means"), _CODES)
def test_a_published_decline_code_has_its_class(code: str, means: str) -> None:
    assert classify(decline_code=code, failure_code="card_declined").decline == means


def test_all_fifty_published_codes_stand_in_the_table() -> None:
    assert len(dict(_CODES)) == 50


@pytest.mark.parametrize(
    ("code", "means"),
    [
        ("card_declined", "later"),
        ("expired_card", "new_card"),
        ("incorrect_cvc", "new_card"),
        ("processing_error", "now"),
        ("authentication_required", "authenticate"),
        ("payment_intent_action_required", "authenticate"),
        ("invoice_payment_intent_requires_action", "authenticate"),
        ("debit_not_authorized", "never"),
        ("account_closed", "new_card"),
        ("something_new", "later"),
    ],
)
def test_a_failure_code_alone_is_enough(code: str, means: str) -> None:
    assert classify(failure_code=code).decline == means


@pytest.mark.parametrize(
    ("code", "means"),
    [
        *(
            (code, "never")
            for code in ["04", "07", "12", "14", "15", "41", "43", "46", "57", "R0", "R1", "R3"]
        ),
        *((code, "new_card") for code in _words("54 55 82 N7 6P")),
        *((code, "later") for code in _words("51 59 61 62 65 75 78 93 05 XX")),
        *((code, "now") for code in _words("19 91 96")),
        ("1A", "authenticate"),
    ],
)
def test_a_response_code_of_visa_says_whether_to_try_again(code: str, means: str) -> None:
    assert classify(network="visa", network_decline_code=code).decline == means


@pytest.mark.parametrize(
    ("code", "means", "hours"),
    [
        ("01", "new_card", None),
        ("02", "later", None),
        ("03", "never", None),
        ("04", "new_card", None),
        ("21", "never", None),
        ("22", "later", None),
        *((str(24 + place), "later", hours) for place, hours in enumerate(_WAITS)),
        ("40", "new_card", None),
        ("99", "later", None),
    ],
)
def test_an_advice_of_mastercard_says_whether_and_when(
    code: str, means: str, hours: int | None
) -> None:
    verdict = classify(
        decline_code="insufficient_funds", network="mastercard", network_advice_code=code
    )
    assert verdict.decline == means
    assert verdict.wait == (timedelta(hours=hours) if hours else None)


def test_a_network_s_code_means_nothing_on_the_other_network() -> None:
    assert classify(network="mastercard", network_decline_code="57").decline == "later"
    assert classify(network="visa", network_advice_code="03").decline == "later"


@pytest.mark.parametrize("network", ["amex", "cartes_bancaires", None])
def test_of_another_network_both_networks_codes_count(network: str | None) -> None:
    assert classify(network=network, network_decline_code="43").decline == "never"
    assert classify(network=network, network_advice_code="21").decline == "never"


@pytest.mark.parametrize(
    ("codes", "means"),
    [
        ({"decline_code": "insufficient_funds", "advice_code": "do_not_try_again"}, "never"),
        ({"decline_code": "do_not_honor", "advice_code": "confirm_card_data"}, "new_card"),
        ({"decline_code": "lost_card", "advice_code": "try_again_later"}, "never"),
        ({"decline_code": "processing_error", "advice_code": "try_again_later"}, "now"),
        ({"failure_code": "card_declined", "advice_code": "try_again_later"}, "later"),
        ({"decline_code": "processing_error", "failure_code": "processing_error"}, "now"),
    ],
)
def test_the_strictest_of_several_codes_counts(codes: dict[str, str], means: str) -> None:
    assert classify(**codes).decline == means


def test_a_card_that_was_declined_too_often_rests_for_a_day() -> None:
    verdict = classify(failure_code="card_decline_rate_limit_exceeded")
    assert verdict == ("later", timedelta(hours=24))


def test_no_code_at_all_is_tried_later() -> None:
    assert classify() == ("later", None)


def test_only_what_a_network_forbids_is_forbidden_for_good() -> None:
    assert is_forbidden("visa", network_decline_code="41")
    assert is_forbidden("mastercard", network_advice_code="03")
    assert is_forbidden("amex", decline_code="stolen_card")
    assert not is_forbidden("visa", decline_code="fraudulent", network_decline_code="59")
    assert not is_forbidden("mastercard", network_advice_code="24")


def test_each_row_has_a_source_and_no_code_stands_twice() -> None:
    assert len({(row.field, row.code) for row in ROWS}) == len(ROWS)
    assert all(row.source.startswith("https://") for row in ROWS)


def test_what_the_sandbox_forbids_is_never_tried_again() -> None:
    refused = [decline_for(code) for code, _ in _CODES]
    forbidden = [it for it in refused if it.advice_code == "do_not_try_again"]
    assert forbidden
    for decline in forbidden:
        verdict = classify(decline_code=decline.decline_code, advice_code=decline.advice_code)
        assert verdict.decline == "never"


def _row(field: str) -> st.SearchStrategy[Row | None]:
    return st.none() | st.sampled_from([row for row in ROWS if row.field == field])


@given(
    decline_code=_row("decline_code"),
    failure_code=_row("failure_code"),
    advice_code=_row("advice_code"),
    network_decline_code=_row("visa"),
    network_advice_code=_row("mastercard_advice"),
)
def test_no_code_makes_another_one_milder(**drawn: Row | None) -> None:
    verdict = classify(**{name: row.code for name, row in drawn.items() if row})
    rows = [row for row in drawn.values() if row]
    assert all(_forbids(verdict.decline) >= _forbids(row.decline) for row in rows)
    assert verdict.decline in {"later", *(row.decline for row in rows)}
    assert verdict.wait == max((row.wait for row in rows if row.wait), default=None)


def _forbids(decline: DeclineClass) -> int:
    return STRICTNESS.index(decline)
