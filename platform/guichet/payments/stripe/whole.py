"""Stripe's objects to their last part: of a list within an object it shows the first ten.

Source: https://docs.stripe.com/api/pagination, and https://docs.stripe.com/billing/subscriptions/multiple-products
for the twenty items that a subscription may have.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import stripe

from guichet.payments.copies import CustomerCopy, InvoiceCopy, SubscriptionCopy
from guichet.payments.stripe import copying
from guichet.payments.stripe.calls import pages

_Listed = TypeVar("_Listed", bound=stripe.StripeObject)


async def whole_subscription(
    api: stripe.V1Services, subscription: stripe.Subscription
) -> SubscriptionCopy:
    """The copy of a subscription with all its items."""
    await fill_items(api, subscription)
    return copying.copy_subscription(subscription)


async def whole_invoice(api: stripe.V1Services, invoice: stripe.Invoice) -> InvoiceCopy:
    """The copy of an invoice with all its lines and payments."""
    await fill_lines(api, invoice)
    await fill_payments(api, invoice)
    return copying.copy_invoice(invoice)


async def whole_customer(api: stripe.V1Services, customer: stripe.Customer) -> CustomerCopy:
    """The copy of a customer with all their tax ids."""
    await _fill(
        getattr(customer, "tax_ids", None),
        partial(api.customers.tax_ids.list_async, customer.id),
    )
    return copying.copy_customer(customer)


async def fill_items(api: stripe.V1Services, subscription: stripe.Subscription) -> None:
    await _fill(subscription.items, api.subscription_items.list_async, subscription=subscription.id)


async def fill_lines(api: stripe.V1Services, invoice: stripe.Invoice) -> None:
    await _fill(invoice.lines, partial(api.invoices.line_items.list_async, invoice.id))


async def fill_payments(api: stripe.V1Services, invoice: stripe.Invoice) -> None:
    """List the rest of the payments, if they were expanded, with their intents."""
    await _fill(
        getattr(invoice, "payments", None),
        api.invoice_payments.list_async,
        invoice=invoice.id,
        expand=["data.payment.payment_intent"],
    )


async def _fill(
    embedded: stripe.ListObject[_Listed] | None,
    call: Callable[[Any], Awaitable[stripe.ListObject[_Listed]]],
    **parameters: Any,
) -> None:
    if embedded is not None and embedded.has_more:
        embedded.data = [each async for each in pages(call, parameters)]
        embedded.has_more = False
