"""What a job is: a function of the office and a shard, whose failures are logged and counted."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from arq.constants import in_progress_key_prefix
from arq.cron import CronJob
from arq.worker import Function, func
from prometheus_client import Counter, Histogram
from redis.exceptions import RedisError

from workers.office import Office

log = structlog.get_logger()

#: A job gets the office and, where it is knocked for with one, the shard: a tenant's id.
Job = Callable[..., Awaitable[None]]

#: A job whose worker has said nothing of it for so long is begun again by whoever sees its knock:
#: the rows it is for have leases of their own. Were it as long as the longest job, each knock that
#: a killed worker had in hand would cost every other worker a look at each poll, for an hour.
TAKEN_SECONDS = 30.0

_done = Counter("guichet_jobs_total", "Jobs that ended.", ["job", "outcome"])
_waited = Histogram(
    "guichet_job_start_delay_seconds",
    "Time from when a job was due to when it started.",
    buckets=(0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 1, 5, 30),
)


def runnable(job: Job, name: str, taken_s: float = TAKEN_SECONDS) -> Callable[..., Awaitable[None]]:
    """The job as the queue calls it: with a context that holds the office.

    It never raises: the row that the job is for waits, and the sweep comes by again.
    """

    async def run(context: dict[str, Any], *shard: str) -> None:
        office: Office = context["office"]
        _waited.observe(max(0.0, time.time() - context["score"] / 1000))
        holding = asyncio.create_task(_hold(context, taken_s))
        try:
            await job(office, *shard)
        except Exception as error:
            _done.labels(name, "failed").inc()
            log.error("job_failed", job=name, tenant=shard[0] if shard else "", exc_info=error)
        else:
            _done.labels(name, "done").inc()
        finally:
            holding.cancel()

    run.__qualname__ = name
    return run


async def _hold(context: dict[str, Any], taken_s: float) -> None:
    """Renew the queue's mark that the job is under way, until it is cancelled."""
    key = in_progress_key_prefix + context["job_id"]
    while True:
        await asyncio.sleep(taken_s / 3)
        # A queue that is away has forgotten the job, and with it who does it.
        with contextlib.suppress(RedisError, OSError):
            await context["redis"].pexpire(key, int(taken_s * 1000))


def knowing(functions: dict[str, Function | CronJob]) -> dict[str, Function | CronJob]:
    """A queue's functions, and for any other name one that only says that it is not known.

    While a deploy goes on, workers of the former version see what those of the new one knock for.
    The knock is lost, the row that it was for is found by the new version's sweep.
    """
    return _Functions(functions)


class _Functions(dict[str, Function | CronJob]):
    def __missing__(self, name: str) -> Function:
        async def run(_context: dict[str, Any], *_shard: str) -> None:
            log.warning("job_unknown", job=name)

        return func(run, name=name, keep_result=0)  # type: ignore[arg-type]


def queued(job: Job, name: str, seconds: float, taken_s: float = TAKEN_SECONDS) -> Function:
    """The job under the name that it is knocked for with, ended after `seconds`."""
    return func(runnable(job, name, taken_s), name=name, timeout=seconds, keep_result=0)  # type: ignore[arg-type]
