"""Which objects the mirror holds as living, and which copy of each: what books are kept of."""

from collections.abc import Sequence

from guichet.billing.mirror import Kind
from guichet.db import Unit


async def living(unit: Unit, kind: Kind, after: str, limit: int) -> list[str]:
    """Ids of objects that the provider must list, those behind the id `after`.

    Deleted customers, detached methods, and whatever may have been deleted are in no list.
    """
    rows = await unit.fetch(
        """
        select held.id
        from (
          select 'attempt' as kind, id
          from payment_attempts
          where tenant_id = $1
          union all
          select 'customer', id
          from customers
          where tenant_id = $1
          and not deleted
          union all
          select 'invoice', id
          from invoices
          where tenant_id = $1
          and status <> 'void'
          union all
          select 'payment_method', method.id
          from payment_methods as method
          where method.tenant_id = $1
          and exists (
            select
            from customers as customer
            where customer.tenant_id = $1
            and customer.id = method.customer_id
            and not customer.deleted
          )
          union all
          select 'price', id
          from prices
          where tenant_id = $1
          and active
          union all
          select 'product', id
          from products
          where tenant_id = $1
          and active
          union all
          select 'subscription', id
          from subscriptions
          where tenant_id = $1
        ) as held
        where held.kind = $2
        and held.id > $3
        order by held.id
        limit $4
        """,
        unit.tenant_id,
        kind,
        after,
        limit,
    )
    return [row["id"] for row in rows]


async def copy_numbers(unit: Unit, kind: Kind, ids: Sequence[str]) -> dict[str, int]:
    """The number of the copy that the mirror holds of each object of one kind."""
    rows = await unit.fetch(
        """
        select held.id, held.copy_no
        from (
          select 'attempt' as kind, id, copy_no
          from payment_attempts
          where tenant_id = $1
          union all
          select 'customer', id, copy_no
          from customers
          where tenant_id = $1
          union all
          select 'invoice', id, copy_no
          from invoices
          where tenant_id = $1
          union all
          select 'payment_method', id, copy_no
          from payment_methods
          where tenant_id = $1
          union all
          select 'price', id, copy_no
          from prices
          where tenant_id = $1
          union all
          select 'product', id, copy_no
          from products
          where tenant_id = $1
          union all
          select 'subscription', id, copy_no
          from subscriptions
          where tenant_id = $1
        ) as held
        where held.kind = $2
        and held.id = any($3::text[])
        """,
        unit.tenant_id,
        kind,
        ids,
    )
    return {row["id"]: row["copy_no"] for row in rows}
