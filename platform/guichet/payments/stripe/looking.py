"""A glance at an invoice before it is paid: the few fields that say whether it may be.

The SDK makes an object of every field of an answer, which costs half of what the whole request
does; at each of many retries nobody reads them.
"""

from urllib.parse import quote

import msgspec
import stripe

from guichet.payments.stripe.calls import ask
from guichet.payments.stripe.copying import is_on_its_way


class _Intent(msgspec.Struct):
    status: str


class _Payment(msgspec.Struct):
    #: None for what is paid in another way.
    payment_intent: _Intent | None = None


class _InvoicePayment(msgspec.Struct):
    status: str
    payment: _Payment


class _Payments(msgspec.Struct):
    data: list[_InvoicePayment]
    has_more: bool


class _Glance(msgspec.Struct):
    status: str | None
    payments: _Payments

    @property
    def may_be_paid(self) -> bool:
        """Whether it is open, and none of the first of its payments is on its way."""
        under_way = any(
            payment.status == "open"
            and payment.payment.payment_intent is not None
            and is_on_its_way(payment.payment.payment_intent.status)
            for payment in self.payments.data
        )
        return self.status == "open" and not under_way and not self.payments.has_more


_decoder = msgspec.json.Decoder(_Glance)


async def may_be_paid(client: stripe.StripeClient, invoice_id: str, expand: list[str]) -> bool:
    """Whether an invoice may be asked for; where it is not certain, the whole tells more.

    `expand` names the payments and their intents. Raises a `ProviderError`.
    """
    path = f"/v1/invoices/{quote(invoice_id, safe='')}"
    answer = await ask(client.raw_request_async("get", path, expand=expand))
    try:
        return _decoder.decode(answer.body).may_be_paid
    except msgspec.ValidationError:
        return False
