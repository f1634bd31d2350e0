"""Products and prices in the mirror."""

from collections.abc import Sequence

import msgspec

from guichet.db import Unit
from guichet.payments.copies import PriceCopy, ProductCopy


async def write_products(unit: Unit, copies: Sequence[ProductCopy], copy_no: int) -> set[str]:
    """Write copies; answers the ids of those that were newer than what was there."""
    rows = await unit.fetch(
        """
        insert into products as held (
          tenant_id,
          id,
          name,
          description,
          unit_label,
          default_price_id,
          active,
          copy_no
        )
        select
          $1,
          copy.id,
          copy.name,
          copy.description,
          copy.unit_label,
          copy.default_price_id,
          copy.active,
          $3
        from jsonb_populate_recordset(null::products, $2::jsonb) as copy
        order by copy.id collate "C"
        on conflict (tenant_id, id) do update
        set
          name = excluded.name,
          description = excluded.description,
          unit_label = excluded.unit_label,
          default_price_id = excluded.default_price_id,
          active = excluded.active,
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


async def write_prices(unit: Unit, copies: Sequence[PriceCopy], copy_no: int) -> set[str]:
    """Write copies; answers the ids of those that were newer than what was there."""
    rows = await unit.fetch(
        """
        insert into prices as held (
          tenant_id,
          id,
          product_id,
          currency,
          unit_amount,
          unit_amount_exact,
          interval,
          interval_count,
          usage,
          tiers_mode,
          tiers,
          package_size,
          package_round,
          currency_options,
          nickname,
          lookup_key,
          active,
          copy_no
        )
        select
          $1,
          copy.id,
          copy.product_id,
          copy.currency,
          copy.unit_amount,
          copy.unit_amount_exact,
          copy.interval,
          copy.interval_count,
          copy.usage,
          copy.tiers_mode,
          copy.tiers,
          copy.package_size,
          copy.package_round,
          copy.currency_options,
          copy.nickname,
          copy.lookup_key,
          copy.active,
          $3
        from jsonb_populate_recordset(null::prices, $2::jsonb) as copy
        order by copy.id collate "C"
        on conflict (tenant_id, id) do update
        set
          product_id = excluded.product_id,
          currency = excluded.currency,
          unit_amount = excluded.unit_amount,
          unit_amount_exact = excluded.unit_amount_exact,
          interval = excluded.interval,
          interval_count = excluded.interval_count,
          usage = excluded.usage,
          tiers_mode = excluded.tiers_mode,
          tiers = excluded.tiers,
          package_size = excluded.package_size,
          package_round = excluded.package_round,
          currency_options = excluded.currency_options,
          nickname = excluded.nickname,
          lookup_key = excluded.lookup_key,
          active = excluded.active,
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
