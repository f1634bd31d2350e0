"""Stripe's published test cards and their tokens (https://docs.stripe.com/testing)."""

from stripe_sandbox.payments.cards import Card


def _visa(number: str, country: str = "US") -> Card:
    return Card(number, "visa", country, authentication="not_enrolled")


def _mastercard(number: str, funding: str = "credit") -> Card:
    return Card(number, "mastercard", funding=funding, authentication="not_enrolled")


def _declined(number: str, decline_code: str) -> Card:
    return Card(
        number, "visa", decline_code=decline_code, attachable=False, authentication="not_enrolled"
    )


_BLOCKED = Card(
    "4100000000000019", "visa", decline_code="fraudulent", attachable=False, risk="highest"
)

# https://docs.stripe.com/testing#cards
_BRANDS = {
    "pm_card_visa": _visa("4242424242424242"),
    "pm_card_visa_debit": Card(
        "4000056655665556", "visa", funding="debit", authentication="not_enrolled"
    ),
    "pm_card_mastercard": _mastercard("5555555555554444"),
    "pm_card_mastercard_debit": _mastercard("5200828282828210", "debit"),
    "pm_card_mastercard_prepaid": _mastercard("5105105105105100", "prepaid"),
    "pm_card_amex": Card("378282246310005", "amex"),
    "pm_card_discover": Card("6011111111111117", "discover"),
    "pm_card_pendingRefund": _visa("4000000000007726"),
    "pm_card_refundFail": _visa("4000000000005126"),
    "pm_card_diners": Card("3056930009020004", "diners"),
    "pm_card_jcb": Card("3566002020360505", "jcb", "JP"),
    "pm_card_unionpay": Card("6200000000000005", "unionpay", "CN"),
    "pm_card_visa_cartesBancaires": Card(
        "4000002500001001", "visa", "FR", authentication="not_enrolled", co_brand="cartes_bancaires"
    ),
    "pm_card_mastercard_cartesBancaires": Card(
        "5555552500001001", "mastercard", "FR", authentication="not_enrolled",
        co_brand="cartes_bancaires",
    ),
    "pm_card_visa_debit_eftposAuCoBranded": Card(
        "4000050360000001", "visa", "AU", "debit", authentication="not_enrolled",
        co_brand="eftpos_au",
    ),
    "pm_card_mastercard_debit_eftposAuCoBranded": Card(
        "5555050360000080", "mastercard", "AU", "debit", authentication="not_enrolled",
        co_brand="eftpos_au",
    ),
}  # fmt: skip

# Numbers without a token of their own (https://docs.stripe.com/testing#cards).
_MORE_NUMBERS = (
    _mastercard("2223003122003222"),
    Card("371449635398431", "amex"),
    Card("6011000990139424", "discover"),
    Card("6011981111111113", "discover", funding="debit"),
    Card("36227206271667", "diners"),
    Card("6555900000604105", "discover"),
    Card("6200000000000047", "unionpay", "CN", "debit"),
    Card("6205500000000000004", "unionpay", "CN"),
)

# https://docs.stripe.com/testing#international-cards
_COUNTRIES = {
    f"pm_card_{country.lower()}": _visa(number, country)
    for country, number in {
        "AT": "4000000400000008",
        "AU": "4000000360000006",
        "BE": "4000000560000004",
        "BR": "4000000760000002",
        "CA": "4000001240000000",
        "CH": "4000007560000009",
        "DE": "4000002760000016",
        "DK": "4000002080000001",
        "ES": "4000007240000007",
        "FI": "4000002460000001",
        "FR": "4000002500000003",
        "GB": "4000008260000000",
        "IE": "4000003720000005",
        "IT": "4000003800000008",
        "JP": "4000003920000003",
        "LU": "4000004420000006",
        "MX": "4000004840008001",
        "NL": "4000005280000002",
        "NO": "4000005780000007",
        "PL": "4000006160000005",
        "PT": "4000006200000007",
        "SE": "4000007520000008",
        "SG": "4000007020000003",
    }.items()
}

# https://docs.stripe.com/testing#declined-payments
_DECLINES = {
    # Attaches like any other card; every charge of it is declined.
    "pm_card_chargeCustomerFail": Card(
        "4000000000000341", "visa", decline_code="generic_decline", authentication="not_enrolled"
    ),
    "pm_card_visa_chargeDeclined": _declined("4000000000000002", "generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": _declined(
        "4000000000009995", "insufficient_funds"
    ),
    "pm_card_visa_chargeDeclinedLostCard": _declined("4000000000009987", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": _declined("4000000000009979", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": _declined("4000000000000069", "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": _declined("4000000000000127", "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": _declined("4000000000000119", "processing_error"),
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": _declined(
        "4000000000006975", "card_velocity_exceeded"
    ),
}

# https://docs.stripe.com/testing#fraud-prevention
_FRAUD = {
    "pm_card_radarBlock": _BLOCKED,
    "pm_card_riskLevelHighest": Card(
        "4000000000004954", "visa", decline_code="fraudulent", attachable=False, risk="highest"
    ),
    "pm_card_riskLevelElevated": Card("4000000000009235", "visa", risk="elevated"),
    "pm_card_cvcCheckFail": Card("4000000000000101", "visa", failing_checks=("cvc_check",)),
    "pm_card_avsZipFail": Card(
        "4000000000000036", "visa", failing_checks=("address_postal_code_check",)
    ),
    "pm_card_avsLine1Fail": Card(
        "4000000000000028", "visa", failing_checks=("address_line1_check",)
    ),
    "pm_card_avsFail": Card(
        "4000000000000010", "visa",
        failing_checks=("address_line1_check", "address_postal_code_check"),
    ),
}  # fmt: skip

# https://docs.stripe.com/testing#regulatory-cards and #three-ds-cards
_AUTHENTICATED = {
    "pm_card_authenticationRequiredOnSetup": Card(
        "4000002500003155", "visa", "FR", authentication="unless_set_up"
    ),
    "pm_card_authenticationRequired": Card(
        "4000002760003184", "visa", "DE", authentication="always"
    ),
    "pm_card_authenticationRequiredSetupForOffSession": Card(
        "4000003800000446", "visa", "IT", authentication="already_set_up"
    ),
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": Card(
        "4000008260003178", "visa", "GB", decline_code="insufficient_funds",
        authentication="unless_set_up",
    ),
    "pm_card_threeDSecure2Required": Card("4000000000003220", "visa", authentication="always"),
    "pm_card_threeDSecureRequiredChargeDeclined": Card(
        "4000008400001629", "visa", decline_code="generic_decline", attachable=False,
        authentication="always",
    ),
    "pm_card_threeDSecureRequiredProcessingError": Card(
        "4000008400001280", "visa", decline_code="generic_decline", attachable=False,
        authentication="always", authenticates=False,
    ),
    "pm_card_threeDSecureOptional": Card("4000000000003055", "visa", authentication="optional"),
    "pm_card_threeDSecureOptionalProcessingError": Card(
        "4000000000003097", "visa", authentication="optional", authenticates=False
    ),
    "pm_card_amex_threeDSecureNotSupported": Card("378282246310005", "amex"),
}  # fmt: skip

# Other names for the same cards.
_ALIASES = {
    "pm_card_us": "pm_card_visa",
    "pm_card_chargeDeclined": "pm_card_visa_chargeDeclined",
    "pm_card_chargeDeclinedInsufficientFunds": "pm_card_visa_chargeDeclinedInsufficientFunds",
    "pm_card_chargeDeclinedFraudulent": "pm_card_radarBlock",
    "pm_card_threeDSecureRequired": "pm_card_threeDSecure2Required",
}

_NAMED: dict[str, Card] = {
    **_BRANDS, **_COUNTRIES, **_DECLINES, **_FRAUD, **_AUTHENTICATED
}  # fmt: skip
CARDS: dict[str, Card] = {**_NAMED, **{alias: _NAMED[name] for alias, name in _ALIASES.items()}}
CARDS_BY_NUMBER = {card.number: card for card in (*_NAMED.values(), *_MORE_NUMBERS)}
