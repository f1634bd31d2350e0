"""Invoices at the provider, and the payments for them."""

from typing import Protocol

from guichet.payments.answers import Confirmation, CreditNote, InvoiceLinks, Payment, Refund
from guichet.payments.copies import AttemptCopy, InvoiceCopy


class Invoices(Protocol):
    """What is done with invoices."""

    async def charge_invoice(
        self,
        invoice_id: str,
        idempotency_key: str,
        payment_method_id: str | None = None,
        *,
        customer_present: bool = False,
    ) -> Payment:
        """Try to collect what is due, once; answers the attempt that was made.

        An invoice that is paid, or whose payment is under way, is answered as it is, without one.
        With None whatever the invoice would be charged to. What the merchant has written off is
        charged only with its customer present. Raises `CardRefused`, or `NeedsAuthentication` when
        the bank wants the customer, who may then be sent to `confirm_payment`; both name the
        attempt. Raises `ProviderRefused` for a method that is not the customer's (any more).
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

    async def set_automatic_collection(
        self, invoice_id: str, automatic: bool, idempotency_key: str
    ) -> InvoiceCopy:
        """Have the provider retry the payment of an open invoice by itself, or never do so.

        While it does not, `next_payment_attempt_at` is None. An invoice that is settled is answered
        as it is: nobody collects it any more.
        """
        ...

    async def list_invoice_attempts(self, invoice_id: str) -> list[AttemptCopy]:
        """What the provider knows now of every attempt at an invoice, newest first.

        Of each of its payment intents at most the newest 100.
        """
        ...

    async def was_asked_for(self, attempt: AttemptCopy, idempotency_key: str) -> bool | None:
        """Whether an attempt was made by a request with this key, and not in another way.

        None where the provider does not tell: it may do so in a moment, and no more after 30 days.
        """
        ...

    async def invoice_links(self, invoice_id: str) -> InvoiceLinks | None: ...

    async def list_refunds(self, payment_intent_id: str) -> list[Refund]:
        """At most 100, newest first."""
        ...

    async def list_credit_notes(self, customer_id: str) -> list[CreditNote]:
        """At most 100, newest first."""
        ...
