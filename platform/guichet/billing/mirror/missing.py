"""What becomes of objects that the provider no longer knows: nothing that was known is erased.

Each answers the ids of what was marked: where the mirror holds a newer copy, nothing is.
"""

from collections.abc import Sequence

from guichet.db import Unit


async def note_deleted_customers(unit: Unit, ids: Sequence[str], copy_no: int) -> set[str]:
    """Mark customers as deleted; one that was never seen is noted too.

    So an older copy that is still under way does not bring one to life.
    """
    rows = await unit.fetch(
        """
        insert into customers as held (tenant_id, id, deleted, created_at, copy_no)
        select $1, gone.id, true, now(), $3
        from unnest($2::text[]) as gone (id)
        order by gone.id collate "C"
        on conflict (tenant_id, id) do update
        set
          deleted = true,
          copy_no = excluded.copy_no
        where held.tenant_id = $1
        and held.copy_no < excluded.copy_no
        returning id
        """,
        unit.tenant_id,
        ids,
        copy_no,
    )
    return {row["id"] for row in rows}


async def note_deleted_clocks(unit: Unit, ids: Sequence[str], copy_no: int) -> set[str]:
    """Mark the customers of test clocks as deleted: they go with their clock, without a word."""
    rows = await unit.fetch(
        """
        with gone as (
          select id
          from customers
          where tenant_id = $1
          and test_clock_id = any($2::text[])
          and copy_no < $3
          and not deleted
          order by id collate "C"
          for update
        )
        update customers as held
        set
          deleted = true,
          copy_no = $3
        from gone
        where held.tenant_id = $1
        and held.id = gone.id
        returning held.test_clock_id
        """,
        unit.tenant_id,
        ids,
        copy_no,
    )
    return {row["test_clock_id"] for row in rows}


async def detach_payment_methods(unit: Unit, ids: Sequence[str], copy_no: int) -> set[str]:
    rows = await unit.fetch(
        """
        with gone as (
          select id
          from payment_methods
          where tenant_id = $1
          and id = any($2::text[])
          and copy_no < $3
          order by id collate "C"
          for update
        )
        update payment_methods as held
        set
          customer_id = null,
          copy_no = $3
        from gone
        where held.tenant_id = $1
        and held.id = gone.id
        returning held.id
        """,
        unit.tenant_id,
        ids,
        copy_no,
    )
    return {row["id"] for row in rows}


async def take_products_off_sale(unit: Unit, ids: Sequence[str], copy_no: int) -> set[str]:
    """Mark products as no longer sold; their names are still needed."""
    rows = await unit.fetch(
        """
        with gone as (
          select id
          from products
          where tenant_id = $1
          and id = any($2::text[])
          and copy_no < $3
          order by id collate "C"
          for update
        )
        update products as held
        set
          active = false,
          copy_no = $3
        from gone
        where held.tenant_id = $1
        and held.id = gone.id
        returning held.id
        """,
        unit.tenant_id,
        ids,
        copy_no,
    )
    return {row["id"] for row in rows}


async def take_prices_off_sale(unit: Unit, ids: Sequence[str], copy_no: int) -> set[str]:
    rows = await unit.fetch(
        """
        with gone as (
          select id
          from prices
          where tenant_id = $1
          and id = any($2::text[])
          and copy_no < $3
          order by id collate "C"
          for update
        )
        update prices as held
        set
          active = false,
          copy_no = $3
        from gone
        where held.tenant_id = $1
        and held.id = gone.id
        returning held.id
        """,
        unit.tenant_id,
        ids,
        copy_no,
    )
    return {row["id"] for row in rows}


async def void_drafts(unit: Unit, ids: Sequence[str], copy_no: int) -> set[str]:
    """Void invoices: only drafts can be deleted at the provider."""
    rows = await unit.fetch(
        """
        with gone as (
          select id
          from invoices
          where tenant_id = $1
          and id = any($2::text[])
          and status = 'draft'
          and copy_no < $3
          order by id collate "C"
          for update
        )
        update invoices as held
        set
          status = 'void',
          copy_no = $3
        from gone
        where held.tenant_id = $1
        and held.id = gone.id
        returning held.id
        """,
        unit.tenant_id,
        ids,
        copy_no,
    )
    return {row["id"] for row in rows}
