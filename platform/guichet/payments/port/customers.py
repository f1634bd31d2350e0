"""Customers and their payment methods at the provider."""

from typing import Protocol

from guichet.payments.answers import SetupPage
from guichet.payments.copies import CustomerCopy, PaymentMethodCopy, TaxIdCopy
from guichet.payments.orders import CustomerDetails, SetupOrder


class Customers(Protocol):
    """What is changed about customers."""

    async def create_customer(
        self, details: CustomerDetails, idempotency_key: str
    ) -> CustomerCopy: ...

    async def update_customer(
        self, customer_id: str, details: CustomerDetails, idempotency_key: str
    ) -> CustomerCopy: ...

    async def add_tax_id(
        self, customer_id: str, kind: str, value: str, idempotency_key: str
    ) -> TaxIdCopy:
        """Raises `InvalidTaxId` when the number is not one of its kind, such as `eu_vat`."""
        ...

    async def remove_tax_id(self, customer_id: str, tax_id: str, idempotency_key: str) -> None:
        """One that is gone already is removed as well."""
        ...

    async def open_setup_page(self, order: SetupOrder, idempotency_key: str) -> SetupPage:
        """A page of the provider's that takes a card, asks its bank, and attaches it."""
        ...

    async def fetch_setup_page(self, page_id: str) -> SetupPage | None: ...

    async def order_payment_methods(
        self, customer_id: str, payment_method_ids: tuple[str, ...], idempotency_key: str
    ) -> CustomerCopy:
        """Make the first the default and the others, in order, what is tried when it fails.

        At most 15; raises `ProviderRefused` when one of them is not attached to the customer.
        """
        ...

    async def detach_payment_method(
        self, payment_method_id: str, idempotency_key: str
    ) -> PaymentMethodCopy:
        """Take a method away; the next in order takes its place.

        One that is detached already is answered as it is. Raises `ChangeHalfMade` when it is out of
        the order and still attached.
        """
        ...
