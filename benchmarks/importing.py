"""A whole account imported, beside the least that its pages and rows cost."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping

import msgspec

from benchmarks.accounts import seed_accounts
from benchmarks.effort import Effort
from benchmarks.figures import Figures, Line, ratio_text, spread
from benchmarks.floors.importing import Given
from benchmarks.machine import CONNECTIONS, Machine, query
from benchmarks.outcome import Outcome, told
from benchmarks.rounds import alternate
from benchmarks.seed import Seeded
from benchmarks.stand_in.account import key_of
from guichet.embedded.postgres import WEB_ROLE


def measure_importing(machine: Machine, provider: str, effort: Effort, figures: Figures) -> None:
    """Alternate the floor and the import of a small account, then of a large one, once.

    Each turn imports into a tenant whose mirror is empty.
    """
    for customers, rounds in zip(effort.imported, (effort.rounds, 1), strict=True):
        database = machine.database()
        tenants = asyncio.run(seed_accounts(machine, database, rounds, customers, mirrored=False))
        floor = _floor(machine, database, tenants[0], customers, provider)
        whole = _whole(machine, database, iter(tenants), provider)
        turns = alternate({"floor": floor, "import": whole}, rounds, effort.seconds)
        _report(turns, customers, figures)


def _whole(
    machine: Machine, database: str, tenants: Iterator[Seeded], provider: str
) -> Callable[[], Outcome]:
    environ = machine.settings(database, machine.valkey.url(), provider)

    def turn() -> Outcome:
        command = [sys.executable, "-m", "benchmarks.importer", next(tenants).slug]
        return told(machine.finish("importer", command, environ))

    return turn


def _floor(
    machine: Machine, database: str, tenant: Seeded, customers: int, provider: str
) -> Callable[[], Outcome]:
    for sql in (
        "create table raw_copies (tenant_id uuid, kind text, id text, document bytea)",
        f"grant insert on raw_copies to {WEB_ROLE}",
    ):
        query(machine.postgres, database, sql)
    given = Given(tenant.id, key_of(customers), provider)
    environ = {
        "DATABASE_URL": machine.postgres.url(WEB_ROLE, database),
        "FLOOR_CONNECTION_NAME": "floor importing",
        "FLOOR_CONNECTIONS": str(CONNECTIONS),
        "FLOOR_GIVEN": msgspec.json.encode(given).decode(),
    }
    command = [sys.executable, "-m", "benchmarks.floors.importing"]
    return lambda: told(machine.finish("floor-importing", command, environ))


def _report(turns: Mapping[str, list[Outcome]], customers: int, figures: Figures) -> None:
    pairs = list(zip(turns["import"], turns["floor"], strict=True))
    ratio = spread([done.seconds / floor.seconds for done, floor in pairs])
    seconds = spread([done.seconds for done in turns["import"]]).median
    floor = spread([done.seconds for done in turns["floor"]]).median
    peak = max(done.peak_mib for done in turns["import"])
    figures.put_spread(f"import_ratio_{customers}_customers", ratio)
    figures.put(f"import_seconds_{customers}_customers", seconds)
    figures.put(f"import_floor_seconds_{customers}_customers", floor)
    figures.put(f"import_peak_mib_{customers}_customers", peak)
    what = f"import of {customers} customers, at most {peak:.0f} MiB"
    figures.lines.append(Line(what, f"{seconds:.1f} s", f"{floor:.1f} s", ratio_text(ratio)))
