"""An agency's list of its merchants: few of them beside many, as a page of the console."""

import asyncio
import contextlib
from collections.abc import Callable

import asyncpg

from benchmarks.client import Client, get
from benchmarks.effort import Effort
from benchmarks.figures import Figures, Line, ratio_text, spread
from benchmarks.machine import SUPERUSER, Machine
from benchmarks.rounds import Turn, alternate, take_turn
from benchmarks.seed import Seeded, write_tenants
from guichet.auth.sessions import token_hash

_BAR = 1.5
_CONNECTIONS = 8
_WARM_UP = 100
#: A page of a list takes some milliseconds, a customer's home page less than one.
_SHARE = 5
#: Any customer's would do: it is known to nobody but the databases of this run.
TOKEN = Seeded(0).session_token
_STAFF = """
with person as (
  insert into staff (email, name)
  values ('owner@atelier.example', 'Camille Martin')
  returning id, email, name
),
member as (
  insert into agency_members (agency_id, staff_id, email, name, role, added_by)
  select agency.id, person.id, person.email, person.name, 'owner', 'benchmark'
  from agencies as agency
  cross join person
)
insert into staff_sessions (token_hash, staff_id, provider, device, expires_at)
select $1, person.id, 'link', 'a benchmark', now() + interval '1 day'
from person
"""
_FIGURES = """
insert into tenant_figures
  (tenant_id, agency_id, due_at, computed_at, customers, active, failed, recovered, mrr, health)
select
  id, agency_id, now() + interval '1 day', now(), 1200, 1100, 14, 9, '{"eur": 4120000}',
  '{"key": "ok", "webhooks": "ok"}'
from tenants
"""


def measure_merchants(machine: Machine, client: Client, effort: Effort, figures: Figures) -> None:
    """Alternate an agency with few merchants and one with many, each shown its first page."""
    few, many = effort.sizes[:2]
    page = [get("console.localhost", "/agencies/atelier", f"guichet-session={TOKEN}")]
    count = effort.requests // _SHARE
    contenders: dict[str, Callable[[], Turn]] = {}
    with contextlib.ExitStack() as stack:
        for size in (few, many):
            database = machine.database()
            asyncio.run(_seed(machine, database, size))
            web = stack.enter_context(machine.web(database))
            client.drive(web.port, page * _WARM_UP, _CONNECTIONS)
            contenders[str(size)] = lambda web=web: take_turn(  # type: ignore[misc]
                client, web, page * count, _CONNECTIONS
            )
        turns = alternate(contenders, effort.rounds, effort.seconds)
    _report(turns[str(few)], turns[str(many)], (few, many), figures)


async def _seed(machine: Machine, database: str, size: int) -> None:
    connection = await asyncpg.connect(machine.postgres.url(SUPERUSER, database))
    try:
        await write_tenants(connection, [Seeded(number) for number in range(size)])
        await hire(connection)
        await connection.execute(_FIGURES)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()


async def hire(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Have somebody own the agency, who is signed in with the token."""
    await connection.execute(_STAFF, token_hash(TOKEN))


def _report(few: list[Turn], many: list[Turn], sizes: tuple[int, int], figures: Figures) -> None:
    growth = spread([more.us / less.us for more, less in zip(many, few, strict=True)])
    base, cost = (spread([turn.us for turn in turns]).median for turns in (few, many))
    figures.put_spread("merchant_list_growth", growth)
    figures.put("merchant_list_few_us", base)
    figures.put("merchant_list_many_us", cost)
    figures.lines.append(
        Line(
            f"{sizes[1]} merchants beside {sizes[0]}: CPU of the list's first page",
            f"{cost:.0f} µs",
            f"{base:.0f} µs",
            ratio_text(growth),
            f"at most {_BAR}",
            growth.median <= _BAR,
        )
    )
