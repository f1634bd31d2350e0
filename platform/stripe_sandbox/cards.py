"""Stripe's published test cards and how each behaves (https://docs.stripe.com/testing)."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from stripe_sandbox.documents import Document
from stripe_sandbox.errors import ApiError


@dataclass(frozen=True)
class Card:
    """A card number and its fate. A card that is `attachable` fails only when it is charged."""

    number: str
    brand: str
    country: str = "US"
    funding: str = "credit"
    decline_code: str | None = None
    attachable: bool = True
    authentication: str | None = None

    @property
    def fingerprint(self) -> str:
        """The same for the same number, as Stripe's is within one account."""
        return sha256(self.number.encode()).hexdigest()[:16]


def _declined(number: str, decline_code: str, brand: str = "visa") -> Card:
    return Card(number, brand, decline_code=decline_code, attachable=False)


CARDS: dict[str, Card] = {
    "pm_card_visa": Card("4242424242424242", "visa"),
    "pm_card_visa_debit": Card("4000056655665556", "visa", funding="debit"),
    "pm_card_mastercard": Card("5555555555554444", "mastercard"),
    "pm_card_mastercard_debit": Card("5200828282828210", "mastercard", funding="debit"),
    "pm_card_mastercard_prepaid": Card("5105105105105100", "mastercard", funding="prepaid"),
    "pm_card_amex": Card("378282246310005", "amex"),
    "pm_card_discover": Card("6011111111111117", "discover"),
    "pm_card_diners": Card("3056930009020004", "diners"),
    "pm_card_jcb": Card("3566002020360505", "jcb", "JP"),
    "pm_card_unionpay": Card("6200000000000005", "unionpay", "CN"),
    "pm_card_fr": Card("4000002500000003", "visa", "FR"),
    "pm_card_gb": Card("4000008260000000", "visa", "GB"),
    "pm_card_de": Card("4000002760000016", "visa", "DE"),
    # Attaches like any other card; every charge of it is declined.
    "pm_card_chargeCustomerFail": Card("4000000000000341", "visa", decline_code="generic_decline"),
    "pm_card_visa_chargeDeclined": _declined("4000000000000002", "generic_decline"),
    "pm_card_chargeDeclined": _declined("4000000000000002", "generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": _declined(
        "4000000000009995", "insufficient_funds"
    ),
    "pm_card_chargeDeclinedInsufficientFunds": _declined("4000000000009995", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": _declined("4000000000009987", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": _declined("4000000000009979", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": _declined("4000000000000069", "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": _declined("4000000000000127", "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": _declined("4000000000000119", "processing_error"),
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": _declined(
        "4000000000006975", "card_velocity_exceeded"
    ),
    "pm_card_chargeDeclinedFraudulent": _declined("4100000000000019", "fraudulent"),
    # Authentication at every payment, also when the customer is away.
    "pm_card_authenticationRequired": Card(
        "4000002760003184", "visa", "DE", authentication="always"
    ),
    # Authentication once; what is set up for later use is charged without it.
    "pm_card_authenticationRequiredOnSetup": Card(
        "4000002500003155", "visa", "FR", authentication="setup"
    ),
    "pm_card_authenticationRequiredSetupForOffSession": Card(
        "4000003800000446", "visa", "HU", authentication="setup"
    ),
}

CARDS_BY_NUMBER = {card.number: card for card in CARDS.values()}


@dataclass(frozen=True)
class Decline:
    """What a refused charge says. `code` is the API's, the advice is the network's."""

    decline_code: str
    code: str
    message: str
    advice_code: str | None
    network_decline_code: str
    network_advice_code: str | None


# Codes: https://docs.stripe.com/declines/codes and https://docs.stripe.com/error-codes.
# Network advice 01 new card details exist, 02 try again later, 03 do not try again.
_AGAIN, _NEVER, _CHECK = "try_again_later", "do_not_try_again", "confirm_card_data"
_REFUSED = "Your card was declined."
_DECLINES = [
    Decline("generic_decline", "card_declined", _REFUSED, _AGAIN, "05", "02"),
    Decline("do_not_honor", "card_declined", _REFUSED, _AGAIN, "05", "02"),
    Decline(
        "insufficient_funds", "card_declined", "Your card has insufficient funds.", _AGAIN,
        "51", "02",
    ),
    Decline("lost_card", "card_declined", _REFUSED, _NEVER, "41", "03"),
    Decline("stolen_card", "card_declined", _REFUSED, _NEVER, "43", "03"),
    Decline("fraudulent", "card_declined", _REFUSED, _NEVER, "59", "03"),
    Decline("expired_card", "expired_card", "Your card has expired.", _CHECK, "54", "01"),
    Decline(
        "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", _CHECK,
        "82", "01",
    ),
    Decline(
        "processing_error", "processing_error",
        "An error occurred while processing your card. Try again in a little bit.", _AGAIN,
        "96", "02",
    ),
    Decline(
        "card_velocity_exceeded", "card_declined",
        "Your card was declined for making repeated attempts too frequently or exceeding its "
        "amount limit.", _AGAIN, "61", "02",
    ),
    Decline(
        "authentication_required", "authentication_required",
        "Your card was declined. This transaction requires authentication.", None, "1A", None,
    ),
]  # fmt: skip
_BY_CODE = {decline.decline_code: decline for decline in _DECLINES}


def decline_for(decline_code: str) -> Decline:
    """The whole refusal for a decline code; one that the table lacks is an ordinary decline."""
    known = _BY_CODE.get(decline_code)
    return known or Decline(
        decline_code, "card_declined", "Your card was declined.", "try_again_later", "05", "02"
    )


def card_error(decline: Decline, *, keeps_effects: bool = True, **details: Any) -> ApiError:
    """The 402 of a refused card."""
    return ApiError(
        402,
        "card_error",
        decline.message,
        keeps_effects=keeps_effects,
        code=decline.code,
        decline_code=decline.decline_code,
        advice_code=decline.advice_code,
        network_decline_code=decline.network_decline_code,
        network_advice_code=decline.network_advice_code,
        **details,
    )


def card_fields(card: Card, exp_month: int, exp_year: int) -> Document:
    """The `card` hash of a payment method."""
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
