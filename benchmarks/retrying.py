"""Due attempts that one worker executes in a second, beside what its queue does with no-op jobs."""

import asyncio
import contextlib
import itertools
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from benchmarks.debts import Debtors, owe
from benchmarks.effort import Effort
from benchmarks.figures import Figures, Line, Spread, ratio_text, spread
from benchmarks.machine import Cost, Machine, Server
from benchmarks.outcome import Outcome, told
from benchmarks.rounds import alternate
from benchmarks.waiting import NotApplied, connected
from guichet.billing.dunning.running import RUN_DUNNING
from guichet.outbox import open_outbox

_BAR = 0.33
#: Merchants whose customers' attempts fall due together.
_TENANTS = 10
#: Attempts for each of them until connections are open and statements prepared.
_WARM_UP = 4
#: The worker with few cases, and the one with many.
_WORKERS = ("retry", "grown")
_LIMIT_SECONDS = 120
_POLL_SECONDS = 0.02


class Executed(msgspec.Struct, frozen=True):
    """What a number of attempts took, to the last one's settling."""

    count: int
    seconds: float
    cost: Cost

    @property
    def per_second(self) -> float:
        return self.count / self.seconds

    @property
    def us(self) -> float:
        """Processor time of an attempt, of the worker and its PostgreSQL backends."""
        return self.program_us + self.postgres_us

    @property
    def program_us(self) -> float:
        return 1e6 * self.cost.program / self.count

    @property
    def postgres_us(self) -> float:
        return 1e6 * self.cost.postgres / self.count


class Works(msgspec.Struct, frozen=True):
    """A worker, its queue, and what is owed to its tenants: each turn takes some of it."""

    worker: Server
    queue: str
    owing: list[Debtors]

    def execute(self, first: int, each: int) -> Executed:
        """Let so many of each tenant's cases be due, knock, and see what the attempts take."""
        seconds, cost = self.worker.cost_of(lambda: asyncio.run(self._execute(first, each)))
        return Executed(each * len(self.owing), seconds, cost)

    async def _execute(self, first: int, each: int) -> float:
        due = [debt.invoice_id for it in self.owing for debt in it.debts[first : first + each]]
        if len(due) != each * len(self.owing):
            raise NotApplied
        async with connected(self.worker) as connection, open_outbox(self.queue) as outbox:
            await connection.execute(_WAKE, due)
            started = time.perf_counter()
            for it in self.owing:
                await outbox.knock(RUN_DUNNING, str(it.tenant.id))
            while await connection.fetchval(_SETTLED, due) < len(due):
                if time.perf_counter() > started + _LIMIT_SECONDS:
                    raise NotApplied
                await asyncio.sleep(_POLL_SECONDS)
            return time.perf_counter() - started


_WAKE = "update dunning_cases set wake_at = now() where invoice_id = any($1::text[])"
_SETTLED = """
select count(1)
from dunning_attempts as attempt
join dunning_cases as held
  on held.tenant_id = attempt.tenant_id
  and held.invoice_id = attempt.invoice_id
where attempt.invoice_id = any($1::text[])
and attempt.state in ('succeeded', 'declined')
and (held.state = 'recovered' or held.next_attempt_at > now())
"""


def measure_retrying(machine: Machine, effort: Effort, figures: Figures) -> None:
    """Alternate two workers, with few cases and with many, and the queue, as it comes and tuned."""
    each = effort.retried // _TENANTS
    contenders: dict[str, Callable[[], Executed | Outcome]] = {}
    with contextlib.ExitStack() as stack:
        sandbox = stack.enter_context(machine.sandbox())
        for place, (name, cases) in enumerate(zip(_WORKERS, effort.cases, strict=True)):
            numbers = range(place * _TENANTS, (place + 1) * _TENANTS)
            database, queue = machine.database(), machine.queue()
            needed = _WARM_UP + each * effort.retry_rounds
            owing = asyncio.run(owe(machine, database, sandbox, numbers, needed, cases))
            worker = stack.enter_context(machine.worker(database, queue, sandbox))
            contenders[name] = _turn(Works(worker, queue, owing), each)
        contenders["queue"] = _queue(machine, effort.jobs)
        contenders["tuned"] = _queue(machine, effort.jobs, "tuned")
        turns = alternate(contenders, effort.retry_rounds, effort.retry_seconds)
    _report(turns, effort, figures)


def _turn(works: Works, each: int) -> Callable[[], Executed]:
    works.execute(0, _WARM_UP)
    firsts = itertools.count(_WARM_UP, each)
    return lambda: works.execute(next(firsts), each)


def _queue(machine: Machine, count: int, *tuned: str) -> Callable[[], Outcome]:
    environ = {"REDIS_URL": machine.queue()}
    command = [sys.executable, "-m", "benchmarks.floors.jobs", str(count), *tuned]
    name = "-".join(("floor-jobs", *tuned))
    return lambda: told(machine.finish(name, command, environ))


def _report(
    turns: Mapping[str, Sequence[Executed | Outcome]], effort: Effort, figures: Figures
) -> None:
    retries, grown = ([it for it in turns[name] if isinstance(it, Executed)] for name in _WORKERS)
    for name, floor in (("retry_rate_ratio", "queue"), ("retry_rate_ratio_to_tuned", "tuned")):
        pairs = zip(retries, turns[floor], strict=True)
        figures.put_spread(name, spread([done.per_second / it.per_second for done, it in pairs]))
        figures.put(f"{floor}_jobs_per_second", _median(turns[floor], "per_second"))
    for figure in ("per_second", "program_us", "postgres_us"):
        figures.put(f"retry_{figure}", _median(retries, figure))
    growth = spread([many.us / few.us for many, few in zip(grown, retries, strict=True)])
    figures.put_spread("retry_cost_growth", growth)
    number = figures.numbers
    met = number["retry_rate_ratio"] >= _BAR
    many_us, few_us = _median(grown, "us"), _median(retries, "us")
    figures.lines += [
        _line("due attempts executed in a second", "", "queue", figures, f"at least {_BAR}", met),
        _line("  beside the queue tuned as ours", "_to_tuned", "tuned", figures),
        Line("    CPU of an attempt, the worker", f"{number['retry_program_us']:.0f} µs"),
        Line("    CPU of an attempt, PostgreSQL", f"{number['retry_postgres_us']:.0f} µs"),
        Line(
            f"{effort.cases[-1]} cases: CPU of an attempt",
            f"{many_us:.0f} µs",
            f"{few_us:.0f} µs",
            ratio_text(growth),
        ),
    ]


def _median(turns: Sequence[Executed | Outcome], figure: str) -> float:
    return spread([getattr(it, figure) for it in turns]).median


def _line(
    what: str, end: str, floor: str, figures: Figures, bar: str = "", met: bool | None = None
) -> Line:
    number, name = figures.numbers, f"retry_rate_ratio{end}"
    ratio = Spread(number[name], number[f"{name}_min"], number[f"{name}_max"])
    return Line(
        what,
        f"{number['retry_per_second']:.0f}",
        f"{number[f'{floor}_jobs_per_second']:.0f}",
        ratio_text(ratio),
        bar,
        met,
    )
