"""Receipts for invoices that were just paid."""

from collections.abc import Collection
from datetime import datetime, timedelta

import asyncpg

from guichet.billing.dunning.cases.owing import InvoiceNow
from guichet.billing.mails import Mail
from guichet.db import Unit

#: A receipt that comes later says nothing that anybody waits for.
_WITHIN = timedelta(days=1)


def needs_receipt(invoice: InvoiceNow) -> bool:
    """Whether its customer is told that it is paid; where it once failed, `recovered` tells."""
    return (
        invoice.status == "paid"
        and invoice.paid.amount > 0
        and not invoice.has_case
        and invoice.paid_at is not None
        and invoice.paid_at > invoice.now - _WITHIN
    )


async def receipts(unit: Unit, invoices: Collection[InvoiceNow]) -> list[Mail]:
    """A receipt for each of the paid invoices, with what was paid for and the card."""
    if not invoices:
        return []
    rows = await unit.fetch(
        """
        select
          invoice.id,
          (
            select coalesce(product.name, line.description)
            from invoice_lines as line
            left join prices as price
              on price.tenant_id = $1
              and price.id = line.price_id
            left join products as product
              on product.tenant_id = $1
              and product.id = price.product_id
            where line.tenant_id = $1
            and line.invoice_id = invoice.id
            order by line.proration, line.position
            limit 1
          ) as plan,
          card.brand,
          card.last4
        from invoices as invoice
        left join lateral (
          select method.brand, method.last4
          from invoice_payments as payment
          join payment_attempts as attempt
            on attempt.tenant_id = $1
            and attempt.payment_intent_id = payment.payment_intent_id
          join payment_methods as method
            on method.tenant_id = $1
            and method.id = attempt.payment_method_id
          where payment.tenant_id = $1
          and payment.invoice_id = invoice.id
          and attempt.status = 'succeeded'
          order by attempt.created_at desc
          limit 1
        ) as card on true
        where invoice.tenant_id = $1
        and invoice.id = any($2::text[])
        """,
        unit.tenant_id,
        [invoice.id for invoice in invoices],
    )
    found = {row["id"]: row for row in rows}
    return [
        _receipt(invoice, invoice.paid_at, found[invoice.id])
        for invoice in invoices
        if invoice.paid_at is not None and invoice.id in found
    ]


def _receipt(invoice: InvoiceNow, paid_at: datetime, row: asyncpg.Record) -> Mail:
    facts: dict[str, object] = {
        "invoice_id": invoice.id,
        "invoice_number": invoice.number,
        "subscription_id": invoice.subscription_id,
        "amount": invoice.paid,
        "at": paid_at,
        "plan": row["plan"],
        "brand": row["brand"],
        "last4": row["last4"],
    }
    return Mail("receipt", invoice.customer_id, f"receipt:{invoice.id}", facts, paid_at)
