"""What the mirror holds and an import has not seen: the provider's lists omit what is deleted."""

from guichet.billing.mirror import Reference
from guichet.db import Unit


async def find_unlisted(
    unit: Unit, copy_no: int, after: Reference | None, limit: int
) -> list[Reference]:
    """Objects that may still change at the provider and have a lower number, behind one of them.

    In the order of their kinds and ids.
    """
    kind, identifier = after or ("", "")
    rows = await unit.fetch(
        """
        select unseen.kind, unseen.id
        from (
          select 'customer' as kind, id
          from customers
          where tenant_id = $1
          and copy_no < $2
          and not deleted
          union all
          select 'invoice', id
          from invoices
          where tenant_id = $1
          and copy_no < $2
          and status = 'draft'
          union all
          select 'payment_method', id
          from payment_methods
          where tenant_id = $1
          and copy_no < $2
          and customer_id is not null
          union all
          select 'price', id
          from prices
          where tenant_id = $1
          and copy_no < $2
          and active
          union all
          select 'product', id
          from products
          where tenant_id = $1
          and copy_no < $2
          and active
        ) as unseen
        where (unseen.kind, unseen.id) > ($3, $4)
        order by unseen.kind, unseen.id
        limit $5
        """,
        unit.tenant_id,
        copy_no,
        kind,
        identifier,
        limit,
    )
    return [Reference(row["kind"], row["id"]) for row in rows]
