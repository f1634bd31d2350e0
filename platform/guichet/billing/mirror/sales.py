"""Subscriptions and invoices in the mirror."""

from guichet.db import Unit
from guichet.payments.copies import InvoiceCopy, SubscriptionCopy


async def write_subscription(unit: Unit, copy: SubscriptionCopy, copy_no: int) -> bool:
    """Write a copy with its items; answers False when a newer one is there."""
    written = await unit.fetchval(
        """
        insert into subscriptions as held (
          tenant_id,
          id,
          customer_id,
          status,
          currency,
          default_payment_method_id,
          cancel_at_period_end,
          cancel_at,
          canceled_at,
          ended_at,
          trial_end_at,
          current_period_start_at,
          current_period_end_at,
          schedule_id,
          pending_price_id,
          pending_quantity,
          pending_at,
          created_at,
          copy_no
        )
        values (
          $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19
        )
        on conflict (tenant_id, id) do update
        set
          customer_id = excluded.customer_id,
          status = excluded.status,
          currency = excluded.currency,
          default_payment_method_id = excluded.default_payment_method_id,
          cancel_at_period_end = excluded.cancel_at_period_end,
          cancel_at = excluded.cancel_at,
          canceled_at = excluded.canceled_at,
          ended_at = excluded.ended_at,
          trial_end_at = excluded.trial_end_at,
          current_period_start_at = excluded.current_period_start_at,
          current_period_end_at = excluded.current_period_end_at,
          schedule_id = excluded.schedule_id,
          pending_price_id = excluded.pending_price_id,
          pending_quantity = excluded.pending_quantity,
          pending_at = excluded.pending_at,
          created_at = excluded.created_at,
          copy_no = excluded.copy_no
        where held.tenant_id = $1
        and held.copy_no < excluded.copy_no
        returning true
        """,
        unit.tenant_id,
        *_columns(copy),
        copy_no,
    )
    if written:
        await _replace_items(unit, copy)
    return bool(written)


async def _replace_items(unit: Unit, copy: SubscriptionCopy) -> None:
    """Write a subscription's items in a statement of their own, under the lock of its row.

    A statement that waits for the lock sees the items as they were before it waited, and would
    leave those that the other writer has just added.
    """
    await unit.execute(
        """
        with removed as (
          delete from subscription_items
          where tenant_id = $1
          and subscription_id = $2
          and id <> all($3::text[])
        )
        insert into subscription_items (
          tenant_id, subscription_id, id, position, price_id, quantity
        )
        select $1, $2, item.id, item.position, item.price_id, item.quantity
        from unnest($3::text[], $4::text[], $5::integer[])
          with ordinality as item (id, price_id, quantity, position)
        on conflict (tenant_id, subscription_id, id) do update
        set
          position = excluded.position,
          price_id = excluded.price_id,
          quantity = excluded.quantity
        """,
        unit.tenant_id,
        copy.id,
        [item.id for item in copy.items],
        [item.price_id for item in copy.items],
        [item.quantity for item in copy.items],
    )


def _columns(copy: SubscriptionCopy) -> tuple[object, ...]:
    """The subscription's own columns, from its id to when it was created."""
    pending = copy.pending
    return (
        copy.id,
        copy.customer_id,
        copy.status,
        copy.currency,
        copy.default_payment_method_id,
        copy.cancel_at_period_end,
        copy.cancel_at,
        copy.canceled_at,
        copy.ended_at,
        copy.trial_end_at,
        copy.current_period_start_at,
        copy.current_period_end_at,
        copy.schedule_id,
        pending.price_id if pending else None,
        pending.quantity if pending else None,
        pending.at if pending else None,
        copy.created_at,
    )


async def write_invoice(unit: Unit, copy: InvoiceCopy, copy_no: int) -> bool:
    """Write a copy; answers False when a newer one is there."""
    written = await unit.fetchval(
        """
        insert into invoices as held (
          tenant_id,
          id,
          customer_id,
          subscription_id,
          number,
          status,
          currency,
          total,
          amount_paid,
          amount_remaining,
          attempt_count,
          next_payment_attempt_at,
          due_at,
          created_at,
          copy_no
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        on conflict (tenant_id, id) do update
        set
          customer_id = excluded.customer_id,
          subscription_id = excluded.subscription_id,
          number = excluded.number,
          status = excluded.status,
          currency = excluded.currency,
          total = excluded.total,
          amount_paid = excluded.amount_paid,
          amount_remaining = excluded.amount_remaining,
          attempt_count = excluded.attempt_count,
          next_payment_attempt_at = excluded.next_payment_attempt_at,
          due_at = excluded.due_at,
          created_at = excluded.created_at,
          copy_no = excluded.copy_no
        where held.tenant_id = $1
        and held.copy_no < excluded.copy_no
        returning true
        """,
        unit.tenant_id,
        copy.id,
        copy.customer_id,
        copy.subscription_id,
        copy.number,
        copy.status,
        copy.currency,
        copy.total,
        copy.amount_paid,
        copy.amount_remaining,
        copy.attempt_count,
        copy.next_payment_attempt_at,
        copy.due_at,
        copy.created_at,
        copy_no,
    )
    return bool(written)


async def write_invoice_gone(unit: Unit, invoice_id: str, copy_no: int) -> bool:
    """Void an invoice that the provider no longer knows: only drafts can be deleted there."""
    written = await unit.fetchval(
        """
        update invoices
        set
          status = 'void',
          copy_no = $3
        where tenant_id = $1
        and id = $2
        and status = 'draft'
        and copy_no < $3
        returning true
        """,
        unit.tenant_id,
        invoice_id,
        copy_no,
    )
    return bool(written)
