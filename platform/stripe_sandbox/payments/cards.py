"""Cards: what a test card is like, how the API shows it, and the ways in which it is refused."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, TypeAlias

from stripe_sandbox.requests.errors import ApiError
from stripe_sandbox.state.documents import Document

# `always`: each payment, also when the customer is away. `unless_set_up`: not when the customer is
# away and the card was set up for that. `already_set_up`: as if it had been, from the beginning.
# `optional`: when it is asked for. `not_enrolled` cards know 3-D Secure and skip it, the others
# do not know it (https://docs.stripe.com/testing#regulatory-cards, #three-ds-cards).
Authentication: TypeAlias = Literal[
    "always", "unless_set_up", "already_set_up", "optional", "not_enrolled", "none"
]


@dataclass(frozen=True)
class Card:
    """A card number and its fate. A card that is `attachable` fails only when it is charged.

    Where `authenticates` is false, the bank's page cannot be reached and authentication fails.
    """

    number: str
    brand: str
    country: str = "US"
    funding: str = "credit"
    decline_code: str | None = None
    attachable: bool = True
    authentication: Authentication = "none"
    authenticates: bool = True
    co_brand: str | None = None
    risk: str = "normal"
    failing_checks: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """The same for the same number, as Stripe's is within one account."""
        return sha256(self.number.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Decline:
    """What a refused charge says. `code` is the API's, the advice is the network's."""

    decline_code: str | None
    code: str
    message: str
    advice_code: str | None
    network_decline_code: str | None
    network_advice_code: str | None


NEEDS_ACTION = Decline(
    None,
    "payment_intent_action_required",
    "This payment requires additional user action before it can be completed.",
    None,
    None,
    None,
)

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
# Further decline codes by the networks' response codes (ISO 8583, field 39). Those that Visa's
# category 1 and Mastercard's advice 03 forbid to repeat are not to be tried again.
_FORBIDDEN = {
    "invalid_account": "14",
    "no_action_taken": "21",
    "pickup_card": "04",
    "restricted_card": "62",
    "revocation_of_all_authorizations": "R3",
    "revocation_of_authorization": "R1",
    "stop_payment_order": "R0",
    "transaction_not_allowed": "57",
}
_TEMPORARY = {
    "approve_with_id": "85",
    "call_issuer": "01",
    "issuer_not_available": "91",
    "reenter_transaction": "19",
    "security_violation": "63",
    "service_not_allowed": "58",
    "try_again_later": "91",
    "withdrawal_count_limit_exceeded": "65",
}
_DECLINES += [
    *(
        Decline(code, "card_declined", _REFUSED, _NEVER, at, "03")
        for code, at in _FORBIDDEN.items()
    ),
    *(
        Decline(code, "card_declined", _REFUSED, _AGAIN, at, "02")
        for code, at in _TEMPORARY.items()
    ),
    Decline("new_account_information_available", "card_declined", _REFUSED, _CHECK, "05", "01"),
]
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


_DISPLAYED = {
    "amex": "american_express",
    "diners": "diners_club",
    "eftpos_au": "eftpos_australia",
    "unionpay": "union_pay",
}


def card_fields(card: Card, exp_month: int, exp_year: int) -> Document:
    """The `card` hash of a payment method."""
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
            **dict.fromkeys(card.failing_checks, "fail"),
        },
        "country": card.country,
        "display_brand": _DISPLAYED.get(card.co_brand or card.brand, card.co_brand or card.brand),
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {
            "available": [each for each in (card.co_brand, card.brand) if each],
            "preferred": None,
        },
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": card.authentication != "none"},
        "wallet": None,
    }
