"""What we ask of a payment provider and what it answers, in our own words only."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from guichet.money import Money
from guichet.payments.copies import (
    CustomerCopy,
    InvoiceCopy,
    PaymentMethodCopy,
    PriceCopy,
    ProductCopy,
    SubscriptionCopy,
)

Proration = Literal["always_invoice", "create_prorations", "none"]


class PlanChange(msgspec.Struct, frozen=True):
    """One item of a subscription moved to another price or quantity; the same to preview and do."""

    subscription_id: str
    item_id: str
    price_id: str
    quantity: int
    when: Literal["now", "period_end"]
    #: What is charged for the rest of the period when it applies now.
    proration: Proration
    #: The moment that prorations are counted from, so that what was shown is what is charged.
    as_of: datetime


class PreviewLine(msgspec.Struct, frozen=True):
    """One line of the invoice that a change makes, described in the provider's words."""

    description: str
    amount: Money
    period_start_at: datetime | None
    period_end_at: datetime | None
    proration: bool


class Preview(msgspec.Struct, frozen=True):
    """What a change costs, computed by the provider; nothing is changed by asking."""

    #: Of the invoice due at once or, where nothing is due now, of the next regular one.
    lines: tuple[PreviewLine, ...]
    #: Charged on confirming; 0 where the change waits or its prorations do.
    due_now: Money
    #: The next regular invoice after the change, with the prorations that wait for it.
    next_amount: Money
    next_at: datetime
    #: What discounts, taxes and credit make of the lines' sum; None where they are the whole.
    adjustment: Money | None = None


class InvoiceLinks(msgspec.Struct, frozen=True):
    """The provider's own pages for an invoice, made anew at each question: they expire."""

    hosted_url: str | None
    pdf_url: str | None
    receipt_url: str | None


class ProviderEvent(msgspec.Struct, frozen=True):
    """One event of the provider's own list."""

    id: str
    type: str
    #: None where the event's object has no id.
    object_id: str | None
    created_at: datetime
    #: The whole event as JSON, as its delivery would have been.
    body: bytes


class Account(msgspec.Struct, frozen=True):
    """The merchant's account at the provider."""

    id: str
    name: str | None


class PaymentProvider(Protocol):
    """One tenant's access to its provider.

    Every call ends within 10 s and raises a `guichet.payments.errors.ProviderError` when it fails.
    A call that changes something takes an idempotency key: the same key may be sent again at any
    time within 24 h and changes nothing twice. After an error whose `outcome_known` is false the
    change may or may not have been made: repeat it with the same key, or look.

    A `fetch_…` answers None for an object that is not there (a deleted customer is there, and says
    so). `list_…` pages by itself and is newest first, as the provider lists.
    """

    async def preview_change(self, change: PlanChange) -> Preview: ...

    async def change_plan(self, change: PlanChange, idempotency_key: str) -> SubscriptionCopy:
        """Change now; when its invoice cannot be paid nothing changes and `CardRefused` is raised.

        A change that was scheduled before is dropped. Raises `ChangeHalfMade` when the plan is
        changed and charged, but what was scheduled still stands.
        """
        ...

    async def schedule_change(self, change: PlanChange, idempotency_key: str) -> SubscriptionCopy:
        """Change at the end of the period, in place of a change that was scheduled before."""
        ...

    async def undo_scheduled_change(
        self, subscription_id: str, idempotency_key: str
    ) -> SubscriptionCopy: ...

    async def cancel_at_period_end(
        self, subscription_id: str, idempotency_key: str
    ) -> SubscriptionCopy:
        """Cancel at the end of the period; a scheduled change is dropped."""
        ...

    async def keep(self, subscription_id: str, idempotency_key: str) -> SubscriptionCopy:
        """Undo a cancellation that has not happened yet."""
        ...

    async def fetch_customer(self, customer_id: str) -> CustomerCopy | None: ...

    async def fetch_payment_method(self, payment_method_id: str) -> PaymentMethodCopy | None: ...

    async def fetch_product(self, product_id: str) -> ProductCopy | None: ...

    async def fetch_price(self, price_id: str) -> PriceCopy | None: ...

    async def fetch_subscription(self, subscription_id: str) -> SubscriptionCopy | None: ...

    async def fetch_invoice(self, invoice_id: str) -> InvoiceCopy | None: ...

    async def invoice_links(self, invoice_id: str) -> InvoiceLinks | None: ...

    async def find_customers(self, email: str) -> list[CustomerCopy]:
        """At most 100 customers with exactly this address, in the provider's spelling of it."""
        ...

    def list_customers(self) -> AsyncIterator[CustomerCopy]: ...

    def list_payment_methods(self, customer_id: str) -> AsyncIterator[PaymentMethodCopy]: ...

    def list_products(self) -> AsyncIterator[ProductCopy]: ...

    def list_prices(self) -> AsyncIterator[PriceCopy]: ...

    def list_subscriptions(self) -> AsyncIterator[SubscriptionCopy]:
        """All of them, cancelled ones too."""
        ...

    def list_invoices(self) -> AsyncIterator[InvoiceCopy]: ...

    def list_events(self, since: datetime) -> AsyncIterator[ProviderEvent]:
        """What happened at `since` or later; the provider remembers 30 days."""
        ...

    async def account(self) -> Account: ...
