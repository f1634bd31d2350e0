"""What Stripe holds, fetched and listed as copies of ours."""

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec
import stripe
from stripe.params import PaymentIntentRetrieveParams

from guichet.payments.copies import (
    CustomerCopy,
    InvoiceCopy,
    PaymentMethodCopy,
    PriceCopy,
    ProductCopy,
    SubscriptionCopy,
)
from guichet.payments.port import Account, InvoiceLinks, ProviderEvent
from guichet.payments.stripe import copying
from guichet.payments.stripe.calls import PAGE, ask, bounded, find, pages
from guichet.payments.stripe.transport import Share

#: The largest number of attempts at a call after the first one.
_RETRIES = 1


class Reader:
    """One tenant's reading access. Cheap to make: the connections are the transport's."""

    def __init__(self, secret_key: str, url: str, transport: stripe.HTTPClient) -> None:
        self._api = stripe.StripeClient(
            secret_key,
            base_addresses={"api": url},
            http_client=Share(transport),
            max_network_retries=_RETRIES,
        ).v1

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    async def fetch_customer(self, customer_id: str) -> CustomerCopy | None:
        return await find(self._api.customers.retrieve_async(customer_id), copying.copy_customer)

    async def fetch_payment_method(self, payment_method_id: str) -> PaymentMethodCopy | None:
        return await find(
            self._api.payment_methods.retrieve_async(payment_method_id), copying.copy_payment_method
        )

    async def fetch_product(self, product_id: str) -> ProductCopy | None:
        return await find(self._api.products.retrieve_async(product_id), copying.copy_product)

    async def fetch_price(self, price_id: str) -> PriceCopy | None:
        return await find(self._api.prices.retrieve_async(price_id), copying.copy_price)

    async def fetch_subscription(self, subscription_id: str) -> SubscriptionCopy | None:
        return await find(
            self._api.subscriptions.retrieve_async(subscription_id, {"expand": ["schedule"]}),
            copying.copy_subscription,
        )

    async def fetch_invoice(self, invoice_id: str) -> InvoiceCopy | None:
        return await find(self._api.invoices.retrieve_async(invoice_id), copying.copy_invoice)

    @bounded
    async def invoice_links(self, invoice_id: str) -> InvoiceLinks | None:
        call = self._api.invoices.retrieve_async(invoice_id, {"expand": ["payments"]})
        invoice = await find(call, lambda found: found)
        if invoice is None:
            return None
        return InvoiceLinks(
            hosted_url=invoice.hosted_invoice_url,
            pdf_url=invoice.invoice_pdf,
            receipt_url=await self._receipt_url(copying.intent_that_paid(invoice)),
        )

    async def _receipt_url(self, intent_id: str | None) -> str | None:
        """Where the charge of an intent is receipted; None for what was paid in another way."""
        if intent_id is None:
            return None
        parameters: PaymentIntentRetrieveParams = {"expand": ["latest_charge"]}
        call = self._api.payment_intents.retrieve_async(intent_id, parameters)
        return await find(call, copying.receipt_url)

    async def find_customers(self, email: str) -> list[CustomerCopy]:
        found = await ask(self._api.customers.list_async({"email": email, "limit": PAGE}))
        return [copying.copy_customer(customer) for customer in found.data]

    async def list_customers(self) -> AsyncIterator[CustomerCopy]:
        async for customer in pages(self._api.customers.list_async, {}):
            yield copying.copy_customer(customer)

    async def list_payment_methods(self, customer_id: str) -> AsyncIterator[PaymentMethodCopy]:
        call = self._api.payment_methods.list_async
        async for method in pages(call, {"customer": customer_id}):
            yield copying.copy_payment_method(method)

    async def list_products(self) -> AsyncIterator[ProductCopy]:
        async for product in pages(self._api.products.list_async, {}):
            yield copying.copy_product(product)

    async def list_prices(self) -> AsyncIterator[PriceCopy]:
        async for price in pages(self._api.prices.list_async, {}):
            yield copying.copy_price(price)

    async def list_subscriptions(self) -> AsyncIterator[SubscriptionCopy]:
        parameters = {"status": "all", "expand": ["data.schedule"]}
        async for subscription in pages(self._api.subscriptions.list_async, parameters):
            yield copying.copy_subscription(subscription)

    async def list_invoices(self) -> AsyncIterator[InvoiceCopy]:
        async for invoice in pages(self._api.invoices.list_async, {}):
            yield copying.copy_invoice(invoice)

    async def list_events(self, since: datetime) -> AsyncIterator[ProviderEvent]:
        parameters = {"created": {"gte": copying.seconds(since)}}
        async for event in pages(self._api.events.list_async, parameters):
            whole = event.to_dict(for_json=True)
            yield ProviderEvent(
                id=event.id,
                type=event.type,
                object_id=whole["data"]["object"].get("id"),
                created_at=copying.moment(event.created),
                body=msgspec.json.encode(whole),
            )

    async def account(self) -> Account:
        account = await ask(self._api.accounts.retrieve_current_async())
        profile = account.business_profile
        return Account(id=account.id, name=profile.name if profile else None)
