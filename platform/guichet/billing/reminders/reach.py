"""What is within reach of a reminder, listed a batch at a time."""

from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

from guichet.billing.mails import Mail
from guichet.db import Unit
from tenants.mails import Mails

#: What one unit takes.
BATCH = 200


class Time(NamedTuple):
    """What time it is for the customers of a test clock; None is everybody else."""

    test_clock_id: str | None
    now: datetime


class Place(NamedTuple):
    """Where a list goes on: behind what is due then, and has this id."""

    at: datetime
    id: str


START = Place(datetime.min.replace(tzinfo=UTC), "")


class Due(NamedTuple):
    """One of a batch; without a mail where there is nothing to say."""

    place: Place
    mail: Mail | None


#: The next batch behind a place of what nobody was told of yet.
Find: TypeAlias = Callable[[Unit, Time, Mails, Place], Awaitable[list[Due]]]


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
