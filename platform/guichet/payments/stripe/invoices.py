"""Invoices at Stripe and the payments for them, in our words."""

from collections.abc import Awaitable

import stripe
from stripe.params import (
    ChargeListParams,
    CreditNoteListParams,
    InvoicePayParams,
    PaymentIntentConfirmParams,
    PaymentIntentRetrieveParams,
    RefundListParams,
)

from guichet.payments.answers import Confirmation, CreditNote, InvoiceLinks, Payment, Refund
from guichet.payments.copies import AttemptCopy, InvoiceCopy
from guichet.payments.errors import ProviderRefused
from guichet.payments.stripe import copying
from guichet.payments.stripe.access import Access
from guichet.payments.stripe.calls import PAGE, after_a_change, ask, bounded, find, pages
from guichet.payments.stripe.looking import may_be_paid
from guichet.payments.stripe.whole import fill_payments, whole_invoice

#: What tells how the payment of an invoice stands, and what it would be charged to.
_PAYMENTS = ["payments.data.payment.payment_intent"]
_OVER = ("uncollectible", "void")
#: Events that tell of a new charge; each names the key of the request that brought it about.
#: Source: https://docs.stripe.com/api/events/object, `request.idempotency_key`.
_MADE = ["charge.failed", "charge.pending", "charge.succeeded"]
#: A card's bank answers within seconds.
_TOLD_WITHIN_SECONDS = 120
_CHARGED_TO = ["customer", "parent.subscription_details.subscription"]


class Invoices(Access):
    """What is done with invoices."""

    @bounded
    async def charge_invoice(
        self,
        invoice_id: str,
        idempotency_key: str,
        payment_method_id: str | None = None,
        *,
        customer_present: bool = False,
    ) -> Payment:
        # Looked at first: Stripe forgets a key after a day, and a payment that is under way, or
        # made and not booked yet, must not be asked for again.
        if not await may_be_paid(self._client, invoice_id, _PAYMENTS):
            invoice = await self._retrieve_invoice(invoice_id, _PAYMENTS)
            # What the merchant has written off is charged only to a customer who wants to pay it.
            is_over = invoice.status in _OVER and not customer_present
            if is_over or invoice.status == "paid" or copying.is_being_paid(invoice):
                return Payment(invoice=await whole_invoice(self._api, invoice))
        parameters: InvoicePayParams = {
            "off_session": not customer_present,
            "expand": _PAYMENTS,
        }
        if payment_method_id is not None:
            parameters["payment_method"] = payment_method_id
        call = self._api.invoices.pay_async(
            invoice_id, parameters, {"idempotency_key": idempotency_key}
        )
        try:
            paid = await ask(call)
        except ProviderRefused as refusal:
            return Payment(invoice=await self._settled(invoice_id, refusal, "paid"))
        intent = copying.intent_of(paid)
        with after_a_change():
            copy = await whole_invoice(self._api, paid)
        return Payment(
            invoice=copy,
            attempt_id=copying.attempt_of(intent) if intent else None,
            payment_intent_id=intent.id if intent else None,
            request_id=paid.last_response.request_id if paid.last_response else None,
        )

    @bounded
    async def confirm_payment(
        self,
        invoice_id: str,
        return_url: str,
        idempotency_key: str,
        payment_method_id: str | None = None,
    ) -> Confirmation:
        invoice = await self._retrieve_invoice(invoice_id, _PAYMENTS + _CHARGED_TO)
        intent = copying.intent_of(invoice)
        if intent is None:
            raise ProviderRefused("invoice_without_payment", "invoice")
        before = copying.copy_confirmation(intent)
        method = payment_method_id or copying.charged_to(invoice, intent)
        if method is None or before.status not in ("needs_method", "needs_confirmation"):
            return before
        parameters: PaymentIntentConfirmParams = {
            "payment_method": method,
            "return_url": return_url,
        }
        # An intent is paid once at the most. With another method this is another call.
        call = self._api.payment_intents.confirm_async(
            intent.id, parameters, {"idempotency_key": f"{idempotency_key}:{method}"}
        )
        try:
            return copying.copy_confirmation(await ask(call))
        except ProviderRefused:
            # A second click is refused when the first one has paid.
            present = await self.fetch_confirmation(intent.id)
            if present is None or present.status not in ("processing", "succeeded"):
                raise
            return present

    async def fetch_confirmation(self, payment_intent_id: str) -> Confirmation | None:
        call = self._api.payment_intents.retrieve_async(payment_intent_id)
        return await find(call, copying.copy_confirmation)

    @bounded
    async def finalize_invoice(self, invoice_id: str, idempotency_key: str) -> InvoiceCopy:
        call = self._api.invoices.finalize_invoice_async(
            invoice_id, {"expand": copying.INVOICE}, {"idempotency_key": idempotency_key}
        )
        return await self._settle(invoice_id, call, "open", "paid", "uncollectible", "void")

    @bounded
    async def void_invoice(self, invoice_id: str, idempotency_key: str) -> InvoiceCopy:
        call = self._api.invoices.void_invoice_async(
            invoice_id, {"expand": copying.INVOICE}, {"idempotency_key": idempotency_key}
        )
        return await self._settle(invoice_id, call, "void")

    @bounded
    async def mark_uncollectible(self, invoice_id: str, idempotency_key: str) -> InvoiceCopy:
        call = self._api.invoices.mark_uncollectible_async(
            invoice_id, {"expand": copying.INVOICE}, {"idempotency_key": idempotency_key}
        )
        return await self._settle(invoice_id, call, "uncollectible")

    @bounded
    async def set_automatic_collection(
        self, invoice_id: str, automatic: bool, idempotency_key: str
    ) -> InvoiceCopy:
        call = self._api.invoices.update_async(
            invoice_id,
            {"auto_advance": automatic, "expand": copying.INVOICE},
            {"idempotency_key": idempotency_key},
        )
        # Of these Stripe collects nothing, whatever it is asked for.
        return await self._settle(invoice_id, call, "paid", "uncollectible", "void")

    @bounded
    async def list_invoice_attempts(self, invoice_id: str) -> list[AttemptCopy]:
        invoice = await self._retrieve_invoice(invoice_id, copying.INVOICE)
        found: list[AttemptCopy] = []
        for intent_id in copying.intent_ids_of(invoice):
            parameters: ChargeListParams = {"payment_intent": intent_id, "limit": PAGE}
            listed = await ask(self._api.charges.list_async(parameters))
            found += [copying.copy_attempt(charge) for charge in listed.data]
        # Stable, so that those of one intent stay as Stripe lists them.
        return sorted(found, key=lambda attempt: attempt.created_at, reverse=True)

    @bounded
    async def was_asked_for(self, attempt: AttemptCopy, idempotency_key: str) -> bool | None:
        made_at = copying.seconds(attempt.created_at)
        parameters = {
            "types": _MADE,
            "created": {"gte": made_at, "lte": made_at + _TOLD_WITHIN_SECONDS},
        }
        keys = [
            event.request.idempotency_key if event.request else None
            async for event in pages(self._api.events.list_async, parameters)
            if event.data.object["id"] == attempt.id
        ]
        return idempotency_key in keys if keys else None

    async def _settle(
        self, invoice_id: str, call: Awaitable[stripe.Invoice], *wanted: str
    ) -> InvoiceCopy:
        """What a call makes of an invoice; refused, it is fine where the invoice is so already."""
        try:
            invoice = await ask(call)
        except ProviderRefused as refusal:
            return await self._settled(invoice_id, refusal, *wanted)
        with after_a_change():
            return await whole_invoice(self._api, invoice)

    async def _settled(
        self, invoice_id: str, refusal: ProviderRefused, *wanted: str
    ) -> InvoiceCopy:
        """An invoice that is as wanted although the call was refused; else raises the refusal."""
        if refusal.provider_code == "resource_missing":
            raise refusal
        with after_a_change():
            invoice = await self._retrieve_invoice(invoice_id, copying.INVOICE)
        if invoice.status not in wanted:
            raise refusal from None
        with after_a_change():
            return await whole_invoice(self._api, invoice)

    async def _retrieve_invoice(self, invoice_id: str, expand: list[str]) -> stripe.Invoice:
        """An invoice with all its payments, if they are expanded."""
        call = self._api.invoices.retrieve_async(invoice_id, {"expand": expand})
        invoice = await ask(call)
        await fill_payments(self._api, invoice)
        return invoice

    @bounded
    async def invoice_links(self, invoice_id: str) -> InvoiceLinks | None:
        call = self._api.invoices.retrieve_async(invoice_id, {"expand": copying.INVOICE})
        invoice = await find(call, lambda found: found)
        if invoice is None:
            return None
        await fill_payments(self._api, invoice)
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

    async def list_refunds(self, payment_intent_id: str) -> list[Refund]:
        parameters: RefundListParams = {"payment_intent": payment_intent_id, "limit": PAGE}
        listed = await ask(self._api.refunds.list_async(parameters))
        return [copying.copy_refund(refund) for refund in listed.data]

    async def list_credit_notes(self, customer_id: str) -> list[CreditNote]:
        parameters: CreditNoteListParams = {"customer": customer_id, "limit": PAGE}
        listed = await ask(self._api.credit_notes.list_async(parameters))
        return [copying.copy_credit_note(note) for note in listed.data]
