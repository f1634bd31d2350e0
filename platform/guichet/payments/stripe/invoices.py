"""Invoices at Stripe and the payments for them, in our words."""

from stripe.params import PaymentIntentRetrieveParams

from guichet.payments.answers import InvoiceLinks
from guichet.payments.stripe import copying
from guichet.payments.stripe.access import Access
from guichet.payments.stripe.calls import bounded, find


class Invoices(Access):
    """What is done with invoices."""

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
