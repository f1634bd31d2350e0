"""Changes of a subscription's items: made now, or planned for the end of the period."""

from typing import Any

import stripe

from guichet.payments.copies import SubscriptionCopy
from guichet.payments.errors import (
    ChangeHalfMade,
    ProviderError,
    ProviderRefused,
    ScheduledByMerchant,
)
from guichet.payments.orders import SubscriptionChange
from guichet.payments.stripe import copying, parameters, schedules
from guichet.payments.stripe.calls import after_a_change, ask, bounded, find
from guichet.payments.stripe.subscriptions import Subscriptions, check_schedule


class Changing(Subscriptions):
    """What is changed within a subscription."""

    @bounded
    async def change_subscription(
        self, change: SubscriptionChange, idempotency_key: str
    ) -> SubscriptionCopy:
        before = await self._need_subscription(change.subscription_id)
        check_schedule(before)
        wanted = parameters.change(change, before.discounts)
        changed = await self._update(before.id, wanted, f"{idempotency_key}:1")
        # The schedule would take the customer back to what was planned before.
        try:
            return await self._release(changed, f"{idempotency_key}:2")
        except ProviderError:
            # Whatever is refused here, the change itself is made and charged.
            raise ChangeHalfMade from None

    @bounded
    async def schedule_change(
        self, change: SubscriptionChange, idempotency_key: str
    ) -> SubscriptionCopy:
        subscription = await self._need_subscription(change.subscription_id)
        following = schedules.following_items(subscription, change.items)
        # Nothing is begun for a price that does not exist.
        price = await self.fetch_price(following[0].price_id)
        if price is None:
            raise ProviderRefused("resource_missing", "price")
        schedule = await self._schedule(subscription, f"{idempotency_key}:1")
        planned = {
            "phases": schedules.two_phases(schedule, subscription, change, price),
            "end_behavior": "release",
            "metadata": {copying.OURS: "change"},
        }
        try:
            await self._plan(schedule.id, planned, f"{idempotency_key}:2")
        except ProviderError as error:
            if error.outcome_known and not subscription.schedule_is_ours:
                await self._withdraw(schedule.id, f"{idempotency_key}:3")
            raise
        with after_a_change():
            return await self._need_subscription(change.subscription_id)

    @bounded
    async def abandon_scheduled_change(self, subscription_id: str, idempotency_key: str) -> None:
        subscription = await self._need_subscription(subscription_id)
        if subscription.schedule_id is None or subscription.schedule_is_ours:
            return
        try:
            begun = await self._begin(subscription_id, f"{idempotency_key}:1")
        except ProviderRefused:
            # No schedule was made under this key, and none is beside the merchant's.
            return
        # The answer is as old as the key: the merchant may have planned with it since.
        retrieved = self._api.subscription_schedules.retrieve_async(begun.id)
        present = await ask(retrieved)
        if present.status == "active" and schedules.plans_nothing(present):
            await self._withdraw(present.id, f"{idempotency_key}:3")

    async def _plan(self, schedule_id: str, planned: Any, idempotency_key: str) -> None:
        service = self._api.subscription_schedules
        await ask(service.update_async(schedule_id, planned, {"idempotency_key": idempotency_key}))

    async def _withdraw(self, schedule_id: str, idempotency_key: str) -> None:
        """Let go of a schedule that is of no use: unmarked, it would pass for the merchant's."""
        service = self._api.subscription_schedules
        try:
            await ask(service.release_async(schedule_id, {}, {"idempotency_key": idempotency_key}))
        except ProviderError as error:
            # One that has ended since leads nothing any more, and is refused for ever.
            refused = isinstance(error, ProviderRefused)
            if not (refused and await self._has_ended(schedule_id)):
                raise ChangeHalfMade from None

    async def _has_ended(self, schedule_id: str) -> bool:
        call = self._api.subscription_schedules.retrieve_async(schedule_id)
        with after_a_change():
            status = await find(call, lambda schedule: schedule.status)
        return status not in ("active", "not_started")

    async def _schedule(
        self, subscription: SubscriptionCopy, idempotency_key: str
    ) -> stripe.SubscriptionSchedule:
        """Our schedule of the subscription, or a new one.

        Stripe takes no mark for a schedule that is made from a subscription: it gets one with its
        phases. One that a crash left unmarked is known by the answer to the repeated call.
        """
        service = self._api.subscription_schedules
        if subscription.schedule_is_ours and subscription.schedule_id is not None:
            return await ask(service.retrieve_async(subscription.schedule_id))
        try:
            schedule = await self._begin(subscription.id, idempotency_key)
        except ProviderRefused:
            # A subscription has one schedule at the most.
            check_schedule(subscription)
            raise
        if subscription.schedule_id not in (None, schedule.id):
            raise ScheduledByMerchant
        return schedule

    async def _begin(
        self, subscription_id: str, idempotency_key: str
    ) -> stripe.SubscriptionSchedule:
        call = self._api.subscription_schedules.create_async(
            {"from_subscription": subscription_id}, {"idempotency_key": idempotency_key}
        )
        return await ask(call)
