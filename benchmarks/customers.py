"""A merchant's list of customers: a thousand beside a hundred thousand, page by page."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from benchmarks.client import Client, get
from benchmarks.effort import Effort
from benchmarks.figures import Figures, Line, ratio_text, spread
from benchmarks.machine import SUPERUSER, Machine
from benchmarks.merchants import TOKEN, hire
from benchmarks.rounds import Turn, alternate, take_turn
from benchmarks.seed import Seeded, write_tenants

_BAR = 1.5
_CONNECTIONS = 8
_WARM_UP = 20
#: A page of a list takes some milliseconds, a customer's home page less than one; of these there
#: are ten in a round.
_SHARE = 15
_MIRROR = Path(__file__).with_name("customers.sql")
#: Where the last page but one begins.
_LATE = (datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=70)).timestamp()
#: Each shows 50 customers of either number.
_PAGES = {
    "first": "",
    "late": f"?after={_LATE * 1_000_000:.0f}-cus_70",
    "search": "?q=person+1",
    "standing": "?status=cancelled",
    "both": "?q=person&status=trial",
}
_NAMES = {
    "first": "first page",
    "late": "late page",
    "search": "a search",
    "standing": "the cancelled",
    "both": "a search of trials",
}


def measure_customers(machine: Machine, client: Client, effort: Effort, figures: Figures) -> None:
    """Alternate a merchant with few customers and one with many, each page of each by itself."""
    few, many = effort.mirrors[0], effort.mirrors[-1]
    count = effort.requests // _SHARE
    contenders: dict[tuple[str, int], Callable[[], Turn]] = {}
    with contextlib.ExitStack() as stack:
        for size in (few, many):
            database = machine.database()
            asyncio.run(_seed(machine, database, size))
            web = stack.enter_context(machine.web(database))
            for name, query in _PAGES.items():
                path = f"/merchants/{Seeded(0).slug}/customers{query}"
                page = [get("console.localhost", path, f"guichet-session={TOKEN}")]
                client.drive(web.port, page * _WARM_UP, _CONNECTIONS)
                contenders[name, size] = lambda web=web, page=page: take_turn(  # type: ignore[misc]
                    client, web, page * count, _CONNECTIONS
                )
        named = {f"{name} {size}": turn for (name, size), turn in contenders.items()}
        turns = alternate(named, effort.rounds, effort.seconds)
    _report(turns, (few, many), figures)


async def _seed(machine: Machine, database: str, size: int) -> None:
    connection = await asyncpg.connect(machine.postgres.url(SUPERUSER, database))
    try:
        await write_tenants(connection, [Seeded(0)])
        await hire(connection)
        await connection.execute(_MIRROR.read_text(), Seeded(0).id, size)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()


def _report(turns: Mapping[str, list[Turn]], sizes: tuple[int, int], figures: Figures) -> None:
    many = sizes[1]
    worst = spread([0.0])
    for name, words in _NAMES.items():
        less, more = (turns[f"{name} {size}"] for size in sizes)
        growth = spread([large.us / small.us for large, small in zip(more, less, strict=True)])
        base, cost = (spread([turn.us for turn in taken]).median for taken in (less, more))
        worst = max(worst, growth, key=lambda it: it.median)
        figures.put_spread(f"customer_list_growth_{name}", growth)
        figures.put(f"customer_list_{name}_us", cost)
        figures.lines.append(
            Line(
                f"{many} customers listed: {words}",
                f"{cost:.0f} µs",
                f"{base:.0f} µs",
                ratio_text(growth),
                f"at most {_BAR}",
                growth.median <= _BAR,
            )
        )
    figures.put_spread("customer_list_growth", worst)
