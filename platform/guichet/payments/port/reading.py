"""What the provider holds, fetched by id and listed."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

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


class Reading(Protocol):
    """What is read. Lists begin after the object `after`, where one is given."""

    async def fetch_customer(self, customer_id: str) -> CustomerCopy | None: ...

    async def fetch_payment_method(self, payment_method_id: str) -> PaymentMethodCopy | None: ...

    async def fetch_product(self, product_id: str) -> ProductCopy | None: ...

    async def fetch_price(self, price_id: str) -> PriceCopy | None: ...

    async def fetch_subscription(self, subscription_id: str) -> SubscriptionCopy | None: ...

    async def fetch_invoice(self, invoice_id: str) -> InvoiceCopy | None: ...

    async def fetch_attempt(self, attempt_id: str) -> AttemptCopy | None: ...

    async def fetch_test_clock(self, clock_id: str) -> TestClockCopy | None:
        """A clock of the provider's test mode; no customer of a live key names one."""
        ...

    async def find_customers(self, email: str) -> list[CustomerCopy]:
        """At most 100 customers with exactly this address, in the provider's spelling of it."""
        ...

    async def find_promotion_code(
        self, code: str, customer_id: str | None = None
    ) -> PromotionCodeCopy | None:
        """The active code that is written so, in capitals or not, and not for others only.

        Of one for everybody and the customer's own, their own.
        """
        ...

    def list_customers(self, after: str | None = None) -> AsyncIterator[CustomerCopy]: ...

    def list_payment_methods(self, customer_id: str) -> AsyncIterator[PaymentMethodCopy]: ...

    def list_products(self, after: str | None = None) -> AsyncIterator[ProductCopy]: ...

    def list_prices(self, after: str | None = None) -> AsyncIterator[PriceCopy]: ...

    def list_subscriptions(self, after: str | None = None) -> AsyncIterator[SubscriptionCopy]:
        """All of them, cancelled ones too."""
        ...

    def list_invoices(self, after: str | None = None) -> AsyncIterator[InvoiceCopy]: ...

    def list_attempts(self, after: str | None = None) -> AsyncIterator[AttemptCopy]: ...

    def list_events(self, since: datetime) -> AsyncIterator[ProviderEvent]:
        """What happened at `since` or later; the provider remembers 30 days."""
        ...

    async def account(self) -> Account: ...
