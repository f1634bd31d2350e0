"""Subscriptions at Stripe: paused, resumed and ended, and what every change of them needs."""

from collections.abc import Awaitable

import stripe
from stripe.params import (
    SubscriptionCancelParams,
    SubscriptionUpdateParams,
    SubscriptionUpdateParamsCancellationDetails,
    SubscriptionUpdateParamsPauseCollection,
)

from guichet.payments.copies import SubscriptionCopy
from guichet.payments.errors import (
    ChangeHalfMade,
    ProviderError,
    ProviderRefused,
    ScheduledByMerchant,
)
from guichet.payments.orders import Cancellation, Pause
from guichet.payments.stripe import copying
from guichet.payments.stripe.calls import after_a_change, ask, bounded
from guichet.payments.stripe.reading import Reader
from guichet.payments.stripe.whole import fill_items, whole_subscription


class Subscriptions(Reader):
    """What is done to a subscription as a whole.

    The keys of a method's calls are made of the one given to it. What a call sends follows from
    the order alone, so that a repetition is the same call, whatever has happened since.
    """

    @bounded
    async def cancel(self, order: Cancellation, idempotency_key: str) -> SubscriptionCopy:
        before = await self._need_subscription(order.subscription_id)
        # Stripe refuses to cancel a subscription later while a schedule leads it.
        await self._release(before, f"{idempotency_key}:1")
        try:
            return await self._end(order, f"{idempotency_key}:2")
        except ProviderError as error:
            if before.schedule_id is not None and error.outcome_known:
                # Whatever is refused here, the planned change is dropped.
                raise ChangeHalfMade from None
            raise

    async def _end(self, order: Cancellation, idempotency_key: str) -> SubscriptionCopy:
        why = _reasons(order)
        if order.when == "period_end":
            parameters: SubscriptionUpdateParams = {"cancel_at_period_end": True}
            if why:
                parameters["cancellation_details"] = why
            return await self._update(order.subscription_id, parameters, idempotency_key)
        return await self._end_now(order, why)

    async def _end_now(
        self, order: Cancellation, why: SubscriptionUpdateParamsCancellationDetails
    ) -> SubscriptionCopy:
        """Stripe forgets the keys of deletions: to a repeated one it says that nothing is there."""
        # A credit stays pending for ever unless a last invoice takes it up.
        ending: SubscriptionCancelParams = {
            "prorate": order.credit,
            "invoice_now": order.credit,
            "expand": copying.SUBSCRIPTION,
        }
        if why:
            ending["cancellation_details"] = why
        call = self._api.subscriptions.cancel_async(order.subscription_id, ending)
        try:
            return await self._changed_subscription(call)
        except ProviderRefused:
            with after_a_change():
                present = await self._need_subscription(order.subscription_id)
            if present.ended_at is None:
                raise
            return present

    @bounded
    async def keep(self, subscription_id: str, idempotency_key: str) -> SubscriptionCopy:
        present = await self._need_subscription(subscription_id)
        if present.cancel_at is None and not present.cancel_at_period_end:
            return present
        check_schedule(present)
        if present.cancel_at_period_end:
            return await self._update(
                subscription_id, {"cancel_at_period_end": False}, f"{idempotency_key}:1"
            )
        return await self._update(subscription_id, {"cancel_at": ""}, f"{idempotency_key}:2")

    @bounded
    async def use_payment_method(
        self, subscription_id: str, payment_method_id: str | None, idempotency_key: str
    ) -> SubscriptionCopy:
        # Stripe clears what is sent empty.
        wanted: SubscriptionUpdateParams = {"default_payment_method": payment_method_id or ""}
        return await self._update(subscription_id, wanted, idempotency_key)

    @bounded
    async def pause(self, order: Pause, idempotency_key: str) -> SubscriptionCopy:
        pause: SubscriptionUpdateParamsPauseCollection = {"behavior": order.behavior}
        if order.resumes_at is not None:
            pause["resumes_at"] = copying.seconds(order.resumes_at)
        return await self._update(
            order.subscription_id, {"pause_collection": pause}, idempotency_key
        )

    @bounded
    async def resume(self, subscription_id: str, idempotency_key: str) -> SubscriptionCopy:
        before = present = await self._need_subscription(subscription_id)
        if before.pause is not None:
            present = await self._update(
                subscription_id, {"pause_collection": ""}, f"{idempotency_key}:1"
            )
        if present.status != "paused":
            return present
        try:
            return await self._wake(subscription_id, f"{idempotency_key}:2")
        except ProviderError as error:
            if before.pause is not None and error.outcome_known:
                # Whatever is refused here, the pause is ended.
                raise ChangeHalfMade from None
            raise

    async def _wake(self, subscription_id: str, idempotency_key: str) -> SubscriptionCopy:
        """Go on with a subscription that paused by itself, after a trial without a card."""
        call = self._api.subscriptions.resume_async(
            subscription_id,
            {"payment_behavior": "resume_on_payment_success", "expand": copying.SUBSCRIPTION},
            {"idempotency_key": idempotency_key},
        )
        return await self._changed_subscription(call)

    @bounded
    async def undo_scheduled_change(
        self, subscription_id: str, idempotency_key: str
    ) -> SubscriptionCopy:
        subscription = await self._need_subscription(subscription_id)
        return await self._release(subscription, idempotency_key)

    async def _release(
        self, subscription: SubscriptionCopy, idempotency_key: str
    ) -> SubscriptionCopy:
        """Free the subscription of our schedule, if it has one, keeping it as it is now."""
        if subscription.schedule_id is None:
            return subscription
        check_schedule(subscription)
        released = self._api.subscription_schedules.release_async(
            subscription.schedule_id, {}, {"idempotency_key": idempotency_key}
        )
        try:
            await ask(released)
        except ProviderRefused:
            # Somebody else may have released it; then there is nothing to refuse.
            present = await self._need_subscription(subscription.id)
            if present.schedule_id is not None:
                raise
            return present
        with after_a_change():
            return await self._need_subscription(subscription.id)

    async def _update(
        self,
        subscription_id: str,
        parameters: SubscriptionUpdateParams,
        idempotency_key: str,
    ) -> SubscriptionCopy:
        call = self._api.subscriptions.update_async(
            subscription_id,
            {**parameters, "expand": copying.SUBSCRIPTION},
            {"idempotency_key": idempotency_key},
        )
        return await self._changed_subscription(call)

    async def _changed_subscription(self, call: Awaitable[stripe.Subscription]) -> SubscriptionCopy:
        subscription = await ask(call)
        with after_a_change():
            return await whole_subscription(self._api, subscription)

    async def _need_subscription(self, subscription_id: str) -> SubscriptionCopy:
        return copying.copy_subscription(await self._retrieve(subscription_id))

    async def _retrieve(self, subscription_id: str) -> stripe.Subscription:
        call = self._api.subscriptions.retrieve_async(
            subscription_id, {"expand": copying.SUBSCRIPTION}
        )
        subscription = await ask(call)
        await fill_items(self._api, subscription)
        return subscription


def check_schedule(subscription: SubscriptionCopy) -> None:
    """Raise `ScheduledByMerchant` where a schedule that is not ours leads the subscription."""
    if subscription.schedule_id is not None and not subscription.schedule_is_ours:
        raise ScheduledByMerchant


def _reasons(order: Cancellation) -> SubscriptionUpdateParamsCancellationDetails:
    why: SubscriptionUpdateParamsCancellationDetails = {}
    if order.feedback is not None:
        why["feedback"] = order.feedback
    said = [text for text in (order.own_reason, order.comment) if text]
    if said:
        why["comment"] = " – ".join(said)
    return why
