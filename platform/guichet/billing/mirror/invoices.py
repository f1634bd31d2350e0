"""Invoices with their lines and payments in the mirror."""

from collections.abc import Sequence

import msgspec

from guichet.db import Unit
from guichet.payments.copies import InvoiceCopy


async def write_invoices(unit: Unit, copies: Sequence[InvoiceCopy], copy_no: int) -> set[str]:
    """Write copies with their lines and payments; answers the ids of those that were newer."""
    rows = await unit.fetch(
        """
        insert into invoices as held (
          tenant_id,
          id,
          customer_id,
          subscription_id,
          number,
          status,
          billing_reason,
          collection_method,
          currency,
          subtotal,
          total,
          amount_due,
          amount_paid,
          amount_remaining,
          attempt_count,
          next_payment_attempt_at,
          period_start_at,
          period_end_at,
          due_at,
          finalized_at,
          paid_at,
          voided_at,
          created_at,
          copy_no
        )
        select
          $1,
          copy.id,
          copy.customer_id,
          copy.subscription_id,
          copy.number,
          copy.status,
          copy.billing_reason,
          copy.collection_method,
          copy.currency,
          copy.subtotal,
          copy.total,
          copy.amount_due,
          copy.amount_paid,
          copy.amount_remaining,
          copy.attempt_count,
          copy.next_payment_attempt_at,
          copy.period_start_at,
          copy.period_end_at,
          copy.due_at,
          copy.finalized_at,
          copy.paid_at,
          copy.voided_at,
          copy.created_at,
          $3
        from jsonb_populate_recordset(null::invoices, $2::jsonb) as copy
        order by copy.id collate "C"
        on conflict (tenant_id, id) do update
        set
          customer_id = excluded.customer_id,
          subscription_id = excluded.subscription_id,
          number = excluded.number,
          status = excluded.status,
          billing_reason = excluded.billing_reason,
          collection_method = excluded.collection_method,
          currency = excluded.currency,
          subtotal = excluded.subtotal,
          total = excluded.total,
          amount_due = excluded.amount_due,
          amount_paid = excluded.amount_paid,
          amount_remaining = excluded.amount_remaining,
          attempt_count = excluded.attempt_count,
          next_payment_attempt_at = excluded.next_payment_attempt_at,
          period_start_at = excluded.period_start_at,
          period_end_at = excluded.period_end_at,
          due_at = excluded.due_at,
          finalized_at = excluded.finalized_at,
          paid_at = excluded.paid_at,
          voided_at = excluded.voided_at,
          created_at = excluded.created_at,
          copy_no = excluded.copy_no
        where held.tenant_id = $1
        and held.copy_no < excluded.copy_no
        returning id
        """,
        unit.tenant_id,
        msgspec.json.encode(copies).decode(),
        copy_no,
    )
    written = {row["id"] for row in rows}
    newer = [copy for copy in copies if copy.id in written]
    if newer:
        await _replace_lines(unit, newer)
        await _replace_payments(unit, newer)
    return written


async def _replace_lines(unit: Unit, copies: Sequence[InvoiceCopy]) -> None:
    """Write the lines under the locks of their invoices' rows, as a subscription's items are."""
    await unit.execute(
        """
        with given as (
          select
            parent.id as invoice_id,
            child.id,
            child.ordinality as position,
            child.description,
            child.amount,
            child.quantity,
            child.price_id,
            child.subscription_item_id,
            child.period_start_at,
            child.period_end_at,
            child.proration
          from jsonb_to_recordset($2::jsonb) as parent (id text, lines jsonb)
          cross join jsonb_populate_recordset(null::invoice_lines, parent.lines)
            with ordinality as child
        ),
        removed as (
          delete from invoice_lines as held
          where held.tenant_id = $1
          and held.invoice_id = any($3::text[])
          and not exists (
            select
            from given
            where given.invoice_id = held.invoice_id
            and given.id = held.id
          )
        )
        insert into invoice_lines (
          tenant_id,
          invoice_id,
          id,
          position,
          description,
          amount,
          quantity,
          price_id,
          subscription_item_id,
          period_start_at,
          period_end_at,
          proration
        )
        select
          $1,
          given.invoice_id,
          given.id,
          given.position,
          given.description,
          given.amount,
          given.quantity,
          given.price_id,
          given.subscription_item_id,
          given.period_start_at,
          given.period_end_at,
          given.proration
        from given
        on conflict (tenant_id, invoice_id, id) do update
        set
          position = excluded.position,
          description = excluded.description,
          amount = excluded.amount,
          quantity = excluded.quantity,
          price_id = excluded.price_id,
          subscription_item_id = excluded.subscription_item_id,
          period_start_at = excluded.period_start_at,
          period_end_at = excluded.period_end_at,
          proration = excluded.proration
        """,
        unit.tenant_id,
        msgspec.json.encode(copies).decode(),
        [copy.id for copy in copies],
    )


async def _replace_payments(unit: Unit, copies: Sequence[InvoiceCopy]) -> None:
    """Write the payments as the lines are."""
    await unit.execute(
        """
        with given as (
          select
            parent.id as invoice_id,
            child.id,
            child.ordinality as position,
            child.payment_intent_id,
            child.status,
            child.amount_requested,
            child.amount_paid,
            child.is_default,
            child.paid_at
          from jsonb_to_recordset($2::jsonb) as parent (id text, payments jsonb)
          cross join jsonb_populate_recordset(null::invoice_payments, parent.payments)
            with ordinality as child
        ),
        removed as (
          delete from invoice_payments as held
          where held.tenant_id = $1
          and held.invoice_id = any($3::text[])
          and not exists (
            select
            from given
            where given.invoice_id = held.invoice_id
            and given.id = held.id
          )
        )
        insert into invoice_payments (
          tenant_id,
          invoice_id,
          id,
          position,
          payment_intent_id,
          status,
          amount_requested,
          amount_paid,
          is_default,
          paid_at
        )
        select
          $1,
          given.invoice_id,
          given.id,
          given.position,
          given.payment_intent_id,
          given.status,
          given.amount_requested,
          given.amount_paid,
          given.is_default,
          given.paid_at
        from given
        on conflict (tenant_id, invoice_id, id) do update
        set
          position = excluded.position,
          payment_intent_id = excluded.payment_intent_id,
          status = excluded.status,
          amount_requested = excluded.amount_requested,
          amount_paid = excluded.amount_paid,
          is_default = excluded.is_default,
          paid_at = excluded.paid_at
        """,
        unit.tenant_id,
        msgspec.json.encode(copies).decode(),
        [copy.id for copy in copies],
    )
