"""`python -m benchmarks`: measure, print a table, write build/bench.json."""

import argparse
import asyncio
import contextlib
import sys
import time
from pathlib import Path

from benchmarks.applying import measure_applying
from benchmarks.choosing import measure_choosing
from benchmarks.client import Client, open_client
from benchmarks.customers import measure_customers
from benchmarks.effort import QUICK, WHOLE, Effort
from benchmarks.event_growth import measure_event_growth, open_place
from benchmarks.figures import Figures
from benchmarks.growth import House, measure_growth
from benchmarks.home import count_round_trips, measure_home
from benchmarks.importing import measure_importing
from benchmarks.intake import measure_intake
from benchmarks.machine import Machine, open_machine
from benchmarks.merchants import measure_merchants
from benchmarks.retrying import measure_retrying
from benchmarks.sandbox_year import measure_sandbox_year
from benchmarks.seed import seed
from benchmarks.starting import measure_starting

_DEFAULT_OUTPUT = Path(__file__).parents[1] / "build" / "bench.json"


def main() -> None:
    """Run everything. The exit status says whether the run went well, not whether bars are met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a look, in some 30 seconds")
    parser.add_argument("--output", type=Path, default=_DEFAULT_OUTPUT, help="the JSON to write")
    given = parser.parse_args()
    effort = QUICK if given.quick else WHOLE
    figures = Figures()
    started = time.monotonic()
    with open_machine() as machine, open_client() as client:
        _measure_web(machine, client, effort, figures)
        _measure_events(machine, client, effort, figures)
        _say("an agency's list of few and of many merchants")
        measure_merchants(machine, client, effort, figures)
        _say("a merchant's list of few and of many customers")
        measure_customers(machine, client, effort, figures)
        _say("failed payments that are due, chosen among few and many")
        measure_choosing(machine, effort, figures)
        _say("due attempts beside no-op jobs")
        measure_retrying(machine, effort, figures)
    _say("a year of the sandbox")
    measure_sandbox_year(figures, effort.year)
    figures.put("run_seconds", time.monotonic() - started)
    figures.write(given.output)
    print(figures.table())
    print(f"\n{given.output}, in {time.monotonic() - started:.0f} s")


def _measure_web(machine: Machine, client: Client, effort: Effort, figures: Figures) -> None:
    houses: list[House] = []
    with contextlib.ExitStack() as stack:
        for size in effort.sizes:
            _say(f"{size} tenants: writing them, starting a web process")
            database = machine.database()
            tenants = asyncio.run(seed(machine, database, size))
            if not houses:
                count_round_trips(machine, client, database, tenants, figures)
            houses.append(House(stack.enter_context(machine.web(database)), tenants))
        first, tenant = houses[0].web, houses[0].tenants[0]
        _say("the home page beside its floor")
        measure_home(machine, client, first, tenant, effort, figures)
        _say("the home page with few and many tenants")
        twin = House(stack.enter_context(machine.web(first.database)), houses[0].tenants)
        measure_growth(client, houses, twin, effort, figures)
        _say("webhook intake beside its floor")
        measure_intake(machine, client, first, tenant, effort, figures)


def _measure_events(machine: Machine, client: Client, effort: Effort, figures: Figures) -> None:
    with machine.provider() as provider:
        with open_place(machine, provider, 1, effort.mirrors[0]) as place:
            _say("events applied beside their floor")
            measure_applying(machine, client, place, provider, effort, figures)
            _say("an idle worker's start")
            measure_starting(place, effort, figures)
        _say("events in larger mirrors, and for more tenants")
        measure_event_growth(machine, provider, effort, figures)
        _say("a whole import beside its floor")
        measure_importing(machine, provider, effort, figures)


def _say(what: str) -> None:
    print(f"measuring: {what} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
