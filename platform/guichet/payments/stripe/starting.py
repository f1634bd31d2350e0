"""Subscriptions begun at Stripe, with what their first payment still needs."""

import stripe
from stripe.params import SubscriptionCreateParams, SubscriptionCreateParamsItem

from guichet.payments.answers import Confirmation, Started
from guichet.payments.orders import ItemOrder, NewSubscription
from guichet.payments.stripe import copying
from guichet.payments.stripe.access import Access
from guichet.payments.stripe.calls import after_a_change, ask, bounded
from guichet.payments.stripe.whole import whole_subscription


class Starting(Access):
    """What is begun."""

    @bounded
    async def start_subscription(self, order: NewSubscription, idempotency_key: str) -> Started:
        call = self._api.subscriptions.create_async(
            _parameters(order), {"idempotency_key": idempotency_key}
        )
        subscription = await ask(call)
        with after_a_change():
            payment = await self._first_payment(subscription.latest_invoice)
            copy = await whole_subscription(self._api, subscription)
        return Started(subscription=copy, payment=payment)

    async def _first_payment(self, invoice: str | stripe.Invoice | None) -> Confirmation | None:
        """How the payment of a first invoice stands, whose payments were expanded."""
        if not isinstance(invoice, stripe.Invoice) or invoice.amount_due == 0:
            return None
        payments = copying.copy_invoice(invoice).payments
        intents = [each.payment_intent_id for each in payments if each.payment_intent_id]
        if not intents:
            return None
        return copying.copy_confirmation(
            await ask(self._api.payment_intents.retrieve_async(intents[0]))
        )


def _parameters(order: NewSubscription) -> SubscriptionCreateParams:
    wanted: SubscriptionCreateParams = {
        "customer": order.customer_id,
        "items": [_item(each) for each in order.items],
        # The customer confirms the first payment; what they confirm it with is charged later.
        "payment_behavior": "default_incomplete",
        "payment_settings": {"save_default_payment_method": "on_subscription"},
        "expand": [*copying.SUBSCRIPTION, *(f"latest_invoice.{it}" for it in copying.INVOICE)],
    }
    if order.currency is not None:
        wanted["currency"] = order.currency
    if order.payment_method_id is not None:
        wanted["default_payment_method"] = order.payment_method_id
    if order.promotion_code_id is not None:
        wanted["discounts"] = [{"promotion_code": order.promotion_code_id}]
    if order.trial_days:
        wanted["trial_period_days"] = order.trial_days
    return wanted


def _item(order: ItemOrder) -> SubscriptionCreateParamsItem:
    item: SubscriptionCreateParamsItem = {"price": order.price_id}
    if order.quantity is not None:
        item["quantity"] = order.quantity
    return item
