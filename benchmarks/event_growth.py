"""What an event costs in a larger mirror, and while events wait for more tenants."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from benchmarks.accounts import seed_accounts
from benchmarks.effort import Effort
from benchmarks.figures import Figures, Line, Spread, ratio_text, spread
from benchmarks.machine import Machine
from benchmarks.rounds import alternate
from benchmarks.waiting import Applied, Place, apply_events, apply_some

_BAR = 1.3
_WARM_UP = 200
#: Customers of each tenant, where it is the tenants that grow in number.
_CUSTOMERS = 20
#: Events that wait for each of many tenants: a whole batch of the worker's.
_EACH = 50
#: Of many tenants' events hundreds are in hand at a time: a shorter look sees how they come in.
_WINDOW = 3


@contextlib.contextmanager
def open_place(machine: Machine, provider: str, tenants: int, customers: int) -> Iterator[Place]:
    """A worker with a database and a queue of its own, warmed up."""
    database, queue = machine.database(), machine.queue()
    seeded = asyncio.run(seed_accounts(machine, database, tenants, customers))
    with machine.worker(database, queue, provider) as worker:
        place = Place(worker, queue, seeded, customers)
        apply_events(place, max(1, _WARM_UP // tenants))
        yield place


def measure_event_growth(machine: Machine, provider: str, effort: Effort, figures: Figures) -> None:
    """Measure mirrors of several sizes in turn, then several numbers of tenants.

    The twin is another worker with another mirror of the smallest size: what the two differ by in
    a round is this machine's noise.
    """
    sizes = effort.mirrors
    with contextlib.ExitStack() as stack:
        contenders: dict[str, Callable[[], Applied]] = {}
        for name, size in _with_twin(sizes):
            place = stack.enter_context(open_place(machine, provider, 1, size))
            contenders[name] = _apply(place, effort.applied)
        turns = alternate(contenders, effort.rounds, effort.seconds)
    _report(turns, sizes, "customers", figures)
    sizes = effort.waiting
    with contextlib.ExitStack() as stack:
        contenders = {}
        for name, size in _with_twin(sizes):
            place = stack.enter_context(open_place(machine, provider, size, _CUSTOMERS))
            count = _WINDOW * effort.applied
            contenders[name] = _apply_some(place, max(_EACH, 2 * count // size), count)
        turns = alternate(contenders, effort.rounds, effort.seconds)
    _report(turns, sizes, "tenants", figures)


def _with_twin(sizes: Sequence[int]) -> Iterator[tuple[str, int]]:
    for size in sizes:
        yield str(size), size
    yield "twin", sizes[0]


def _apply(place: Place, count: int) -> Callable[[], Applied]:
    return lambda: apply_events(place, count)


def _apply_some(place: Place, each: int, count: int) -> Callable[[], Applied]:
    return lambda: apply_some(place, each, count)


def _report(
    turns: Mapping[str, list[Applied]], sizes: Sequence[int], what: str, figures: Figures
) -> None:
    smallest = turns[str(sizes[0])]
    noise = _growth(turns["twin"], smallest)
    figures.put_spread(f"event_cost_growth_twin_{what}", noise)
    base = spread([turn.us for turn in smallest]).median
    for size in sizes:
        taken = turns[str(size)]
        cost = spread([turn.us for turn in taken]).median
        figures.put(f"event_cost_us_{size}_{what}", cost)
        name, value = f"{size} {what}: CPU of an event", f"{cost:.0f} µs"
        if taken is smallest:
            twin = f"its twin {ratio_text(noise)}"
            figures.lines.append(Line(name, value, ratio=twin))
            continue
        growth = _growth(taken, smallest)
        figures.put_spread(f"event_cost_growth_{size}_{what}", growth)
        met = growth.median <= _BAR
        bar = f"at most {_BAR}"
        figures.lines.append(Line(name, value, f"{base:.0f} µs", ratio_text(growth), bar, met))


def _growth(turns: Sequence[Applied], smallest: Sequence[Applied]) -> Spread:
    return spread([turn.us / first.us for turn, first in zip(turns, smallest, strict=True)])
