"""When a case is looked at next, by the wall's time, where what is due is due by a test clock's."""

from datetime import datetime

from guichet.db import Unit


async def wake_at_for(unit: Unit, test_clock_id: str | None, due_at: datetime | None) -> str:
    """What `dunning_cases.wake_at` becomes where `due_at` is stored, for `$n::text::timestamptz`.

    A customer without a test clock is looked at when it is due; one with such a clock at once if it
    is due already, else when the clock moves, which is news. Nothing due waits for news. The clock
    stands still until the unit ends, so it cannot pass `due_at` unseen. Its row comes last in the
    order of locks: case, invoice, subscription, clock.
    """
    if due_at is None:
        return "infinity"
    if test_clock_id is None:
        return due_at.isoformat()
    frozen_at = await unit.fetchval(
        """
        select frozen_at
        from test_clocks
        where tenant_id = $1
        and id = $2
        for share
        """,
        unit.tenant_id,
        test_clock_id,
    )
    if frozen_at is None:
        # Until the mirror has the clock, its customers live by the wall's time.
        return due_at.isoformat()
    return "-infinity" if due_at <= frozen_at else "infinity"
