"""A worker's life: it outlives Redis and PostgreSQL, and finishes what it has in hand."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from arq.connections import ArqRedis
from arq.worker import Worker

from guichet.outbox import QUEUE, make_redis
from guichet.settings import Settings
from workers.jobs import TAKEN_SECONDS, knowing
from workers.office import Office, open_office
from workers.timetable import beats, functions

log = structlog.get_logger()

#: Measured: as it comes the queue runs 210 jobs a second, so 660 to 1,100, and idle workers start
#: within a poll.
_MAX_JOBS = 100
_POLL_SECONDS = 0.01
#: Jobs in hand get so long after a signal; what is cut off is found by the next sweep.
_FINISH_SECONDS = 5.0
_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 2.0


async def run(settings: Settings, stop: asyncio.Event, started: Callable[[], None]) -> None:
    """Work until `stop` is set, then finish the jobs in hand; calls `started` before the first."""
    redis = make_redis(settings.redis_url)
    try:
        async with open_office(settings) as office:
            started()
            await _work(redis, office, stop)
    finally:
        with contextlib.suppress(Exception):
            await redis.aclose(close_connection_pool=True)


async def _work(redis: ArqRedis, office: Office, stop: asyncio.Event) -> None:
    """Run one queue worker after another, for each ends when Redis goes away."""
    stopping = asyncio.create_task(stop.wait())
    in_hand: set[asyncio.Task[Any]] = set()
    wait = _FIRST_WAIT_SECONDS
    while not stop.is_set():
        worker = _queue_worker(redis, office)
        polling = asyncio.create_task(worker.main())
        started_at = time.monotonic()
        await asyncio.wait({polling, stopping}, return_when=asyncio.FIRST_COMPLETED)
        worker.allow_pick_jobs = False
        in_hand = {task for task in in_hand if not task.done()} | set(worker.tasks.values())
        if not stop.is_set():
            log.warning("queue_lost", reason=type(polling.exception()).__name__)
            lasted = time.monotonic() - started_at
            wait = _FIRST_WAIT_SECONDS if lasted > _LONGEST_WAIT_SECONDS else 2 * wait
            await asyncio.wait({stopping}, timeout=min(wait, _LONGEST_WAIT_SECONDS))
    office.applier.close()
    office.runner.close()
    office.sender.close()
    office.staff_sender.close()
    await _finish(in_hand)
    await _end(polling)


async def _finish(in_hand: set[asyncio.Task[Any]]) -> None:
    """Let jobs end by themselves for a while, then cut them off."""
    if not in_hand:
        return
    _, cut_off = await asyncio.wait(in_hand, timeout=_FINISH_SECONDS)
    log.info("jobs_finished", count=len(in_hand) - len(cut_off))
    for task in cut_off:
        await _end(task)


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancel until it ends: the Redis client swallows a cancellation that meets an answer."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_FIRST_WAIT_SECONDS)
    # Redis may be gone, so whatever it ended with is no news.
    await asyncio.gather(task, return_exceptions=True)


def _queue_worker(redis: ArqRedis, office: Office) -> Worker:
    context: dict[str, Any] = {"office": office}
    worker = Worker(
        functions(),
        cron_jobs=beats(),
        redis_pool=redis,
        queue_name=QUEUE,
        handle_signals=False,
        max_jobs=_MAX_JOBS,
        poll_delay=_POLL_SECONDS,
        keep_result=0,
        log_results=False,
        ctx=context,
        job_serializer=msgspec.msgpack.encode,
        job_deserializer=msgspec.msgpack.decode,
    )
    worker.in_progress_timeout_s = TAKEN_SECONDS
    worker.functions = knowing(worker.functions)
    return worker
