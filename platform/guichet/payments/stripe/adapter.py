"""Stripe as the port wants it: our words in, our copies and our errors out."""

import asyncio
from typing import cast

import stripe
from stripe.params import (
    InvoiceCreatePreviewParamsSubscriptionDetails,
    SubscriptionScheduleUpdateParams,
    SubscriptionUpdateParams,
    SubscriptionUpdateParamsItem,
)

from guichet.payments.answers import Preview
from guichet.payments.copies import SubscriptionCopy
from guichet.payments.errors import ChangeHalfMade, ProviderError, ProviderRefused
from guichet.payments.orders import Cancellation, ItemOrder, Proration, SubscriptionChange
from guichet.payments.stripe import copying, previewing, schedules
from guichet.payments.stripe.calls import ask, bounded
from guichet.payments.stripe.invoices import Invoices
from guichet.payments.stripe.reading import Reader
from guichet.payments.stripe.transport import Transport

__all__ = ["Stripe", "Transport"]


class Stripe(Reader, Invoices):
    """One tenant's whole access."""

    @bounded
    async def preview_change(self, change: SubscriptionChange) -> Preview:
        # All calls at once: somebody is waiting for the page.
        asking = self._need_subscription(change.subscription_id)
        if change.when == "period_end":
            regular, subscription = await asyncio.gather(self._preview(change, "none"), asking)
            end = subscription.current_period_end_at or change.as_of
            return previewing.at_period_end(regular, end)
        first, regular, subscription = await asyncio.gather(
            self._preview(change, change.proration), self._preview(change, "none"), asking
        )
        end = subscription.current_period_end_at or change.as_of
        due = previewing.is_due_now(first, end)
        return previewing.now_and_next(first, regular if due else first, end, due)

    async def _preview(self, change: SubscriptionChange, proration: Proration) -> stripe.Invoice:
        details: InvoiceCreatePreviewParamsSubscriptionDetails = {
            "items": [_item(item) for item in change.items],
            "proration_behavior": proration,
        }
        if proration != "none":
            details["proration_date"] = copying.seconds(change.as_of)
        return await ask(
            self._api.invoices.create_preview_async(
                {"subscription": change.subscription_id, "subscription_details": details}
            )
        )

    @bounded
    async def change_subscription(
        self, change: SubscriptionChange, idempotency_key: str
    ) -> SubscriptionCopy:
        parameters: SubscriptionUpdateParams = {
            "items": [_item(item) for item in change.items],
            "proration_behavior": change.proration,
            "payment_behavior": "error_if_incomplete",
            "expand": copying.SUBSCRIPTION,
        }
        if change.proration != "none":
            parameters["proration_date"] = copying.seconds(change.as_of)
        changed = await self._update(change.subscription_id, parameters, f"{idempotency_key}:1")
        if changed.schedule_id is None:
            return changed
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
        (item,) = change.items
        subscription, price = await asyncio.gather(
            self._need_subscription(change.subscription_id), self.fetch_price(item.price_id)
        )
        if price is None:
            raise ProviderRefused("resource_missing", "price")
        schedule = await self._schedule(subscription, f"{idempotency_key}:1")
        phases = schedules.two_phases(schedule, subscription, item, price)
        await ask(
            self._api.subscription_schedules.update_async(
                schedule.id,
                cast(
                    SubscriptionScheduleUpdateParams,
                    {"phases": phases, "end_behavior": "release"},
                ),
                {"idempotency_key": f"{idempotency_key}:2"},
            )
        )
        return await self._need_subscription(change.subscription_id)

    async def _schedule(
        self, subscription: SubscriptionCopy, idempotency_key: str
    ) -> stripe.SubscriptionSchedule:
        """The schedule that the subscription has, or a new one; a crash leaves one to find."""
        service = self._api.subscription_schedules
        if subscription.schedule_id is not None:
            return await ask(service.retrieve_async(subscription.schedule_id))
        return await ask(
            service.create_async(
                {"from_subscription": subscription.id}, {"idempotency_key": idempotency_key}
            )
        )

    @bounded
    async def undo_scheduled_change(
        self, subscription_id: str, idempotency_key: str
    ) -> SubscriptionCopy:
        subscription = await self._need_subscription(subscription_id)
        return await self._release(subscription, idempotency_key)

    async def _release(
        self, subscription: SubscriptionCopy, idempotency_key: str
    ) -> SubscriptionCopy:
        """Free the subscription of its schedule, keeping it as it is now."""
        if subscription.schedule_id is None:
            return subscription
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
        return await self._need_subscription(subscription.id)

    @bounded
    async def cancel(self, order: Cancellation, idempotency_key: str) -> SubscriptionCopy:
        subscription_id = order.subscription_id
        # Stripe refuses to cancel a subscription directly while a schedule leads it.
        await self.undo_scheduled_change(subscription_id, f"{idempotency_key}:1")
        return await self._update(
            subscription_id,
            {"cancel_at_period_end": True, "expand": copying.SUBSCRIPTION},
            f"{idempotency_key}:2",
        )

    async def keep(self, subscription_id: str, idempotency_key: str) -> SubscriptionCopy:
        return await self._update(
            subscription_id,
            {"cancel_at_period_end": False, "expand": copying.SUBSCRIPTION},
            idempotency_key,
        )

    async def _update(
        self,
        subscription_id: str,
        parameters: SubscriptionUpdateParams,
        idempotency_key: str,
    ) -> SubscriptionCopy:
        call = self._api.subscriptions.update_async(
            subscription_id, parameters, {"idempotency_key": idempotency_key}
        )
        return copying.copy_subscription(await ask(call))

    async def _need_subscription(self, subscription_id: str) -> SubscriptionCopy:
        subscription = await self.fetch_subscription(subscription_id)
        if subscription is None:
            raise ProviderRefused("resource_missing", "subscription")
        return subscription


def _item(order: ItemOrder) -> SubscriptionUpdateParamsItem:
    item: SubscriptionUpdateParamsItem = {"price": order.price_id}
    if order.quantity is not None:
        item["quantity"] = order.quantity
    if order.item_id is not None:
        item["id"] = order.item_id
    return item
