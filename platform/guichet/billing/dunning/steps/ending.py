"""How a case ends at the provider, and how that is taken back: safe to repeat."""

from typing import Literal

import msgspec

from guichet.billing.dunning.cases.loading import Loaded
from guichet.payments.copies import Copy, PauseCopy, SubscriptionCopy
from guichet.payments.errors import ProviderRefused
from guichet.payments.orders import Cancellation, Pause
from guichet.payments.port import PaymentProvider
from tenants.retries import Ending

_ENDED = ("canceled", "incomplete_expired")
#: What becomes of later invoices: nothing is owed for a pause; what is unpaid is kept, and owed
#: once it is resumed.
_PAUSES: dict[str, Literal["void", "keep_as_draft"]] = {"pause": "void", "unpaid": "keep_as_draft"}


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, and what the provider would not do."""

    copies: tuple[Copy, ...]
    #: Whether the subscription's collection was stopped by this end, now or before a crash.
    paused_collection: bool = False
    #: The provider's code.
    refusal: str | None = None


async def carry_out(provider: PaymentProvider, loaded: Loaded, ending: Ending) -> Ended:
    """Do what the policy says, the subscription first; what is so already is left as it is.

    After a refusal nothing more is asked for. Raises any other `ProviderError`, after which it is
    done again.
    """
    copies: list[Copy] = []
    has_paused, refusal = False, None
    try:
        if loaded.case.subscription_id and ending.subscription != "leave":
            present = await provider.fetch_subscription(loaded.case.subscription_id)
            if present is not None:
                has_paused = await _is_paused_by(provider, present, loaded, ending, copies)
        copies += await _end_invoice(provider, loaded.case.invoice_id, ending)
    except ProviderRefused as error:
        refusal = error.provider_code or error.code
    return Ended(copies=tuple(copies), paused_collection=has_paused, refusal=refusal)


async def _is_paused_by(
    provider: PaymentProvider,
    present: SubscriptionCopy,
    loaded: Loaded,
    ending: Ending,
    copies: list[Copy],
) -> bool:
    """End the subscription; answers whether it is a pause, and the case's own.

    Somebody else's pause is left as it is. One that is as ours would be was made by us where an
    earlier try at this end was cut off.
    """
    key = f"guichet-dunning:{loaded.case.invoice_id}"
    if present.status in _ENDED:
        copies.append(present)
        return False
    if ending.subscription == "cancel":
        order = Cancellation(subscription_id=present.id, when="now")
        copies.append(await provider.cancel(order, f"{key}:cancel"))
        return False
    behavior = _PAUSES[ending.subscription]
    if present.pause is not None:
        copies.append(present)
        return (
            loaded.case.is_ending and _is_ours(present.pause) and present.pause.behavior == behavior
        )
    pause = Pause(subscription_id=present.id, behavior=behavior, resumes_at=None)
    copies.append(await provider.pause(pause, f"{key}:pause"))
    return True


async def _end_invoice(
    provider: PaymentProvider, invoice_id: str, ending: Ending
) -> tuple[Copy, ...]:
    key = f"guichet-dunning:{invoice_id}"
    match ending.invoice:
        case "uncollectible":
            return (await provider.mark_uncollectible(invoice_id, f"{key}:uncollectible"),)
        case "void":
            return (await provider.void_invoice(invoice_id, f"{key}:void"),)
        case "leave":
            return ()


async def take_back(provider: PaymentProvider, loaded: Loaded) -> tuple[Copy, ...]:
    """Have a subscription go on whose collection the end has stopped.

    One that has ended, or that somebody has resumed or paused anew, is left as it is. Raises a
    `ProviderError`.
    """
    if loaded.case.subscription_id is None:
        return ()
    present = await provider.fetch_subscription(loaded.case.subscription_id)
    if present is None:
        return ()
    if present.status in _ENDED or present.pause is None or not _is_ours(present.pause):
        return (present,)
    return (await provider.resume(present.id, f"guichet-dunning:{loaded.case.invoice_id}:resume"),)


def _is_ours(pause: PauseCopy) -> bool:
    """Whether it is as an end makes it: without a date on which it is over."""
    return pause.behavior in _PAUSES.values() and pause.resumes_at is None
