"""Invoices of which there is news, as they are now, with what decides what follows from them."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from guichet.db import Unit
from guichet.money import Money


class InvoiceNow(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice; its times are its customer's."""

    id: str
    customer_id: str
    subscription_id: str | None
    test_clock_id: str | None
    now: datetime
    number: str | None
    status: str
    collection_method: str
    billing_reason: str | None
    attempt_count: int
    remaining: int
    paid: Money
    paid_at: datetime | None
    #: None without a subscription, and where the mirror has not seen it.
    subscription_status: str | None
    #: It is for a change that is made only if it is paid.
    is_for_pending_update: bool
    #: When its first charge was refused, as far as the mirror knows of one.
    first_failure_at: datetime | None
    has_case: bool


async def read_invoices(unit: Unit, ids: Collection[str]) -> list[InvoiceNow]:
    """The invoices with these ids that the mirror has, in the order of their ids."""
    if not ids:
        return []
    rows = await unit.fetch(
        """
        select json_build_object(
          'id', invoice.id,
          'customer_id', invoice.customer_id,
          'subscription_id', invoice.subscription_id,
          'test_clock_id', customer.test_clock_id,
          'now', coalesce(clock.frozen_at, now()),
          'number', invoice.number,
          'status', invoice.status,
          'collection_method', invoice.collection_method,
          'billing_reason', invoice.billing_reason,
          'attempt_count', invoice.attempt_count,
          'remaining', invoice.amount_remaining,
          'paid', json_build_object('amount', invoice.amount_paid, 'currency', invoice.currency),
          'paid_at', invoice.paid_at,
          'subscription_status', subscription.status,
          'is_for_pending_update',
            invoice.billing_reason = 'subscription_update'
            and subscription.pending_update is not null
            and subscription.latest_invoice_id = invoice.id
            is true,
          'first_failure_at', (
            select min(attempt.created_at)
            from invoice_payments as payment
            join payment_attempts as attempt
              on attempt.tenant_id = $1
              and attempt.payment_intent_id = payment.payment_intent_id
            where payment.tenant_id = $1
            and payment.invoice_id = invoice.id
            and attempt.status = 'failed'
          ),
          'has_case', exists (
            select
            from dunning_cases as dunning_case
            where dunning_case.tenant_id = $1
            and dunning_case.invoice_id = invoice.id
          )
        )::text as document
        from invoices as invoice
        left join customers as customer
          on customer.tenant_id = $1
          and customer.id = invoice.customer_id
        left join test_clocks as clock
          on clock.tenant_id = $1
          and clock.id = customer.test_clock_id
        left join subscriptions as subscription
          on subscription.tenant_id = $1
          and subscription.id = invoice.subscription_id
        where invoice.tenant_id = $1
        and invoice.id = any($2::text[])
        order by invoice.id
        """,
        unit.tenant_id,
        list(ids),
    )
    return [msgspec.json.decode(row["document"], type=InvoiceNow) for row in rows]
