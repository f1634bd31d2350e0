"""What a payment provider may answer instead of what was asked; never its own words."""

from guichet.errors import Conflict, GuichetError, InvalidInput, Unavailable


class ProviderError(GuichetError):
    """The payment provider did not do what it was asked. Please try again in a moment."""

    code = "provider_error"
    #: False where the call may have changed something although it failed.
    outcome_known = True
    #: The provider's id of the request, for its support; None where it never answered.
    request_id: str | None = None


class PaymentFailed(ProviderError):
    """The payment was declined, so nothing was changed. Please use another card.

    What a refused card and a bank that wants its customer have in common.
    """

    status = 402
    code = "payment_failed"

    def __init__(
        self,
        decline_code: str | None = None,
        advice: str | None = None,
        network_decline_code: str | None = None,
        charge_id: str | None = None,
        payment_intent_id: str | None = None,
    ) -> None:
        super().__init__(
            decline_code=decline_code, advice=advice, network_decline_code=network_decline_code
        )
        #: The issuer's reason as the provider names it, such as `insufficient_funds`.
        self.decline_code = decline_code
        #: The card network's advice code, two digits, such as `03`: do not try again.
        self.advice = advice
        #: The issuer's reason as the network numbers it, such as `51`.
        self.network_decline_code = network_decline_code
        #: The attempt that failed, to fetch; None where nobody was charged.
        self.charge_id = charge_id
        self.payment_intent_id = payment_intent_id


class CardRefused(PaymentFailed):
    """The payment was declined, so nothing was changed. Please use another card."""

    code = "card_refused"


class NeedsAuthentication(PaymentFailed):
    """Your bank wants you to confirm this payment, so nothing was changed yet.

    It was not charged and waits for the customer where `charge_id` is None; otherwise it failed
    because the customer was away.
    """

    code = "needs_authentication"


class ProviderRefused(ProviderError, InvalidInput):
    """The payment provider does not accept this change. Nothing was changed."""

    code = "provider_refused"

    def __init__(self, provider_code: str | None = None, parameter: str | None = None) -> None:
        super().__init__(provider_code=provider_code, parameter=parameter)
        #: The provider's own error code and the parameter at fault: for logs, not for pages.
        self.provider_code = provider_code
        self.parameter = parameter


class InvalidTaxId(ProviderRefused):
    """This is not a tax number of that kind. Please check it and enter it again."""

    code = "invalid_tax_id"


class ScheduledByMerchant(ProviderError, Conflict):
    """The merchant has planned how this subscription goes on. Please ask them about changes."""

    code = "scheduled_by_merchant"


class ProviderConflict(ProviderError, Conflict):
    """The same change is already being made. Please look again in a moment.

    The idempotency key is in use by another call, or was used for another request.
    """

    code = "provider_conflict"
    outcome_known = False


class ProviderBusy(ProviderError, Unavailable):
    """The payment provider is too busy right now. Nothing was changed; please try again."""

    code = "provider_busy"


class ProviderUnreachable(ProviderError, Unavailable):
    """The payment provider does not answer right now. Please try again in a moment.

    After a call that changes something nobody knows whether it was done.
    """

    code = "provider_unreachable"
    outcome_known = False


class ProviderAway(ProviderUnreachable):
    """The payment provider does not answer right now. Nothing was changed; please try again soon.

    Nothing was sent: it could not be reached, or has not answered so often that it is left alone.
    """

    code = "provider_away"
    outcome_known = True


class ChangeHalfMade(ProviderError, Unavailable):
    """A part of this change is made, and the rest follows in a moment."""

    code = "change_half_made"
    outcome_known = False


class ProviderKeyRejected(ProviderError, Unavailable):
    """The connection to the payment provider is not set up correctly.

    The merchant's secret key is missing, revoked, or may not do this.
    """

    code = "provider_key_rejected"

    def __init__(self, *, known: bool = False) -> None:
        super().__init__(known=known)
        #: Whether the provider knows the key, and its permissions do not reach so far.
        self.known = known
