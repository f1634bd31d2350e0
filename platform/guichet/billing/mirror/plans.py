"""Products and prices in the mirror."""

from guichet.db import Unit
from guichet.payments.copies import PriceCopy, ProductCopy


async def write_product(unit: Unit, copy: ProductCopy, copy_no: int) -> bool:
    """Write a copy; answers False when a newer one is there."""
    written = await unit.fetchval(
        """
        insert into products as held (tenant_id, id, name, description, active, copy_no)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant_id, id) do update
        set
          name = excluded.name,
          description = excluded.description,
          active = excluded.active,
          copy_no = excluded.copy_no
        where held.tenant_id = $1
        and held.copy_no < excluded.copy_no
        returning true
        """,
        unit.tenant_id,
        copy.id,
        copy.name,
        copy.description,
        copy.active,
        copy_no,
    )
    return bool(written)


async def write_product_gone(unit: Unit, product_id: str, copy_no: int) -> bool:
    """Take a product that the provider no longer knows off sale; its name is still needed."""
    written = await unit.fetchval(
        """
        update products
        set
          active = false,
          copy_no = $3
        where tenant_id = $1
        and id = $2
        and copy_no < $3
        returning true
        """,
        unit.tenant_id,
        product_id,
        copy_no,
    )
    return bool(written)


async def write_price(unit: Unit, copy: PriceCopy, copy_no: int) -> bool:
    """Write a copy; answers False when a newer one is there."""
    written = await unit.fetchval(
        """
        insert into prices as held (
          tenant_id,
          id,
          product_id,
          currency,
          unit_amount,
          interval,
          interval_count,
          active,
          copy_no
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (tenant_id, id) do update
        set
          product_id = excluded.product_id,
          currency = excluded.currency,
          unit_amount = excluded.unit_amount,
          interval = excluded.interval,
          interval_count = excluded.interval_count,
          active = excluded.active,
          copy_no = excluded.copy_no
        where held.tenant_id = $1
        and held.copy_no < excluded.copy_no
        returning true
        """,
        unit.tenant_id,
        copy.id,
        copy.product_id,
        copy.currency,
        copy.unit_amount,
        copy.interval,
        copy.interval_count,
        copy.active,
        copy_no,
    )
    return bool(written)


async def write_price_gone(unit: Unit, price_id: str, copy_no: int) -> bool:
    """Take a price that the provider no longer knows off sale."""
    written = await unit.fetchval(
        """
        update prices
        set
          active = false,
          copy_no = $3
        where tenant_id = $1
        and id = $2
        and copy_no < $3
        returning true
        """,
        unit.tenant_id,
        price_id,
        copy_no,
    )
    return bool(written)
