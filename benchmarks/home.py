"""The home page: its processor time beside the floor's, and its round trips to the database."""

import re

import msgspec

from benchmarks.client import Client, get
from benchmarks.effort import Effort
from benchmarks.figures import Figures, Line, ratio_text, spread
from benchmarks.floors.home import Given
from benchmarks.machine import Machine, Server, query
from benchmarks.rounds import Turn, alternate, take_turn
from benchmarks.seed import Seeded
from guichet.embedded.postgres import WEB_ROLE

_CONNECTIONS = 8
#: Until plans are settled, connections open and templates compiled.
_WARM_UP = 200
_BAR = 1.5
#: Requests whose statements are counted.
_COUNTED = 20


class DifferentPages(Exception):
    """The floor does not show what the finished page shows: there is nothing to compare."""


def measure_home(
    machine: Machine, client: Client, web: Server, tenant: Seeded, effort: Effort, figures: Figures
) -> None:
    """Alternate the floor, its stricter sister and the finished page; take medians of ratios."""
    given = Given(tenant.id, tenant.name, tenant.session_token, tenant.configuration)
    environ = {"FLOOR_GIVEN": msgspec.json.encode(given).decode()}
    page = [get(tenant.host, "/", tenant.cookie)]
    sent = [get(tenant.host, "/bytes", tenant.cookie)]
    with machine.floor("home", web.database, environ) as floor:
        shown = client.drive(web.port, page * _WARM_UP, _CONNECTIONS).body
        if client.drive(floor.port, page * _WARM_UP, _CONNECTIONS).body != shown:
            raise DifferentPages
        turns = alternate(
            {
                "floor": lambda: take_turn(client, floor, page * effort.requests, _CONNECTIONS),
                "home": lambda: take_turn(client, web, page * effort.requests, _CONNECTIONS),
                "bytes": lambda: take_turn(client, floor, sent * effort.requests, _CONNECTIONS),
            },
            effort.rounds,
            effort.seconds,
        )
    figures.put("home_html_bytes", len(shown))
    _report(turns, figures)


def _report(turns: dict[str, list[Turn]], figures: Figures) -> None:
    pairs = list(zip(turns["home"], turns["floor"], strict=True))
    ratio = spread([home.us / floor.us for home, floor in pairs])
    figures.put_spread("home_cpu_ratio", ratio)
    program = spread([home.program_us / floor.program_us for home, floor in pairs])
    postgres = spread([home.postgres_us / floor.postgres_us for home, floor in pairs])
    bytes_only = zip(turns["home"], turns["bytes"], strict=True)
    strict = spread([home.us / sent.us for home, sent in bytes_only])
    late = spread([home.drive.p99_ms / floor.drive.p99_ms for home, floor in pairs])
    figures.put("home_program_ratio", program.median)
    figures.put("home_postgres_ratio", postgres.median)
    figures.put("home_cpu_ratio_to_bytes", strict.median)
    figures.put("home_p99_ratio", late.median)
    middle: dict[str, Turn] = {}
    for name, taken in turns.items():
        middle[name] = sorted(taken, key=lambda turn: turn.us)[len(taken) // 2]
        prefix = "home" if name == "home" else f"home_{name}"
        figures.put(f"{prefix}_cpu_us", spread([turn.us for turn in taken]).median)
        figures.put(f"{prefix}_program_us", spread([turn.program_us for turn in taken]).median)
        figures.put(f"{prefix}_postgres_us", spread([turn.postgres_us for turn in taken]).median)
        figures.put(f"{prefix}_p99_ms", spread([turn.drive.p99_ms for turn in taken]).median)
    home, floor, sent = middle["home"], middle["floor"], middle["bytes"]
    figures.lines += [
        Line(
            "home page, CPU of a request",
            _us(home.us),
            _us(floor.us),
            ratio_text(ratio),
            f"at most {_BAR}",
            ratio.median <= _BAR,
        ),
        Line(
            "  of it the program", _us(home.program_us), _us(floor.program_us), ratio_text(program)
        ),
        Line(
            "  of it PostgreSQL",
            _us(home.postgres_us),
            _us(floor.postgres_us),
            ratio_text(postgres),
        ),
        Line("  beside bytes rendered before", _us(home.us), _us(sent.us), ratio_text(strict)),
        Line(
            "  the slowest of a hundred",
            f"{home.drive.p99_ms:.0f} ms",
            f"{floor.drive.p99_ms:.0f} ms",
            ratio_text(late),
        ),
    ]


def _us(value: float) -> str:
    return f"{value:.0f} µs"


def count_round_trips(
    machine: Machine, client: Client, database: str, tenants: list[Seeded], figures: Figures
) -> None:
    """Count what the pool of a new web process asks, from PostgreSQL's own log of statements.

    Warm: pages of two tenants in turn, which the process has shown before. First: the first page
    of a tenant, whose published configuration has to be read once.
    """
    _log_statements(machine, database, "all")
    try:
        with machine.web(database) as web:
            pages = [get(tenant.host, "/", tenant.cookie) for tenant in tenants]
            client.drive(web.port, pages[:2] * 10, 1)
            first = _statements_of(machine, client, web, pages[2:3])
            warm = _statements_of(machine, client, web, pages[:2] * (_COUNTED // 2)) / _COUNTED
    finally:
        _log_statements(machine, database, "none")
    figures.put("home_round_trips", warm)
    figures.put("home_round_trips_first_page_of_a_tenant", first)
    figures.lines += [
        Line("home page, round trips to the database", f"{warm:g}", "", "", "exactly 1", warm == 1),
        Line("  a tenant's first page in a process", f"{first:g}"),
    ]


def _log_statements(machine: Machine, database: str, which: str) -> None:
    sql = f"alter role {WEB_ROLE} in database {database} set log_statement = '{which}'"
    query(machine.postgres, "postgres", sql)


def _statements_of(machine: Machine, client: Client, web: Server, requests: list[bytes]) -> float:
    log = machine.directory / "postgres.log"
    start = log.stat().st_size
    client.drive(web.port, requests, 1)
    # The directory asks once a second on a connection of its own; only the pool's count.
    pool = web.pool_backends()
    text = log.read_bytes()[start:].decode(errors="replace")
    found = re.findall(r"\[([0-9]+)\] LOG:  (?:execute|statement)", text)
    return sum(int(pid) in pool for pid in found)
