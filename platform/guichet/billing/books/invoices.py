"""What must hold of every invoice in the mirror: its amounts, its lines, what was taken for it."""

from guichet.billing.books.breaches import MOST, breaches
from guichet.billing.books.differences import Difference
from guichet.db import Unit


async def amount_uncovered(unit: Unit) -> list[Difference]:
    """A paid invoice's payments make up its amount.

    One that nothing was paid for at the provider was paid outside of it, be it after attempts that
    failed: their payment is there, as one that was given up. Without it a part is missing here.
    """
    rows = await unit.fetch(
        """
        select
          invoice.id,
          jsonb_build_object(
            'amount_paid', invoice.amount_paid,
            'payments', coalesce(sum(payment.amount_paid), 0)
          )::text as held
        from invoices as invoice
        left join invoice_payments as payment
          on payment.tenant_id = $1
          and payment.invoice_id = invoice.id
          and payment.status = 'paid'
        where invoice.tenant_id = $1
        and invoice.status = 'paid'
        and invoice.amount_paid > 0
        group by invoice.tenant_id, invoice.id
        having coalesce(sum(payment.amount_paid), 0) < invoice.amount_paid
        and (
          count(payment.id) > 0
          or (
            invoice.attempt_count > 0
            and not exists (
              select
              from invoice_payments as given_up
              where given_up.tenant_id = $1
              and given_up.invoice_id = invoice.id
            )
          )
        )
        order by invoice.id
        limit $2
        """,
        unit.tenant_id,
        MOST,
    )
    return breaches("amount_uncovered", "invoice", rows)


async def amounts_contradict(unit: Unit) -> list[Difference]:
    """Nothing is left of a paid invoice, and never more than is due less what was paid.

    It may be less: credit notes lower what remains and leave what was due. Source:
    https://docs.stripe.com/api/invoices/object
    """
    rows = await unit.fetch(
        """
        select
          id,
          jsonb_build_object(
            'status', status,
            'total', total,
            'amount_due', amount_due,
            'amount_paid', amount_paid,
            'amount_remaining', amount_remaining,
            'paid_at', paid_at,
            'finalized_at', finalized_at
          )::text as held
        from invoices
        where tenant_id = $1
        and (
          amount_due < 0
          or amount_paid < 0
          or amount_remaining < 0
          or amount_remaining > greatest(amount_due - amount_paid, 0)
          or (status = 'paid' and (amount_remaining > 0 or paid_at is null))
          or (status = 'open' and amount_remaining = 0)
          or (status in ('draft', 'open', 'uncollectible') and paid_at is not null)
          or (status in ('open', 'paid', 'uncollectible') and finalized_at is null)
          or (status = 'draft' and finalized_at is not null)
        )
        order by id
        limit $2
        """,
        unit.tenant_id,
        MOST,
    )
    return breaches("amounts_contradict", "invoice", rows)


async def lines_do_not_add_up(unit: Unit) -> list[Difference]:
    rows = await unit.fetch(
        """
        select
          invoice.id,
          jsonb_build_object(
            'subtotal', invoice.subtotal,
            'lines', coalesce(sum(line.amount), 0)
          )::text as held
        from invoices as invoice
        left join invoice_lines as line
          on line.tenant_id = $1
          and line.invoice_id = invoice.id
        where invoice.tenant_id = $1
        group by invoice.tenant_id, invoice.id
        having coalesce(sum(line.amount), 0) <> invoice.subtotal
        order by invoice.id
        limit $2
        """,
        unit.tenant_id,
        MOST,
    )
    return breaches("lines_do_not_add_up", "invoice", rows)


async def paid_twice(unit: Unit) -> list[Difference]:
    """No more is taken for an invoice than is due, less what was given back."""
    rows = await unit.fetch(
        """
        select
          invoice.id,
          jsonb_build_object(
            'amount_due', invoice.amount_due,
            'taken', sum(attempt.amount - attempt.amount_refunded),
            'charges', count(attempt.id)
          )::text as held
        from invoices as invoice
        join lateral (
          select distinct payment.payment_intent_id as intent
          from invoice_payments as payment
          where payment.tenant_id = $1
          and payment.invoice_id = invoice.id
        ) as payment
          on true
        join payment_attempts as attempt
          on attempt.tenant_id = $1
          and attempt.payment_intent_id = payment.intent
          and attempt.status = 'succeeded'
        where invoice.tenant_id = $1
        group by invoice.tenant_id, invoice.id
        having sum(attempt.amount - attempt.amount_refunded) > invoice.amount_due
        order by invoice.id
        limit $2
        """,
        unit.tenant_id,
        MOST,
    )
    return breaches("paid_twice", "invoice", rows)
