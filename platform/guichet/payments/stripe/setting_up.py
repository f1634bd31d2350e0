"""Stripe's permissions, tried one by one, and its webhook endpoints."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import stripe
from stripe.params import WebhookEndpointCreateParams

from guichet.payments.answers import Endpoint
from guichet.payments.errors import ProviderKeyRejected, ProviderRefused
from guichet.payments.stripe.access import Access
from guichet.payments.stripe.calls import ask, bounded, find, pages

#: What of a new endpoint's metadata names the tenant.
REFERENCE = "guichet_tenant"

#: Every change of what the mirror is made of, `guichet.webhooks.references` has it.
#: Source: https://docs.stripe.com/api/events/types.
EVENTS = (
    *(f"charge.{it}" for it in ("captured", "expired", "failed", "pending", "refunded")),
    *(f"charge.{it}" for it in ("refund.updated", "succeeded", "updated")),
    *(f"credit_note.{it}" for it in ("created", "updated", "voided")),
    *(f"customer.{it}" for it in ("created", "deleted", "updated")),
    *(f"customer.discount.{it}" for it in ("created", "deleted", "updated")),
    *(f"customer.subscription.{it}" for it in ("created", "deleted", "paused", "resumed")),
    *(f"customer.subscription.pending_update_{it}" for it in ("applied", "expired")),
    *(f"customer.subscription.{it}" for it in ("trial_will_end", "updated")),
    *(f"customer.tax_id.{it}" for it in ("created", "deleted", "updated")),
    *(f"invoice.{it}" for it in ("created", "deleted", "finalization_failed", "finalized")),
    *(f"invoice.{it}" for it in ("marked_uncollectible", "overdue", "overpaid", "paid")),
    *(f"invoice.payment_{it}" for it in ("action_required", "failed", "succeeded")),
    *(f"invoice.{it}" for it in ("sent", "updated", "voided", "will_be_due")),
    "invoice_payment.paid",
    *(f"payment_intent.{it}" for it in ("amount_capturable_updated", "canceled", "created")),
    *(f"payment_intent.{it}" for it in ("partially_funded", "payment_failed", "processing")),
    *(f"payment_intent.{it}" for it in ("requires_action", "succeeded")),
    *(f"payment_method.{it}" for it in ("attached", "automatically_updated", "detached")),
    "payment_method.updated",
    *(f"{kind}.{it}" for kind in ("price", "product") for it in ("created", "deleted", "updated")),
    *(f"refund.{it}" for it in ("created", "failed", "updated")),
    *(f"subscription_schedule.{it}" for it in ("aborted", "canceled", "completed", "created")),
    *(f"subscription_schedule.{it}" for it in ("expiring", "released", "updated")),
)
#: Test mode alone has clocks, and live mode refuses to be asked for them.
TEST_EVENTS = tuple(
    f"test_helpers.test_clock.{it}"
    for it in ("advancing", "created", "deleted", "internal_failure", "ready")
)


#: The id of no object.
_NOTHING = "guichet_looks_whether_it_may"


class SettingUp(Access):
    """What is set up once."""

    @bounded
    async def lacking(self) -> tuple[str, ...]:
        readings, writings = self._readings(), self._writings()
        may_read, may_write = await asyncio.gather(
            asyncio.gather(*(_may(call({"limit": 1})) for call in readings.values())),
            asyncio.gather(*(_may(call(_NOTHING)) for call in writings.values())),
        )
        unwritable = {it for it, may in zip(writings, may_write, strict=True) if not may}
        unreadable = {it for it, may in zip(readings, may_read, strict=True) if not may}
        # Whoever may write something may read it too.
        return tuple(
            f"{it}: {'Write' if it in unwritable else 'Read'}"
            for it in readings
            if it in unwritable | unreadable
        )

    def _readings(self) -> Mapping[str, Callable[[Any], Awaitable[object]]]:
        """A list of each kind of object that is read or changed, by the name of its permission."""
        api = self._api
        return {
            "Charges": api.charges.list_async,
            "Checkout Sessions": api.checkout.sessions.list_async,
            "Customers": api.customers.list_async,
            "Events": api.events.list_async,
            "Invoices": api.invoices.list_async,
            "PaymentIntents": api.payment_intents.list_async,
            "PaymentMethods": api.payment_methods.list_async,
            "Prices": api.prices.list_async,
            "Products": api.products.list_async,
            "Promotion Codes": api.promotion_codes.list_async,
            "Subscription Schedules": api.subscription_schedules.list_async,
            "Subscriptions": api.subscriptions.list_async,
            "Webhook Endpoints": api.webhook_endpoints.list_async,
        }

    def _writings(self) -> Mapping[str, Callable[[str], Awaitable[object]]]:
        """A change, of an object that is not there, of each kind that is changed.

        Stripe answers 403 to whoever may not write that kind, and to others that there is no such
        object: so nothing is changed, whatever it answers.
        """
        api = self._api
        return {
            "Checkout Sessions": api.checkout.sessions.expire_async,
            "Customers": api.customers.update_async,
            "Invoices": api.invoices.update_async,
            "PaymentIntents": api.payment_intents.update_async,
            "PaymentMethods": api.payment_methods.detach_async,
            "Subscription Schedules": api.subscription_schedules.release_async,
            "Subscriptions": api.subscriptions.update_async,
            "Webhook Endpoints": api.webhook_endpoints.update_async,
        }

    async def list_endpoints(self) -> list[Endpoint]:
        found = pages(self._api.webhook_endpoints.list_async, {})
        return [_copy(endpoint) async for endpoint in found]

    async def create_endpoint(
        self, url: str, reference: str, *, live: bool, idempotency_key: str
    ) -> Endpoint:
        parameters = {
            "url": url,
            "enabled_events": list(EVENTS if live else EVENTS + TEST_EVENTS),
            "api_version": stripe.api_version,
            "description": "Guichet",
            "metadata": {REFERENCE: reference},
        }
        call = self._api.webhook_endpoints.create_async(
            cast(WebhookEndpointCreateParams, parameters), {"idempotency_key": idempotency_key}
        )
        return _copy(await ask(call))

    async def delete_endpoint(self, endpoint_id: str) -> None:
        await find(self._api.webhook_endpoints.delete_async(endpoint_id), lambda _: True)


async def _may(call: Awaitable[object]) -> bool:
    """Whether a key may do this. Raises `ProviderKeyRejected` for an unknown key."""
    try:
        await ask(call)
    except ProviderKeyRejected as error:
        if not error.known:
            raise
        return False
    except ProviderRefused:
        # It was looked at, and there is no such object or a parameter is wanted: so it may be done.
        return True
    return True


def _copy(endpoint: stripe.WebhookEndpoint) -> Endpoint:
    metadata = endpoint.metadata.to_dict() if endpoint.metadata else {}
    return Endpoint(
        id=endpoint.id,
        url=endpoint.url,
        reference=metadata.get(REFERENCE),
        enabled=endpoint.status == "enabled",
        secret=getattr(endpoint, "secret", None),
    )
