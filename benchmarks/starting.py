"""How soon an idle worker begins: from the knock for an event to the end of its claim."""

import asyncio
import random
import time

from benchmarks.effort import Effort
from benchmarks.figures import Figures, Line
from benchmarks.waiting import NotApplied, Place, connected, put, untouching
from guichet.outbox import open_outbox
from guichet.webhooks.intake import HANDLE_EVENTS

_BAR_MS = 50
_LIMIT_SECONDS = 5.0
#: Between an event and the next, so that knocks fall anywhere between two looks of the worker.
_LONGEST_PAUSE = 0.05


def measure_starting(place: Place, effort: Effort, figures: Figures) -> None:
    """Knock for one event after the other, each when the worker has nothing else to do.

    The events touch nothing, so that each is stamped by the transaction after its claim: the time
    of the stamp is what is taken, and the claim itself was before it.
    """
    times = sorted(asyncio.run(_starts(place, effort.starts)))
    median, late = times[len(times) // 2], times[int(len(times) * 0.99)]
    figures.put("event_start_p50_ms", median)
    figures.put("event_start_p99_ms", late)
    figures.lines += [
        Line("event, from the knock to its start", f"{median:.0f} ms"),
        Line(
            "  the slowest of a hundred",
            f"{late:.0f} ms",
            bar=f"at most {_BAR_MS} ms",
            met=late <= _BAR_MS,
        ),
    ]


async def _starts(place: Place, count: int) -> list[float]:
    """Milliseconds from each knock to the start."""
    taken = []
    (tenant,) = place.tenants
    async with connected(place.worker) as connection, open_outbox(place.queue) as outbox:
        for _ in range(count):
            event = untouching()
            await put(connection, "provider_events", place.tenants, [event])
            knocked_at = time.time()
            await outbox.knock(HANDLE_EVENTS, str(tenant.id))
            while not (started_at := await connection.fetchval(_STARTED_AT, tenant.id, event.id)):
                if time.time() > knocked_at + _LIMIT_SECONDS:
                    raise NotApplied
                await asyncio.sleep(0.005)
            taken.append(1000 * (float(started_at) - knocked_at))
            await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE))
    return taken


_STARTED_AT = """
select extract(epoch from handled_at)
from provider_events
where tenant_id = $1
and id = $2
"""
