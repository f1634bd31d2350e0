"""What the codes of a decline mean for the next try: tables, each row with where it comes from."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal, NamedTuple

from guichet.billing.dunning.decisions.facts import DeclineClass

#: Where a code stands: in a field of the provider's, or in one whose meaning a network sets.
Field = Literal["decline_code", "failure_code", "advice_code", "visa", "mastercard_advice"]

#: From the one that forbids least to the one that forbids most.
STRICTNESS: tuple[DeclineClass, ...] = ("now", "later", "authenticate", "new_card", "never")

_DECLINE_CODES = "https://docs.stripe.com/declines/codes"
_ERROR_CODES = "https://docs.stripe.com/error-codes"
_ADVICE_CODES = "https://docs.stripe.com/declines/card#retrying-issuer-declines"
#: Visa Core Rules, ID 0030640, table 7-2: category 1 may never be tried again, 2 and 3 may.
_VISA_RULES = "https://usa.visa.com/dam/VCOM/download/about-visa/visa-rules-public.pdf"
#: Mastercard's own rules are not public; processors publish the codes.
_MASTERCARD_ADVICE = (
    "https://developer.paypal.com/braintree/docs/reference/general/merchant-responses/"
    "merchant-advice-codes"
)


class Row(NamedTuple):
    """What one code means. `wait`: not again before that much time has gone by."""

    field: Field
    code: str
    decline: DeclineClass
    source: str
    wait: timedelta | None = None


class Verdict(NamedTuple):
    """What all codes of a decline mean together."""

    decline: DeclineClass
    wait: timedelta | None = None


def _rows(field: Field, source: str, decline: DeclineClass, codes: str) -> Iterator[Row]:
    return (Row(field, code, decline, source) for code in codes.split())


ROWS: tuple[Row, ...] = (
    # Another try at once may pass: nobody has judged the card.
    *_rows(
        "decline_code", _DECLINE_CODES, "now",
        "approve_with_id issuer_not_available processing_error reenter_transaction",
    ),
    *_rows(
        "decline_code", _DECLINE_CODES, "later",
        "call_issuer card_velocity_exceeded do_not_honor duplicate_transaction generic_decline "
        "insufficient_funds invalid_amount invalid_business_account no_action_taken not_permitted "
        "partner_generic_decline partner_payment_not_found payment_limit_exceeded "
        "security_violation service_not_allowed try_again_later withdrawal_count_limit_exceeded",
    ),
    *_rows(
        "decline_code", _DECLINE_CODES, "authenticate",
        "authentication_not_handled authentication_required mobile_device_authentication_required",
    ),
    # What the customer typed in, or what the card is, has to change first.
    *_rows(
        "decline_code", _DECLINE_CODES, "new_card",
        "card_not_supported currency_not_supported expired_card expired_payment_information "
        "incorrect_address incorrect_cvc incorrect_number incorrect_pin incorrect_zip "
        "invalid_billing_agreement invalid_customer_account invalid_cvc invalid_expiry_month "
        "invalid_expiry_year invalid_number invalid_payment_information invalid_pin "
        "new_account_information_available offline_pin_required online_or_offline_pin_required "
        "pin_try_exceeded testmode_decline",
    ),
    # The issuer, the customer or the merchant's own block list has closed this card to it.
    *_rows(
        "decline_code", _DECLINE_CODES, "never",
        "compliance_violation do_not_try_again fraudulent invalid_account invalid_authorization "
        "lost_card merchant_blacklist partner_high_risk_customer payment_disputed pickup_card "
        "restricted_card revocation_of_all_authorizations revocation_of_authorization stolen_card "
        "stop_payment_order transaction_not_allowed",
    ),
    *_rows(
        "failure_code", _ERROR_CODES, "now",
        "payment_method_provider_timeout processing_error",
    ),
    *_rows(
        "failure_code", _ERROR_CODES, "later",
        "charge_exceeds_source_limit charge_exceeds_transaction_limit insufficient_funds "
        "payment_method_not_available payment_method_provider_decline",
    ),
    Row(
        "failure_code", "card_decline_rate_limit_exceeded", "later", _ERROR_CODES,
        timedelta(hours=24),
    ),
    *_rows(
        "failure_code", _ERROR_CODES, "authenticate",
        "authentication_required invoice_payment_intent_requires_action "
        "payment_intent_action_required payment_intent_authentication_failure",
    ),
    *_rows(
        "failure_code", _ERROR_CODES, "new_card",
        "account_closed bank_account_declined bank_account_unusable expired_card "
        "incorrect_address incorrect_cvc incorrect_number incorrect_zip invalid_cvc "
        "invalid_expiry_month invalid_expiry_year invalid_number no_account "
        "payment_method_customer_decline payment_method_invalid_parameter",
    ),
    *_rows("failure_code", _ERROR_CODES, "never", "debit_not_authorized"),
    # `try_again_later` forbids nothing and names no time: the other codes decide.
    *_rows("advice_code", _ADVICE_CODES, "now", "try_again_later"),
    *_rows("advice_code", _ADVICE_CODES, "new_card", "confirm_card_data"),
    *_rows("advice_code", _ADVICE_CODES, "never", "do_not_try_again"),
    *_rows("visa", _VISA_RULES, "never", "04 07 12 14 15 41 43 46 57 R0 R1 R3"),
    *_rows("visa", _VISA_RULES, "new_card", "54 55 6P 70 82 N7"),
    *_rows("visa", _VISA_RULES, "authenticate", "1A"),
    *_rows("visa", _VISA_RULES, "now", "19 91 96"),
    *_rows(
        "visa", _VISA_RULES, "later",
        "03 39 51 52 53 59 5C 61 62 65 75 78 83 86 93 9G N3 N4 Z5",
    ),
    *_rows("mastercard_advice", _MASTERCARD_ADVICE, "new_card", "01 04 40 41"),
    *_rows("mastercard_advice", _MASTERCARD_ADVICE, "later", "02 05 22 42 43"),
    *_rows("mastercard_advice", _MASTERCARD_ADVICE, "never", "03 21"),
    *(
        Row("mastercard_advice", code, "later", _MASTERCARD_ADVICE, timedelta(hours=hours))
        for code, hours in (
            ("24", 1), ("25", 24), ("26", 48), ("27", 96), ("28", 144), ("29", 192), ("30", 240),
        )
    ),
)  # fmt: skip
#: The provider's names of codes 04, 41, 43, R0, R1 and R3.
FORBIDDEN = (
    "lost_card",
    "pickup_card",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "stolen_card",
    "stop_payment_order",
)
_TABLE = {(row.field, row.code): row for row in ROWS}
#: Fields that say why; the others say only what may follow.
_REASONS = ("decline_code", "failure_code", "visa")


def classify(
    *,
    decline_code: str | None = None,
    failure_code: str | None = None,
    advice_code: str | None = None,
    network: str | None = None,
    network_decline_code: str | None = None,
    network_advice_code: str | None = None,
) -> Verdict:
    """What the codes mean: the strictest one counts, and the longest wait.

    A decline of which no code says why is tried later. `network` is the provider's name of it, such
    as `visa`; where it is another one, or none is known, both networks' codes count.
    """
    fields: dict[Field, str | None] = {
        "decline_code": decline_code,
        "failure_code": failure_code,
        "advice_code": advice_code,
        "visa": None if network == "mastercard" else network_decline_code,
        "mastercard_advice": None if network == "visa" else network_advice_code,
    }
    rows = [
        row for field, code in fields.items() if code and (row := _TABLE.get((field, code.strip())))
    ]
    classes = [row.decline for row in rows]
    if not any(row.field in _REASONS for row in rows):
        classes.append("later")
    waits = [row.wait for row in rows if row.wait]
    return Verdict(max(classes, key=STRICTNESS.index), max(waits, default=None))


def is_forbidden(
    network: str | None,
    *,
    decline_code: str | None = None,
    network_decline_code: str | None = None,
    network_advice_code: str | None = None,
) -> bool:
    """Whether a network forbids for good to try the card again.

    So do Visa's category 1, Mastercard's advice 03 and 21, and what the provider calls the same.
    """
    verdict = classify(
        network=network,
        network_decline_code=network_decline_code,
        network_advice_code=network_advice_code,
    )
    return decline_code in FORBIDDEN or verdict.decline == "never"
