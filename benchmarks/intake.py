"""Webhook intake: events accepted in a second, beside a program that verifies and inserts."""

import msgspec

from benchmarks.client import Client
from benchmarks.effort import Effort
from benchmarks.events import deliveries
from benchmarks.figures import Figures, Line, ratio_text, spread
from benchmarks.floors.events import Given
from benchmarks.machine import Machine, Server, query
from benchmarks.rounds import Turn, alternate, take_turn
from benchmarks.seed import Seeded
from guichet.embedded.postgres import WEB_ROLE

_CONNECTIONS = 32
_WARM_UP = 300
_BAR = 0.8


class EventsLost(Exception):
    """Fewer events were stored than were accepted."""


def measure_intake(
    machine: Machine, client: Client, web: Server, tenant: Seeded, effort: Effort, figures: Figures
) -> None:
    """Alternate the two with new events in each turn, and see that each was stored."""
    _make_raw_table(machine, web.database)
    given = Given(tenant.id, tenant.signing_secret)

    def send(server: Server, count: int) -> Turn:
        requests = deliveries(tenant.host, tenant.signing_secret, count)
        return take_turn(client, server, requests, _CONNECTIONS)

    environ = {"FLOOR_GIVEN": msgspec.json.encode(given).decode()}
    with machine.floor("events", web.database, environ) as floor:
        for server in (floor, web):
            send(server, _WARM_UP)
        turns = alternate(
            {
                "floor": lambda: send(floor, effort.events),
                "intake": lambda: send(web, effort.events),
            },
            effort.rounds,
            effort.seconds,
        )
    sent = _WARM_UP + sum(turn.drive.count for turn in turns["intake"])
    sql = "select count(*) as stored from provider_events where tenant_id = $1"
    if query(machine.postgres, web.database, sql, tenant.id)[0]["stored"] != sent:
        raise EventsLost
    _report(turns, figures)


def _make_raw_table(machine: Machine, database: str) -> None:
    """The floor's table: columns, defaults and indexes of ours, and no row-level security."""
    for sql in (
        "create table raw_events (like provider_events including all)",
        f"grant select, insert on raw_events to {WEB_ROLE}",
    ):
        query(machine.postgres, database, sql)


def _report(turns: dict[str, list[Turn]], figures: Figures) -> None:
    pairs = list(zip(turns["intake"], turns["floor"], strict=True))
    ratio = spread([intake.per_second / floor.per_second for intake, floor in pairs])
    figures.put_spread("webhook_intake_ratio", ratio)
    rate = spread([turn.per_second for turn in turns["intake"]])
    floor_rate = spread([turn.per_second for turn in turns["floor"]])
    figures.put("webhook_intake_per_second", rate.median)
    figures.put("webhook_floor_per_second", floor_rate.median)
    cost = spread([turn.us for turn in turns["intake"]])
    floor_cost = spread([turn.us for turn in turns["floor"]])
    figures.put("webhook_intake_cpu_us", cost.median)
    figures.put("webhook_floor_cpu_us", floor_cost.median)
    figures.lines += [
        Line(
            "webhook intake, events in a second",
            f"{rate.median:.0f}",
            f"{floor_rate.median:.0f}",
            ratio_text(ratio),
            f"at least {_BAR}",
            ratio.median >= _BAR,
        ),
        Line(
            "  CPU of an event",
            f"{cost.median:.0f} µs",
            f"{floor_cost.median:.0f} µs",
            ratio_text(spread([intake.us / floor.us for intake, floor in pairs])),
        ),
    ]
