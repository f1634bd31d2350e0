"""What more tenants cost: memory of a web process, and processor time of a home page."""

import itertools
from collections.abc import Callable, Iterator

import msgspec

from benchmarks.client import Client, get
from benchmarks.effort import Effort
from benchmarks.figures import Figures, Line, ratio_text, spread
from benchmarks.machine import Server
from benchmarks.rounds import Turn, alternate, take_turn
from benchmarks.seed import Seeded

_CONNECTIONS = 8
#: First pages are shown in portions, each within the client's time limit.
_PORTION = 500
#: Growth that two processes with equally many tenants show of each other on a busy machine.
_NOISE = 1.1


class House(msgspec.Struct, frozen=True):
    """A web process, and the tenants of its database."""

    web: Server
    tenants: list[Seeded]

    @property
    def size(self) -> int:
        return len(self.tenants)


def measure_growth(client: Client, houses: list[House], effort: Effort, figures: Figures) -> None:
    """Show every tenant's page once, then alternate the processes, each going round its tenants.

    So every tenant is active: each request is for another one than the request before, and for
    the one that was asked for longest ago.
    """
    visits = [_visits(house) for house in houses]
    for house, requests in zip(houses, visits, strict=True):
        for _ in range(0, house.size, _PORTION):
            client.drive(house.web.port, list(itertools.islice(requests, _PORTION)), _CONNECTIONS)
    turns = alternate(
        {
            str(house.size): _turn(client, house, requests, effort.requests)
            for house, requests in zip(houses, visits, strict=True)
        },
        effort.rounds,
        effort.seconds,
    )
    smallest = turns[str(houses[0].size)]
    for house in houses:
        _report(house, turns[str(house.size)], smallest, figures)


def _visits(house: House) -> Iterator[bytes]:
    return itertools.cycle([get(it.host, "/", it.cookie) for it in house.tenants])


def _turn(
    client: Client, house: House, requests: Iterator[bytes], count: int
) -> Callable[[], Turn]:
    return lambda: take_turn(
        client, house.web, list(itertools.islice(requests, count)), _CONNECTIONS
    )


def _report(house: House, turns: list[Turn], smallest: list[Turn], figures: Figures) -> None:
    size, resident = house.size, house.web.resident_mib()
    cost = spread([turn.us for turn in turns])
    growth = spread([turn.us / first.us for turn, first in zip(turns, smallest, strict=True)])
    figures.put(f"web_rss_mib_{size}_tenants", resident)
    figures.put(f"home_us_{size}_tenants", cost.median)
    figures.put_spread(f"home_growth_{size}_tenants", growth)
    is_first = turns is smallest
    figures.lines.append(
        Line(
            f"{size} tenants, {resident:.0f} MiB: CPU of a home page",
            f"{cost.median:.0f} µs",
            "" if is_first else f"{spread([turn.us for turn in smallest]).median:.0f} µs",
            "" if is_first else ratio_text(growth),
            "" if is_first else f"noise ({_NOISE})",
            None if is_first else growth.median <= _NOISE,
        )
    )
