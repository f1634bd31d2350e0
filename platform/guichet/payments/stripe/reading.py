"""What Stripe holds, fetched and listed as copies of ours."""

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec
import stripe
from stripe.params import (
    CustomerListParams,
    InvoiceRetrieveParams,
    PromotionCodeListParams,
    SubscriptionRetrieveParams,
)

from guichet.payments.answers import Account, ProviderEvent
from guichet.payments.copies import (
    AttemptCopy,
    CustomerCopy,
    InvoiceCopy,
    PaymentMethodCopy,
    PriceCopy,
    ProductCopy,
    PromotionCodeCopy,
    SubscriptionCopy,
    TestClockCopy,
)
from guichet.payments.stripe import copying
from guichet.payments.stripe.access import Access
from guichet.payments.stripe.calls import PAGE, ask, bounded, find, pages
from guichet.payments.stripe.whole import whole_customer, whole_invoice, whole_subscription


class Reader(Access):
    """What is read."""

    @bounded
    async def fetch_customer(self, customer_id: str) -> CustomerCopy | None:
        call = self._api.customers.retrieve_async(customer_id, {"expand": copying.CUSTOMER})
        customer = await find(call, lambda found: found)
        return await whole_customer(self._api, customer) if customer else None

    async def fetch_payment_method(self, payment_method_id: str) -> PaymentMethodCopy | None:
        return await find(
            self._api.payment_methods.retrieve_async(payment_method_id), copying.copy_payment_method
        )

    async def fetch_product(self, product_id: str) -> ProductCopy | None:
        return await find(self._api.products.retrieve_async(product_id), copying.copy_product)

    async def fetch_price(self, price_id: str) -> PriceCopy | None:
        call = self._api.prices.retrieve_async(price_id, {"expand": copying.PRICE})
        return await find(call, copying.copy_price)

    @bounded
    async def fetch_subscription(self, subscription_id: str) -> SubscriptionCopy | None:
        parameters: SubscriptionRetrieveParams = {"expand": copying.SUBSCRIPTION}
        call = self._api.subscriptions.retrieve_async(subscription_id, parameters)
        subscription = await find(call, lambda found: found)
        return await whole_subscription(self._api, subscription) if subscription else None

    @bounded
    async def fetch_invoice(self, invoice_id: str) -> InvoiceCopy | None:
        parameters: InvoiceRetrieveParams = {"expand": copying.INVOICE}
        call = self._api.invoices.retrieve_async(invoice_id, parameters)
        invoice = await find(call, lambda found: found)
        return await whole_invoice(self._api, invoice) if invoice else None

    async def fetch_attempt(self, attempt_id: str) -> AttemptCopy | None:
        return await find(self._api.charges.retrieve_async(attempt_id), copying.copy_attempt)

    async def fetch_test_clock(self, clock_id: str) -> TestClockCopy | None:
        call = self._api.test_helpers.test_clocks.retrieve_async(clock_id)
        return await find(call, copying.copy_test_clock)

    @bounded
    async def find_customers(self, email: str) -> list[CustomerCopy]:
        parameters: CustomerListParams = {
            "email": email,
            "limit": PAGE,
            "expand": _of(copying.CUSTOMER),
        }
        found = await ask(self._api.customers.list_async(parameters))
        return [await whole_customer(self._api, customer) for customer in found.data]

    async def find_promotion_code(
        self, code: str, customer_id: str | None = None
    ) -> PromotionCodeCopy | None:
        parameters: PromotionCodeListParams = {
            "code": code,
            "active": True,
            "limit": PAGE,
            "expand": _of(copying.PROMOTION_CODE),
        }
        listed = await ask(self._api.promotion_codes.list_async(parameters))
        found = [
            copying.copy_promotion_code(each, each.promotion.coupon)
            for each in listed.data
            # An empty code filters nothing.
            if isinstance(each.promotion.coupon, stripe.Coupon)
            and each.code.casefold() == code.casefold()
        ]
        usable = [each for each in found if each.customer_id in (None, customer_id)]
        return max(usable, key=lambda each: each.customer_id is not None, default=None)

    async def list_customers(self, after: str | None = None) -> AsyncIterator[CustomerCopy]:
        parameters = {"expand": _of(copying.CUSTOMER)}
        async for customer in pages(self._api.customers.list_async, parameters, after):
            yield await whole_customer(self._api, customer)

    async def list_payment_methods(self, customer_id: str) -> AsyncIterator[PaymentMethodCopy]:
        call = self._api.payment_methods.list_async
        async for method in pages(call, {"customer": customer_id}):
            yield copying.copy_payment_method(method)

    async def list_products(self, after: str | None = None) -> AsyncIterator[ProductCopy]:
        async for product in pages(self._api.products.list_async, {}, after):
            yield copying.copy_product(product)

    async def list_prices(self, after: str | None = None) -> AsyncIterator[PriceCopy]:
        parameters = {"expand": _of(copying.PRICE)}
        async for price in pages(self._api.prices.list_async, parameters, after):
            yield copying.copy_price(price)

    async def list_subscriptions(self, after: str | None = None) -> AsyncIterator[SubscriptionCopy]:
        parameters = {"status": "all", "expand": _of(copying.SUBSCRIPTION)}
        async for subscription in pages(self._api.subscriptions.list_async, parameters, after):
            yield await whole_subscription(self._api, subscription)

    async def list_invoices(self, after: str | None = None) -> AsyncIterator[InvoiceCopy]:
        parameters = {"expand": _of(copying.INVOICE)}
        async for invoice in pages(self._api.invoices.list_async, parameters, after):
            yield await whole_invoice(self._api, invoice)

    async def list_attempts(self, after: str | None = None) -> AsyncIterator[AttemptCopy]:
        async for charge in pages(self._api.charges.list_async, {}, after):
            yield copying.copy_attempt(charge)

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


def _of(expanded: list[str]) -> list[str]:
    """What is expanded in an object, for a list of them."""
    return [f"data.{path}" for path in expanded]
