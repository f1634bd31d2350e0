"""Why a change that a customer asked for was not made."""

from guichet.errors import GuichetError
from guichet.payments.errors import (
    CardRefused,
    NeedsAuthentication,
    ProviderAway,
    ProviderBusy,
    ProviderError,
    ProviderKeyRejected,
    ProviderRefused,
    ProviderUnreachable,
    ScheduledByMerchant,
)


class ChangeExpired(ProviderUnreachable):
    """The payment provider could not be reached for too long, so nothing was changed."""

    code = "change_expired"
    outcome_known = True


class ChangeUnseen(ChangeExpired):
    """Nobody can tell whether this change was made. Please look before you ask for it again."""

    code = "change_unseen"


#: What the `failure` of a refused `ChangeRequest` stands for.
FAILURES: dict[str, type[GuichetError]] = {
    error.code: error
    for error in (
        CardRefused,
        NeedsAuthentication,
        ProviderRefused,
        ProviderAway,
        ProviderBusy,
        ProviderKeyRejected,
        ScheduledByMerchant,
        ProviderError,
        ChangeExpired,
        ChangeUnseen,
    )
}
