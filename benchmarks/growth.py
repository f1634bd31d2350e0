"""What more tenants cost: memory of a web process, and processor time of a home page."""

import itertools
from collections.abc import Callable, Iterator

import msgspec

from benchmarks.client import Client, get
from benchmarks.effort import Effort
from benchmarks.figures import Figures, Line, Spread, ratio_text, spread
from benchmarks.machine import Server
from benchmarks.rounds import Turn, alternate, take_turn
from benchmarks.seed import Seeded

_CONNECTIONS = 8
#: First pages are shown in portions, each within the client's time limit.
_PORTION = 500


class House(msgspec.Struct, frozen=True):
    """A web process, and the tenants of its database."""

    web: Server
    tenants: list[Seeded]

    @property
    def size(self) -> int:
        return len(self.tenants)


def measure_growth(
    client: Client, houses: list[House], twin: House, effort: Effort, figures: Figures
) -> None:
    """Show every tenant's page once, then alternate the processes, each going round its tenants.

    So every tenant is active: each request is for another one than the request before, and for
    the one that was asked for longest ago. The twin is another process for the first house's
    tenants: by how much the two differ in a round is this machine's noise.
    """
    visits = [_visits(house) for house in (*houses, twin)]
    for house, requests in zip((*houses, twin), visits, strict=True):
        for _ in range(0, house.size, _PORTION):
            client.drive(house.web.port, list(itertools.islice(requests, _PORTION)), _CONNECTIONS)
    contenders = {
        str(place): _turn(client, house, requests, effort.requests)
        for place, (house, requests) in enumerate(zip((*houses, twin), visits, strict=True))
    }
    turns = list(alternate(contenders, effort.rounds, effort.seconds).values())
    noise = _growth(turns[-1], turns[0])
    figures.put_spread("home_growth_twin", noise)
    for house, taken in zip(houses, turns, strict=False):
        _report(house, taken, turns[0], noise.high, figures)


def _visits(house: House) -> Iterator[bytes]:
    return itertools.cycle([get(it.host, "/", it.cookie) for it in house.tenants])


def _turn(
    client: Client, house: House, requests: Iterator[bytes], count: int
) -> Callable[[], Turn]:
    return lambda: take_turn(
        client, house.web, list(itertools.islice(requests, count)), _CONNECTIONS
    )


def _growth(turns: list[Turn], smallest: list[Turn]) -> Spread:
    return spread([turn.us / first.us for turn, first in zip(turns, smallest, strict=True)])


def _report(
    house: House, turns: list[Turn], smallest: list[Turn], noise: float, figures: Figures
) -> None:
    size, resident = house.size, house.web.resident_mib()
    cost = spread([turn.us for turn in turns])
    figures.put(f"web_rss_mib_{size}_tenants", resident)
    figures.put(f"home_us_{size}_tenants", cost.median)
    name, value = f"{size} tenants, {resident:.0f} MiB: CPU of a home page", f"{cost.median:.0f} µs"
    if turns is smallest:
        figures.lines.append(Line(name, value))
        return
    growth = _growth(turns, smallest)
    figures.put_spread(f"home_growth_{size}_tenants", growth)
    base = f"{spread([turn.us for turn in smallest]).median:.0f} µs"
    bar = f"at most {noise:.2f}, as a twin"
    met = growth.median <= noise
    figures.lines.append(Line(name, value, base, ratio_text(growth), bar, met))
