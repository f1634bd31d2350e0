"""Stripe's errors in our words: what a person may be told, and what is known of the outcome."""

import stripe

from guichet.payments.errors import (
    CardRefused,
    InvalidTaxId,
    NeedsAuthentication,
    ProviderAway,
    ProviderBusy,
    ProviderConflict,
    ProviderError,
    ProviderKeyRejected,
    ProviderRefused,
    ProviderUnreachable,
)
from guichet.payments.stripe.copying import reference
from guichet.payments.stripe.transport import NotSent

#: Codes by which Stripe says that the customer has to confirm with their bank.
#: Source: https://docs.stripe.com/error-codes and https://docs.stripe.com/declines/codes.
_AUTHENTICATION = {
    "authentication_required",
    "authentication_not_handled",
    "invoice_payment_intent_requires_action",
    "subscription_payment_intent_requires_action",
}


def is_missing(error: stripe.StripeError) -> bool:
    """Whether the object that was asked for does not exist."""
    return error.http_status == 404 and error.code == "resource_missing"


def translate(error: stripe.StripeError) -> ProviderError:
    """Our error for one of the SDK's; the provider's text stays behind."""
    translated = _translate(error)
    translated.request_id = error.request_id
    return translated


def _translate(error: stripe.StripeError) -> ProviderError:
    # An answer of 409 says that the key is in use, whatever class the SDK gives it.
    if isinstance(error, stripe.IdempotencyError) or error.http_status == 409:
        return ProviderConflict()
    if isinstance(error, stripe.CardError):
        return _card_error(error)
    if isinstance(error, stripe.RateLimitError):
        return ProviderBusy()
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return ProviderKeyRejected(known=isinstance(error, stripe.PermissionError))
    if isinstance(error, stripe.InvalidRequestError):
        return _refusal(error)
    if isinstance(error, NotSent):
        return ProviderAway()
    # No answer, or one that says that Stripe itself failed: it may have done what was asked.
    return ProviderUnreachable()


def _refusal(error: stripe.InvalidRequestError) -> ProviderRefused:
    if error.code == "tax_id_invalid":
        return InvalidTaxId(error.code, error.param)
    return ProviderRefused(error.code, error.param)


def _card_error(error: stripe.CardError) -> ProviderError:
    details = error.error
    if details is None:
        return CardRefused(error.code)
    asks = error.code in _AUTHENTICATION or details.decline_code in _AUTHENTICATION
    return (NeedsAuthentication if asks else CardRefused)(
        details.decline_code or error.code,
        details.network_advice_code,
        details.network_decline_code,
        details.charge,
        reference(details.payment_intent),
    )
