"""Subscriptions at the provider: begun, previewed, changed, paused and ended."""

from typing import Protocol

from guichet.payments.answers import Preview, Started
from guichet.payments.copies import SubscriptionCopy
from guichet.payments.orders import Cancellation, NewSubscription, Pause, SubscriptionChange


class Subscriptions(Protocol):
    """What is changed about subscriptions."""

    async def start_subscription(self, order: NewSubscription, idempotency_key: str) -> Started:
        """Begin a subscription; one whose first payment is not made stays `incomplete`."""
        ...

    async def preview_start(self, order: NewSubscription) -> Preview: ...

    async def preview_change(self, change: SubscriptionChange) -> Preview: ...

    async def change_subscription(
        self, change: SubscriptionChange, idempotency_key: str
    ) -> SubscriptionCopy:
        """Change now; when its invoice cannot be paid nothing changes and `CardRefused` is raised.

        Where the change may wait for its payment, it stands in the answer's `pending_update`. A
        change that we scheduled before is dropped. Raises `ScheduledByMerchant` where somebody
        else's schedule leads the subscription, and `ChangeHalfMade` when the change is made and
        charged, but what was scheduled still stands.
        """
        ...

    async def schedule_change(
        self, change: SubscriptionChange, idempotency_key: str
    ) -> SubscriptionCopy:
        """Change at the end of the period, in place of a change that we scheduled before.

        Raises `ScheduledByMerchant` where somebody else's schedule leads the subscription.
        """
        ...

    async def abandon_scheduled_change(self, subscription_id: str, idempotency_key: str) -> None:
        """Take back what a `schedule_change` with this key has begun and never planned, if it has.

        While the provider remembers the key. What is planned, by whomever, stays as it is.
        """
        ...

    async def undo_scheduled_change(
        self, subscription_id: str, idempotency_key: str
    ) -> SubscriptionCopy:
        """Raises `ScheduledByMerchant` where the schedule is not ours."""
        ...

    async def cancel(self, order: Cancellation, idempotency_key: str) -> SubscriptionCopy:
        """Cancel now, or at the end of the period; a change that we scheduled is dropped."""
        ...

    async def keep(self, subscription_id: str, idempotency_key: str) -> SubscriptionCopy:
        """Undo a cancellation that has not happened yet."""
        ...

    async def use_payment_method(
        self, subscription_id: str, payment_method_id: str | None, idempotency_key: str
    ) -> SubscriptionCopy:
        """Charge a subscription to one of its customer's methods; with None to their default.

        Raises `ProviderRefused` for a method that is not attached to the customer.
        """
        ...

    async def pause(self, order: Pause, idempotency_key: str) -> SubscriptionCopy: ...

    async def resume(self, subscription_id: str, idempotency_key: str) -> SubscriptionCopy:
        """End a pause, ours or the one after a trial without a payment method.

        What ends a pause of the second kind is paid at once; where it is not, it stays `paused`.
        """
        ...
