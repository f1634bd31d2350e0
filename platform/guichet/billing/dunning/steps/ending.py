"""How a case ends at the provider: its subscription first, then its invoice; safe to repeat."""

from guichet.billing.dunning.cases.loading import Loaded
from guichet.payments.copies import Copy, SubscriptionCopy
from guichet.payments.orders import Cancellation, Pause
from guichet.payments.port import PaymentProvider
from tenants.retries import Ending

_ENDED = ("canceled", "incomplete_expired")


async def carry_out(provider: PaymentProvider, loaded: Loaded, ending: Ending) -> list[Copy]:
    """Do what the policy says; what is so already is left as it is.

    Answers the copies of what was changed. Raises a `ProviderError`, after which it is done again.
    """
    copies: list[Copy] = []
    if loaded.case.subscription_id and ending.subscription != "leave":
        copies += await _end_subscription(provider, loaded.case.subscription_id, loaded, ending)
    key = f"guichet-dunning:{loaded.case.invoice_id}"
    if ending.invoice == "uncollectible":
        copies.append(
            await provider.mark_uncollectible(loaded.case.invoice_id, f"{key}:uncollectible")
        )
    elif ending.invoice == "void":
        copies.append(await provider.void_invoice(loaded.case.invoice_id, f"{key}:void"))
    return copies


async def _end_subscription(
    provider: PaymentProvider, subscription_id: str, loaded: Loaded, ending: Ending
) -> list[Copy]:
    """Cancelled, paused, or unpaid: invoices of later periods are made and not collected."""
    present = await provider.fetch_subscription(subscription_id)
    if present is None:
        return []
    if present.status in _ENDED or (ending.subscription != "cancel" and present.pause):
        return [present]
    return [await _ended(provider, present, loaded, ending)]


async def _ended(
    provider: PaymentProvider, present: SubscriptionCopy, loaded: Loaded, ending: Ending
) -> SubscriptionCopy:
    key = f"guichet-dunning:{loaded.case.invoice_id}"
    if ending.subscription == "cancel":
        return await provider.cancel(
            Cancellation(subscription_id=present.id, when="now"), f"{key}:cancel"
        )
    # Nothing is owed for the time of a pause; what is unpaid is kept, and owed once it is resumed.
    behavior = "void" if ending.subscription == "pause" else "keep_as_draft"
    order = Pause(
        subscription_id=present.id,
        behavior=behavior,  # type: ignore[arg-type]
        resumes_at=None,
    )
    return await provider.pause(order, f"{key}:pause")
