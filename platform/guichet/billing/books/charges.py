"""What must hold of every charge in the mirror: it pays one invoice, once.

A charge whose payment belongs to no invoice at all is one that the merchant made besides.
"""

from guichet.billing.books.breaches import MOST, breaches
from guichet.billing.books.differences import Difference
from guichet.db import Unit


async def payment_unknown(unit: Unit) -> list[Difference]:
    """A charge that succeeded for an invoice's payment has paid exactly one invoice."""
    rows = await unit.fetch(
        """
        select
          attempt.id,
          jsonb_build_object(
            'payment_intent_id', attempt.payment_intent_id,
            'paid', count(payment.id) filter (where payment.status = 'paid')
          )::text as held
        from payment_attempts as attempt
        join invoice_payments as payment
          on payment.tenant_id = $1
          and payment.payment_intent_id = attempt.payment_intent_id
        where attempt.tenant_id = $1
        and attempt.status = 'succeeded'
        group by attempt.tenant_id, attempt.id
        having count(payment.id) filter (where payment.status = 'paid') <> 1
        order by attempt.id
        limit $2
        """,
        unit.tenant_id,
        MOST,
    )
    return breaches("payment_unknown", "attempt", rows)


async def charge_missing(unit: Unit) -> list[Difference]:
    """A payment that was made by a payment intent has a charge that succeeded."""
    rows = await unit.fetch(
        """
        select
          payment.invoice_id as id,
          jsonb_build_object(
            'payment_intent_id', payment.payment_intent_id,
            'amount_paid', payment.amount_paid
          )::text as held
        from invoice_payments as payment
        where payment.tenant_id = $1
        and payment.status = 'paid'
        and payment.payment_intent_id is not null
        and payment.amount_paid > 0
        and not exists (
          select
          from payment_attempts as attempt
          where attempt.tenant_id = $1
          and attempt.payment_intent_id = payment.payment_intent_id
          and attempt.status = 'succeeded'
        )
        order by payment.invoice_id
        limit $2
        """,
        unit.tenant_id,
        MOST,
    )
    return breaches("charge_missing", "invoice", rows)


async def charged_twice(unit: Unit) -> list[Difference]:
    """Of one payment intent one charge succeeds; told of the last one."""
    rows = await unit.fetch(
        """
        select
          max(id) as id,
          jsonb_build_object(
            'payment_intent_id', payment_intent_id,
            'charges', jsonb_agg(id order by created_at)
          )::text as held
        from payment_attempts
        where tenant_id = $1
        and status = 'succeeded'
        and payment_intent_id is not null
        group by payment_intent_id
        having count(1) > 1
        order by max(id)
        limit $2
        """,
        unit.tenant_id,
        MOST,
    )
    return breaches("charged_twice", "attempt", rows)
