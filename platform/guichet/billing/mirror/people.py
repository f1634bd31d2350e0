"""Customers and their payment methods in the mirror."""

from collections.abc import Sequence

import msgspec

from guichet.db import Unit
from guichet.payments.copies import CustomerCopy, PaymentMethodCopy


async def write_customers(unit: Unit, copies: Sequence[CustomerCopy], copy_no: int) -> set[str]:
    """Write copies of customers that are not deleted; answers the ids of the newer ones."""
    rows = await unit.fetch(
        """
        insert into customers as held (
          tenant_id,
          id,
          deleted,
          email,
          name,
          phone,
          address,
          shipping,
          tax_ids,
          tax_exempt,
          preferred_locales,
          currency,
          balance,
          default_payment_method_id,
          fallback_payment_method_ids,
          created_at,
          test_clock_id,
          copy_no
        )
        select
          $1,
          copy.id,
          copy.deleted,
          copy.email,
          copy.name,
          copy.phone,
          copy.address,
          copy.shipping,
          copy.tax_ids,
          copy.tax_exempt,
          copy.preferred_locales,
          copy.currency,
          copy.balance,
          copy.default_payment_method_id,
          copy.fallback_payment_method_ids,
          copy.created_at,
          copy.test_clock_id,
          $3
        from jsonb_populate_recordset(null::customers, $2::jsonb) as copy
        order by copy.id collate "C"
        on conflict (tenant_id, id) do update
        set
          deleted = excluded.deleted,
          email = excluded.email,
          name = excluded.name,
          phone = excluded.phone,
          address = excluded.address,
          shipping = excluded.shipping,
          tax_ids = excluded.tax_ids,
          tax_exempt = excluded.tax_exempt,
          preferred_locales = excluded.preferred_locales,
          currency = excluded.currency,
          balance = excluded.balance,
          default_payment_method_id = excluded.default_payment_method_id,
          fallback_payment_method_ids = excluded.fallback_payment_method_ids,
          created_at = excluded.created_at,
          test_clock_id = excluded.test_clock_id,
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


async def write_payment_methods(
    unit: Unit, copies: Sequence[PaymentMethodCopy], copy_no: int
) -> set[str]:
    """Write copies; answers the ids of those that were newer than what was there."""
    rows = await unit.fetch(
        """
        insert into payment_methods as held (
          tenant_id,
          id,
          customer_id,
          type,
          brand,
          last4,
          exp_month,
          exp_year,
          country,
          funding,
          fingerprint,
          created_at,
          copy_no
        )
        select
          $1,
          copy.id,
          copy.customer_id,
          copy.type,
          copy.brand,
          copy.last4,
          copy.exp_month,
          copy.exp_year,
          copy.country,
          copy.funding,
          copy.fingerprint,
          copy.created_at,
          $3
        from jsonb_populate_recordset(null::payment_methods, $2::jsonb) as copy
        order by copy.id collate "C"
        on conflict (tenant_id, id) do update
        set
          customer_id = excluded.customer_id,
          type = excluded.type,
          brand = excluded.brand,
          last4 = excluded.last4,
          exp_month = excluded.exp_month,
          exp_year = excluded.exp_year,
          country = excluded.country,
          funding = excluded.funding,
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
