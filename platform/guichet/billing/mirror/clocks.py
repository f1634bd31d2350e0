"""Test clocks in the mirror: whatever order their copies come in, none ever goes back."""

from collections.abc import Sequence

import msgspec

from guichet.db import Unit
from guichet.payments.copies import TestClockCopy


async def write_test_clocks(unit: Unit, copies: Sequence[TestClockCopy], copy_no: int) -> set[str]:
    """Write copies; answers the ids of those that were newer, or later, than what was there.

    The later time stands even where its copy has the lower number.
    """
    rows = await unit.fetch(
        """
        insert into test_clocks as held (tenant_id, id, frozen_at, copy_no)
        select
          $1,
          copy.id,
          copy.frozen_at,
          $3
        from jsonb_populate_recordset(null::test_clocks, $2::jsonb) as copy
        order by copy.id collate "C"
        on conflict (tenant_id, id) do update
        set
          frozen_at = greatest(held.frozen_at, excluded.frozen_at),
          copy_no = greatest(held.copy_no, excluded.copy_no)
        where held.tenant_id = $1
        and (held.copy_no < excluded.copy_no or held.frozen_at < excluded.frozen_at)
        returning id
        """,
        unit.tenant_id,
        msgspec.json.encode(copies).decode(),
        copy_no,
    )
    return {row["id"] for row in rows}
