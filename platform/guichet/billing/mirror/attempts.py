"""Attempts at payments in the mirror."""

from collections.abc import Sequence

import msgspec

from guichet.db import Unit
from guichet.payments.copies import AttemptCopy


async def write_attempts(unit: Unit, copies: Sequence[AttemptCopy], copy_no: int) -> set[str]:
    """Write copies; answers the ids of those that were newer than what was there."""
    rows = await unit.fetch(
        """
        insert into payment_attempts as held (
          tenant_id,
          id,
          customer_id,
          payment_intent_id,
          payment_method_id,
          status,
          currency,
          amount,
          amount_refunded,
          failure_code,
          decline_code,
          advice_code,
          network_decline_code,
          network_advice_code,
          network,
          fingerprint,
          created_at,
          copy_no
        )
        select
          $1,
          copy.id,
          copy.customer_id,
          copy.payment_intent_id,
          copy.payment_method_id,
          copy.status,
          copy.currency,
          copy.amount,
          copy.amount_refunded,
          copy.failure_code,
          copy.decline_code,
          copy.advice_code,
          copy.network_decline_code,
          copy.network_advice_code,
          copy.network,
          copy.fingerprint,
          copy.created_at,
          $3
        from jsonb_populate_recordset(null::payment_attempts, $2::jsonb) as copy
        order by copy.id collate "C"
        on conflict (tenant_id, id) do update
        set
          customer_id = excluded.customer_id,
          payment_intent_id = excluded.payment_intent_id,
          payment_method_id = excluded.payment_method_id,
          status = excluded.status,
          currency = excluded.currency,
          amount = excluded.amount,
          amount_refunded = excluded.amount_refunded,
          failure_code = excluded.failure_code,
          decline_code = excluded.decline_code,
          advice_code = excluded.advice_code,
          network_decline_code = excluded.network_decline_code,
          network_advice_code = excluded.network_advice_code,
          network = excluded.network,
          fingerprint = excluded.fingerprint,
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
    return {row["id"] for row in rows}
