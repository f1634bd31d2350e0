"""Customers and their payment methods in the mirror."""

from guichet.db import Unit
from guichet.payments.copies import CustomerCopy, PaymentMethodCopy


async def write_customer(unit: Unit, copy: CustomerCopy, copy_no: int) -> bool:
    """Write a copy; answers False when a newer one is there.

    Of a deleted customer the provider tells nothing but that. What was known is kept, and one that
    was never seen is noted, so that an older copy which is still under way does not revive it.
    """
    if copy.deleted:
        return await _write_deleted_customer(unit, copy.id, copy_no)
    written = await unit.fetchval(
        """
        insert into customers as held (
          tenant_id, id, email, name, currency, default_payment_method_id, created_at, copy_no
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant_id, id) do update
        set
          email = excluded.email,
          name = excluded.name,
          currency = excluded.currency,
          default_payment_method_id = excluded.default_payment_method_id,
          deleted = false,
          created_at = excluded.created_at,
          copy_no = excluded.copy_no
        where held.tenant_id = $1
        and held.copy_no < excluded.copy_no
        returning true
        """,
        unit.tenant_id,
        copy.id,
        copy.email,
        copy.name,
        copy.currency,
        copy.default_payment_method_id,
        copy.created_at,
        copy_no,
    )
    return bool(written)


async def _write_deleted_customer(unit: Unit, customer_id: str, copy_no: int) -> bool:
    written = await unit.fetchval(
        """
        insert into customers as held (tenant_id, id, deleted, created_at, copy_no)
        values ($1, $2, true, now(), $3)
        on conflict (tenant_id, id) do update
        set
          deleted = true,
          copy_no = excluded.copy_no
        where held.tenant_id = $1
        and held.copy_no < excluded.copy_no
        returning true
        """,
        unit.tenant_id,
        customer_id,
        copy_no,
    )
    return bool(written)


async def write_payment_method(unit: Unit, copy: PaymentMethodCopy, copy_no: int) -> bool:
    """Write a copy; answers False when a newer one is there."""
    written = await unit.fetchval(
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
          created_at,
          copy_no
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (tenant_id, id) do update
        set
          customer_id = excluded.customer_id,
          type = excluded.type,
          brand = excluded.brand,
          last4 = excluded.last4,
          exp_month = excluded.exp_month,
          exp_year = excluded.exp_year,
          created_at = excluded.created_at,
          copy_no = excluded.copy_no
        where held.tenant_id = $1
        and held.copy_no < excluded.copy_no
        returning true
        """,
        unit.tenant_id,
        copy.id,
        copy.customer_id,
        copy.type,
        copy.brand,
        copy.last4,
        copy.exp_month,
        copy.exp_year,
        copy.created_at,
        copy_no,
    )
    return bool(written)


async def write_payment_method_gone(unit: Unit, payment_method_id: str, copy_no: int) -> bool:
    """Detach one that the provider no longer knows."""
    written = await unit.fetchval(
        """
        update payment_methods
        set
          customer_id = null,
          copy_no = $3
        where tenant_id = $1
        and id = $2
        and copy_no < $3
        returning true
        """,
        unit.tenant_id,
        payment_method_id,
        copy_no,
    )
    return bool(written)
