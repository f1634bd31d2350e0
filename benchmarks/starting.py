"""How soon an idle worker begins: from the knock for an event to the end of its claim."""

import asyncio
import random
import time
from collections.abc import Sequence

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
    of the stamp is what is taken, and the claim itself was before it. How late a timer of another
    process is meanwhile says how much of it is the machine's.
    """
    started, woken = zip(*asyncio.run(_starts(place, effort.starts)), strict=True)
    for name, times in (("event_start", started), ("machine_wakes", woken)):
        figures.put(f"{name}_p50_ms", _one_in(2, times))
        figures.put(f"{name}_p99_ms", _one_in(100, times))
    number = figures.numbers
    late = number["event_start_p99_ms"]
    figures.lines += [
        Line(
            "event, from the knock to its start",
            f"{number['event_start_p50_ms']:.0f} ms",
            f"{number['machine_wakes_p50_ms']:.0f} ms",
        ),
        Line(
            "  the slowest of a hundred",
            f"{late:.0f} ms",
            f"{number['machine_wakes_p99_ms']:.0f} ms",
            bar=f"at most {_BAR_MS} ms",
            met=late <= _BAR_MS,
        ),
    ]


def _one_in(count: int, times: Sequence[float]) -> float:
    """What one in so many exceeds."""
    return sorted(times)[len(times) - 1 - len(times) // count]


async def _starts(place: Place, count: int) -> list[tuple[float, float]]:
    """Milliseconds from each knock to the start, and by which a timer of this process was late."""
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
            pause = random.uniform(0, _LONGEST_PAUSE)
            woken_at = time.perf_counter() + pause
            await asyncio.sleep(pause)
            late = time.perf_counter() - woken_at
            taken.append((1000 * (float(started_at) - knocked_at), 1000 * late))
    return taken


_STARTED_AT = """
select extract(epoch from handled_at)
from provider_events
where tenant_id = $1
and id = $2
"""
