"""What is within reach of a reminder, listed a batch at a time."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

import asyncpg

from guichet.billing.mails import Mail
from guichet.db import Unit
from tenants.mails import Mails

#: What one unit looks at. It takes this many of what is near first, and asks of each of those alone
#: whether it was told of: `exists` would have PostgreSQL read all messages for that. So a step
#: costs the same, however many messages there are.
BATCH = 500


class Time(NamedTuple):
    """What time it is for the customers of a test clock; None is everybody else."""

    test_clock_id: str | None
    now: datetime


class Place(NamedTuple):
    """Where a list goes on: behind what is due then, and has this id."""

    at: datetime
    id: str


START = Place(datetime.min.replace(tzinfo=UTC), "")


class Batch(NamedTuple):
    """The mails of what was looked at, and where to go on; None at the end."""

    mails: list[Mail]
    after: Place | None


#: What nobody was told of yet, of the next that are near behind a place.
Find: TypeAlias = Callable[[Unit, Time, Mails, Place], Awaitable[Batch]]


def next_place(rows: Sequence[asyncpg.Record]) -> Place | None:
    """Where to go on behind rows with their `at`, `id` and `place`; None where a batch is short."""
    if rows and rows[-1]["place"] == BATCH:
        return Place(rows[-1]["at"], rows[-1]["id"])
    return None


async def read_times(unit: Unit, test_clocks: Collection[str] | None) -> list[Time]:
    """The time of each of these clocks; of all there are, and of the world, where None is given."""
    rows = await unit.fetch(
        """
        select
          null as id,
          now() as now
        where $2::text[] is null
        union all
        select
          clock.id,
          clock.frozen_at
        from test_clocks as clock
        where clock.tenant_id = $1
        and ($2::text[] is null or clock.id = any($2::text[]))
        """,
        unit.tenant_id,
        None if test_clocks is None else list(test_clocks),
    )
    return [Time(row["id"], row["now"]) for row in rows]
