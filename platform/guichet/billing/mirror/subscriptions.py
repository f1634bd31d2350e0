"""Subscriptions with their items in the mirror."""

from collections.abc import Sequence

import msgspec

from guichet.db import Unit
from guichet.payments.copies import SubscriptionCopy


async def write_subscriptions(
    unit: Unit, copies: Sequence[SubscriptionCopy], copy_no: int
) -> set[str]:
    """Write copies with their items; answers the ids of those that were newer."""
    rows = await unit.fetch(
        """
        insert into subscriptions as held (
          tenant_id,
          id,
          customer_id,
          status,
          currency,
          collection_method,
          default_payment_method_id,
          cancel_at_period_end,
          cancel_at,
          canceled_at,
          cancellation_feedback,
          cancellation_comment,
          ended_at,
          trial_end_at,
          current_period_start_at,
          current_period_end_at,
          latest_invoice_id,
          schedule_id,
          schedule_is_ours,
          pending_at,
          pending_price_id,
          pending_quantity,
          pending_update,
          pause,
          discounts,
          created_at,
          copy_no
        )
        select
          $1,
          copy.id,
          copy.customer_id,
          copy.status,
          copy.currency,
          copy.collection_method,
          copy.default_payment_method_id,
          copy.cancel_at_period_end,
          copy.cancel_at,
          copy.canceled_at,
          copy.cancellation_feedback,
          copy.cancellation_comment,
          copy.ended_at,
          copy.trial_end_at,
          copy.current_period_start_at,
          copy.current_period_end_at,
          copy.latest_invoice_id,
          copy.schedule_id,
          copy.schedule_is_ours,
          (given #>> '{pending,at}')::timestamptz,
          given #>> '{pending,price_id}',
          (given #>> '{pending,quantity}')::integer,
          copy.pending_update,
          copy.pause,
          copy.discounts,
          copy.created_at,
          $3
        from jsonb_array_elements($2::jsonb) as given
        cross join jsonb_populate_record(null::subscriptions, given) as copy
        order by copy.id collate "C"
        on conflict (tenant_id, id) do update
        set
          customer_id = excluded.customer_id,
          status = excluded.status,
          currency = excluded.currency,
          collection_method = excluded.collection_method,
          default_payment_method_id = excluded.default_payment_method_id,
          cancel_at_period_end = excluded.cancel_at_period_end,
          cancel_at = excluded.cancel_at,
          canceled_at = excluded.canceled_at,
          cancellation_feedback = excluded.cancellation_feedback,
          cancellation_comment = excluded.cancellation_comment,
          ended_at = excluded.ended_at,
          trial_end_at = excluded.trial_end_at,
          current_period_start_at = excluded.current_period_start_at,
          current_period_end_at = excluded.current_period_end_at,
          latest_invoice_id = excluded.latest_invoice_id,
          schedule_id = excluded.schedule_id,
          schedule_is_ours = excluded.schedule_is_ours,
          pending_at = excluded.pending_at,
          pending_price_id = excluded.pending_price_id,
          pending_quantity = excluded.pending_quantity,
          pending_update = excluded.pending_update,
          pause = excluded.pause,
          discounts = excluded.discounts,
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
        await _replace_items(unit, newer)
    return written


async def _replace_items(unit: Unit, copies: Sequence[SubscriptionCopy]) -> None:
    """Write the items in a statement of their own, under the locks of their subscriptions' rows.

    A statement that waits for a lock sees the items as they were before it waited, and would leave
    those that the other writer has just added.
    """
    await unit.execute(
        """
        with given as (
          select
            parent.id as subscription_id,
            child.id,
            child.ordinality as position,
            child.price_id,
            child.quantity
          from jsonb_to_recordset($2::jsonb) as parent (id text, items jsonb)
          cross join jsonb_populate_recordset(null::subscription_items, parent.items)
            with ordinality as child
        ),
        removed as (
          delete from subscription_items as held
          where held.tenant_id = $1
          and held.subscription_id = any($3::text[])
          and not exists (
            select
            from given
            where given.subscription_id = held.subscription_id
            and given.id = held.id
          )
        )
        insert into subscription_items (
          tenant_id,
          subscription_id,
          id,
          position,
          price_id,
          quantity
        )
        select
          $1,
          given.subscription_id,
          given.id,
          given.position,
          given.price_id,
          given.quantity
        from given
        on conflict (tenant_id, subscription_id, id) do update
        set
          position = excluded.position,
          price_id = excluded.price_id,
          quantity = excluded.quantity
        """,
        unit.tenant_id,
        msgspec.json.encode(copies).decode(),
        [copy.id for copy in copies],
    )
