"""What it takes PostgreSQL to choose the failed payments that are due, among few and among many."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

import asyncpg
import msgspec

from benchmarks.cases import write_cases
from benchmarks.effort import Effort
from benchmarks.figures import Figures, Line, ratio_text, spread
from benchmarks.machine import CONNECTIONS, SUPERUSER, Machine
from benchmarks.rounds import alternate
from benchmarks.seed import Seeded, write_tenants
from guichet.billing.dunning.cases.claiming import BATCH, claim
from guichet.db import Connection, Database, Unit, connect
from guichet.embedded.postgres import WEB_ROLE
from workers.dunning import sweep_dunning
from workers.office import Office

_BAR_MS = 20.0
#: One tenant in so many has cases that are due, and one alone has a tenth of all cases, all due.
_ONE_IN = 20
_VERSION = 1
_REST = "update dunning_cases set wake_at = next_attempt_at where wake_at <> next_attempt_at"


class Chosen(msgspec.Struct, frozen=True):
    """PostgreSQL's own times for so many cases, in milliseconds."""

    count: int
    #: Finding the tenants that have some.
    sweep_ms: float
    #: Locking the cases that are due, in their order, passing over those that others have.
    choose_ms: float
    #: The claims as a whole, leases written.
    claim_ms: float

    @property
    def scan_ms(self) -> float:
        return self.sweep_ms + self.choose_ms


class _Explained(Unit):
    """A unit whose statements tell how long they took instead of what they found."""

    def __init__(self, connection: Connection, tenant_id: UUID) -> None:
        super().__init__(connection, tenant_id)
        self.plans: list[dict[str, Any]] = []

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        self.plans.append(await _explain(self.connection, sql, *args))
        return []


class _Sweeping:
    """What `sweep_dunning` needs of an office; it keeps who is knocked for, and the plan."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.deployment = self.db = self.outbox = self
        self.plan: dict[str, Any] = {}
        self.tenants: list[UUID] = []

    @contextlib.asynccontextmanager
    async def system(self) -> AsyncIterator["_Sweeping"]:
        async with self._db.system() as connection:
            self._connection = connection
            yield self

    async def fetch(self, sql: str) -> list[asyncpg.Record]:
        self.plan = await _explain(self._connection, sql)
        return await self._connection.fetch(sql)

    async def knock(self, _job: str, tenant_id: str) -> None:
        self.tenants.append(UUID(tenant_id))


async def _explain(connection: Connection, sql: str, *args: object) -> dict[str, Any]:
    [row] = await connection.fetch(f"explain (analyze, buffers off, format json) {sql}", *args)
    [plan] = msgspec.json.decode(row[0])
    return cast("dict[str, Any]", plan)


def measure_choosing(machine: Machine, effort: Effort, figures: Figures) -> None:
    """Alternate a database with few cases and one with many, as many of them due."""
    contenders: dict[str, Callable[[], Chosen]] = {}
    for cases in effort.cases:
        database = machine.database()
        asyncio.run(_seed(machine, database, cases, effort))
        contenders[str(cases)] = _turn(machine, database, effort.due)
    turns = alternate(contenders, effort.rounds, effort.seconds)
    _report(turns, effort, figures)


async def _seed(machine: Machine, database: str, cases: int, effort: Effort) -> None:
    """Cases spread over all tenants, of which one in twenty has some that are due."""
    tenants = [Seeded(number) for number in range(effort.case_tenants)]
    each = effort.due // (effort.case_tenants // _ONE_IN)
    share = max(each, cases // effort.case_tenants)
    rows = [(it.id, share, 0 if it.number % _ONE_IN else each) for it in tenants]
    rows[1] = (tenants[1].id, cases // 10, cases // 10)
    connection = await asyncpg.connect(machine.postgres.url(SUPERUSER, database))
    try:
        await write_tenants(connection, tenants)
        await write_cases(connection, rows)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()


def _turn(machine: Machine, database: str, due: int) -> Callable[[], Chosen]:
    return lambda: asyncio.run(_choose(machine, database, due))


async def _choose(machine: Machine, database: str, due: int) -> Chosen:
    """Sweep, then claim a batch for each tenant in turn until so many cases are claimed."""
    url = machine.postgres.url(WEB_ROLE, database)
    async with connect(url, CONNECTIONS) as db:
        await _sweep(db)
        swept = await _sweep(db)
        count, choose_ms, claim_ms = 0, 0.0, 0.0
        while count < due:
            for tenant in swept.tenants:
                claimed, chosen_ms, whole_ms = await _claim(db, tenant)
                count += claimed
                choose_ms += chosen_ms
                claim_ms += whole_ms
    connection = await asyncpg.connect(machine.postgres.url(SUPERUSER, database))
    await connection.execute(_REST)
    await connection.close()
    return Chosen(count, swept.plan["Execution Time"], choose_ms, claim_ms)


async def _sweep(db: Database) -> _Sweeping:
    sweeping = _Sweeping(db)
    await sweep_dunning(cast("Office", sweeping))
    return sweeping


async def _claim(db: Database, tenant_id: UUID) -> tuple[int, float, float]:
    """How many cases a tenant's next batch has, and what choosing them and all of it took."""
    async with db.unit(tenant_id) as unit:
        explained = _Explained(unit.connection, tenant_id)
        await claim(explained, _VERSION)
    due, outdated = explained.plans
    [chosen] = [it for it in due["Plan"]["Plans"] if it.get("Subplan Name") == "CTE due"]
    count = int(chosen["Actual Rows"])
    choose_ms, whole_ms = chosen["Actual Total Time"], due["Execution Time"]
    # A batch that is not full is filled up with what an earlier policy decided.
    more_ms = outdated["Execution Time"] if count < BATCH else 0.0
    return count, choose_ms + more_ms, whole_ms + more_ms


def _report(turns: Mapping[str, Sequence[Chosen]], effort: Effort, figures: Figures) -> None:
    few, many = (turns[str(cases)] for cases in effort.cases)
    growth = spread([it.scan_ms / base.scan_ms for it, base in zip(many, few, strict=True)])
    scan = spread([it.scan_ms for it in many])
    figures.put_spread("due_scan_ms", scan)
    figures.put_spread("due_scan_growth", growth)
    figures.put("due_scan_few_ms", spread([it.scan_ms for it in few]).median)
    for part in ("sweep_ms", "choose_ms", "claim_ms"):
        figures.put(f"due_{part}", spread([getattr(it, part) for it in many]).median)
    number = figures.numbers
    what = f"{effort.due} due chosen among {effort.cases[-1]} cases"
    figures.lines += [
        Line(
            what,
            f"{scan.median:.1f} ms",
            f"{number['due_scan_few_ms']:.1f} ms",
            ratio_text(growth),
            f"under {_BAR_MS:.0f} ms",
            scan.median < _BAR_MS,
        ),
        Line("  of it finding their tenants", f"{number['due_sweep_ms']:.1f} ms"),
        Line("  claimed, with leases written", f"{number['due_claim_ms']:.1f} ms"),
    ]
