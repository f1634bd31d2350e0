"""Events applied by one worker in a second, beside the least that applying them takes."""

from collections.abc import Callable

import msgspec

from benchmarks.client import Client, get
from benchmarks.effort import Effort
from benchmarks.figures import Figures, Line, ratio_text, spread
from benchmarks.floors.applying import Given
from benchmarks.machine import Machine, Server, query
from benchmarks.rounds import alternate
from benchmarks.stand_in.account import key_of
from benchmarks.waiting import Applied, Place, apply_events, events, put_waiting
from guichet.embedded.postgres import WEB_ROLE

#: Until connections are open, statements prepared and the adapter loaded.
_WARM_UP = 200
#: Events about each object, in the second figure.
_REPEATS = 10


def measure_applying(
    machine: Machine, client: Client, place: Place, provider: str, effort: Effort, figures: Figures
) -> None:
    """Alternate the two, with an object for each event, and with ten events about each."""
    _make_raw_tables(machine, place.worker.database)
    (tenant,) = place.tenants
    given = Given(tenant.id, key_of(place.customers), provider)
    environ = {"FLOOR_GIVEN": msgspec.json.encode(given).decode()}
    with machine.floor("applying", place.worker.database, environ) as floor:
        contenders: dict[str, Callable[[], Applied]] = {}
        for name, count, repeats in (
            ("events_applied", effort.applied, 1),
            ("events_applied_repeated", effort.applied * 2, _REPEATS),
        ):
            contenders[f"{name}_floor"] = _floor_turn(client, floor, place, count, repeats)
            contenders[name] = _turn(place, count, repeats)
        _floor_turn(client, floor, place, _WARM_UP, 1)()
        apply_events(place, _WARM_UP)
        turns = alternate(contenders, effort.rounds, effort.seconds)
    for name, what in (
        ("events_applied", "events applied in a second"),
        ("events_applied_repeated", f"  with {_REPEATS} events about each object"),
    ):
        _report(name, what, turns[name], turns[f"{name}_floor"], figures)


def _make_raw_tables(machine: Machine, database: str) -> None:
    """The floor's tables: the events' with columns, defaults and indexes of ours, and no walls."""
    for sql in (
        "create table raw_waiting (like provider_events including all)",
        "create table raw_objects (tenant_id uuid, id text, written_at timestamptz)",
        "alter table raw_objects add primary key (tenant_id, id)",
        f"grant select, update on raw_waiting to {WEB_ROLE}",
        f"grant select, insert, update on raw_objects to {WEB_ROLE}",
    ):
        query(machine.postgres, database, sql)


def _turn(place: Place, count: int, repeats: int) -> Callable[[], Applied]:
    return lambda: apply_events(place, count, repeats)


def _floor_turn(
    client: Client, floor: Server, place: Place, count: int, repeats: int
) -> Callable[[], Applied]:
    def turn() -> Applied:
        put_waiting(
            floor, "raw_waiting", place.tenants, list(events(place.customers, count, repeats))
        )
        request = get("localhost", "/apply", "")
        drive, cost = floor.cost_of(lambda: client.drive(floor.port, [request], 1))
        return Applied(count, drive.seconds, cost)

    return turn


def _report(
    name: str, what: str, turns: list[Applied], floors: list[Applied], figures: Figures
) -> None:
    pairs = list(zip(turns, floors, strict=True))
    ratio = spread([turn.per_second / floor.per_second for turn, floor in pairs])
    figures.put_spread(f"{name}_ratio", ratio)
    for prefix, taken in ((name, turns), (f"{name}_floor", floors)):
        figures.put(f"{prefix}_per_second", spread([turn.per_second for turn in taken]).median)
        figures.put(f"{prefix}_program_us", spread([turn.program_us for turn in taken]).median)
        figures.put(f"{prefix}_postgres_us", spread([turn.postgres_us for turn in taken]).median)
    number = figures.numbers
    figures.lines.append(
        Line(
            what,
            f"{number[f'{name}_per_second']:.0f}",
            f"{number[f'{name}_floor_per_second']:.0f}",
            ratio_text(ratio),
        )
    )
    for part, title in (("program", "the worker"), ("postgres", "PostgreSQL")):
        costs = spread([getattr(t, f"{part}_us") / getattr(f, f"{part}_us") for t, f in pairs])
        figures.lines.append(
            Line(
                f"    CPU of an event, {title}",
                f"{number[f'{name}_{part}_us']:.0f} µs",
                f"{number[f'{name}_floor_{part}_us']:.0f} µs",
                ratio_text(costs),
            )
        )
