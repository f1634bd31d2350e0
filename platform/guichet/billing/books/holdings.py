"""Which objects the mirror holds as living, and which copy of each: what books are kept of."""

from collections.abc import Sequence
from typing import NamedTuple

from guichet.billing.mirror import Kind
from guichet.db import Unit


class Stretch(NamedTuple):
    """The customers whose payment methods are looked at: behind an id, and up to one or all."""

    after: str = ""
    until: str = ""

    def __contains__(self, customer_id: object) -> bool:
        identifier = str(customer_id)
        return self.after < identifier and (not self.until or identifier <= self.until)


async def living(unit: Unit, kind: Kind, after: str, limit: int) -> list[str]:
    """Ids of objects that the provider must have, those behind the id `after`.

    Deleted customers and whatever may have been deleted are in no list; payment methods are in
    those of their customers (`methods_of`). Test clocks are those that living customers name.
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
          union
          select 'test_clock', test_clock_id
          from customers
          where tenant_id = $1
          and not deleted
          and test_clock_id is not null
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


async def methods_of(unit: Unit, customer_ids: Sequence[str]) -> list[str]:
    """Ids of the payment methods that are attached to these customers."""
    rows = await unit.fetch(
        """
        select id
        from payment_methods
        where tenant_id = $1
        and customer_id = any($2::text[])
        """,
        unit.tenant_id,
        customer_ids,
    )
    return [row["id"] for row in rows]


async def last_of(unit: Unit, after: str, limit: int) -> str:
    """Of the next `limit` living customers behind the id `after` the last; empty for all of them.

    Ids are compared by their bytes, as Python does.
    """
    last: str | None = await unit.fetchval(
        """
        select id
        from customers
        where tenant_id = $1
        and not deleted
        and id collate "C" > $2
        order by id collate "C"
        offset $3
        limit 1
        """,
        unit.tenant_id,
        after,
        limit - 1,
    )
    return last or ""


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
          union all
          select 'test_clock', id, copy_no
          from test_clocks
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
