"""Invoices at the provider, and the payments for them."""

from typing import Protocol

from guichet.payments.answers import Confirmation, CreditNote, InvoiceLinks, Refund
from guichet.payments.copies import InvoiceCopy


class Invoices(Protocol):
    """What is done with invoices."""

    async def pay_invoice(
        self,
        invoice_id: str,
        idempotency_key: str,
        payment_method_id: str | None = None,
        *,
        customer_present: bool = False,
    ) -> InvoiceCopy:
        """Try to collect what is due, once.

        An invoice that is paid, or whose payment is under way, is answered as it is. With None
        whatever the invoice would be charged to. Raises `CardRefused`, or `NeedsAuthentication`
        when the bank wants the customer, who may then be sent to `confirm_payment`.
        """
        ...

    async def confirm_payment(
        self,
        invoice_id: str,
        return_url: str,
        idempotency_key: str,
        payment_method_id: str | None = None,
    ) -> Confirmation:
        """Pay an open invoice with its customer present, who may have to confirm at their bank.

        `return_url` is where the provider's page leads back to. Raises `CardRefused`.
        """
        ...

    async def fetch_confirmation(self, payment_intent_id: str) -> Confirmation | None: ...

    async def finalize_invoice(self, invoice_id: str, idempotency_key: str) -> InvoiceCopy:
        """Open a draft. As the two below: an invoice that is so already is answered as it is."""
        ...

    async def void_invoice(self, invoice_id: str, idempotency_key: str) -> InvoiceCopy: ...

    async def mark_uncollectible(self, invoice_id: str, idempotency_key: str) -> InvoiceCopy: ...

    async def invoice_links(self, invoice_id: str) -> InvoiceLinks | None: ...

    async def list_refunds(self, payment_intent_id: str) -> list[Refund]:
        """At most 100, newest first."""
        ...

    async def list_credit_notes(self, customer_id: str) -> list[CreditNote]:
        """At most 100, newest first."""
        ...
