"""What an order would cost: asked of Stripe, which computes it and changes nothing."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import stripe
from stripe.params import (
    InvoiceCreatePreviewParams,
    InvoiceCreatePreviewParamsSubscriptionDetails,
)

from guichet.payments.answers import Preview
from guichet.payments.orders import NewSubscription, Proration, SubscriptionChange
from guichet.payments.stripe import copying, parameters, previewing
from guichet.payments.stripe.calls import ask, bounded
from guichet.payments.stripe.discounting import Term, lasting, running_terms, with_code
from guichet.payments.stripe.subscriptions import Subscriptions
from guichet.payments.stripe.whole import fill_lines


class Quoting(Subscriptions):
    """What is asked before something is begun or changed."""

    @bounded
    async def preview_change(self, change: SubscriptionChange) -> Preview:
        subscription = await self._retrieve(change.subscription_id)
        end = copying.copy_subscription(subscription).current_period_end_at or change.as_of
        waits = change.when == "period_end"
        running = running_terms(subscription)
        terms = running
        if change.promotion_code_id is not None:
            code = await self._code(change.promotion_code_id)
            terms = with_code(running, code, end if waits else change.as_of)
        if waits:
            left = lasting(terms, end, None)
            regular = await self._quote(_asked_for_then(change), left if left != running else None)
            return previewing.of_next(regular, end)
        return await self._preview_now(change, subscription, terms, end)

    async def _preview_now(
        self,
        change: SubscriptionChange,
        subscription: stripe.Subscription,
        terms: Sequence[Term],
        end: datetime,
    ) -> Preview:
        asked, regularly = _asked(change, change.proration), _asked_regularly(change)
        sent = terms if change.promotion_code_id is not None else None
        # Both at once: somebody is waiting for the page.
        first, regular = await asyncio.gather(
            self._quote(asked, sent), self._quote(regularly, sent)
        )
        trial_end = _end_of_new_trial(change)
        # A trial that is made longer or shorter ends with the first invoice.
        turn = trial_end if trial_end and subscription.status == "trialing" else end
        if not previewing.is_due_now(first, turn):
            return previewing.of_next(first, previewing.starts_at(first) or end)
        next_at = trial_end or previewing.renewed_at(regular, end)
        left = lasting(terms, next_at, first)
        if left != terms:
            regular = await self._quote(regularly, left)
        return previewing.of_now(first, regular, next_at)

    @bounded
    async def preview_start(self, order: NewSubscription) -> Preview:
        asked: InvoiceCreatePreviewParams = {
            "customer": order.customer_id,
            "subscription_details": {"items": [parameters.item(each) for each in order.items]},
        }
        if order.currency is not None:
            asked["currency"] = order.currency
        code = await self._code(order.promotion_code_id) if order.promotion_code_id else None
        begun_at = datetime.now(UTC)
        terms = with_code((), code, begun_at) if code else []
        first = await self._quote(asked, terms)
        # The provider's clock says when it begins, and may stand elsewhere than ours.
        begins_at = previewing.starts_at(first) or begun_at
        terms = with_code((), code, begins_at) if code else []
        if order.trial_days:
            next_at = begins_at + timedelta(days=order.trial_days)
            left = lasting(terms, next_at, None)
            regular = first if left == terms else await self._quote(asked, left)
            return previewing.of_next(regular, next_at)
        next_at = previewing.renewed_at(first, begins_at + timedelta(seconds=1))
        left = lasting(terms, next_at, first)
        regular = first if left == terms else await self._quote(asked, left)
        return previewing.of_now(first, regular, next_at)

    async def _code(self, promotion_code_id: str) -> stripe.PromotionCode:
        call = self._api.promotion_codes.retrieve_async(
            promotion_code_id, {"expand": ["promotion.coupon"]}
        )
        return await ask(call)

    async def _quote(
        self, asked: InvoiceCreatePreviewParams, terms: Sequence[Term] | None
    ) -> stripe.Invoice:
        """The invoice as Stripe previews it, under these terms or under the running ones."""
        if terms is not None:
            discounts = [term.parameter for term in terms]
            asked = {**asked, "discounts": discounts or ""}  # type: ignore[typeddict-item]
        invoice = await ask(self._api.invoices.create_preview_async(asked))
        # What is due is read from all lines.
        await fill_lines(self._api, invoice)
        return invoice


def _asked(change: SubscriptionChange, proration: Proration) -> InvoiceCreatePreviewParams:
    details: InvoiceCreatePreviewParamsSubscriptionDetails = {"proration_behavior": proration}
    if change.items:
        details["items"] = [parameters.item(each) for each in change.items]
    if proration != "none":
        details["proration_date"] = copying.seconds(change.as_of)
    if change.anchor == "now":
        details["billing_cycle_anchor"] = {"type": "now"}
    if change.trial_end is not None:
        details["trial_end"] = parameters.trial_end(change.trial_end, change.as_of)
    return {"subscription": change.subscription_id, "subscription_details": details}


def _asked_for_then(change: SubscriptionChange) -> InvoiceCreatePreviewParams:
    """The invoice of a planned change.

    A code is redeemed when the change is made. So that its discount begins with the period that is
    billed, that period is previewed as if it began now.
    """
    redeems = change.promotion_code_id is not None
    return _asked(msgspec.structs.replace(change, anchor="now") if redeems else change, "none")


def _end_of_new_trial(change: SubscriptionChange) -> datetime | None:
    """When a trial ends that a change gives, makes longer or shorter; None where it does not."""
    end = change.trial_end
    return end if end is not None and end > change.as_of else None


def _asked_regularly(change: SubscriptionChange) -> InvoiceCreatePreviewParams:
    """The regular invoice after a change whose own invoice takes up all that is pending.

    The first invoice after a trial that begins is what the next one would be without it.
    """
    if _end_of_new_trial(change) is not None:
        change = msgspec.structs.replace(change, trial_end=None)
    return {**_asked(change, "none"), "preview_mode": "recurring"}
