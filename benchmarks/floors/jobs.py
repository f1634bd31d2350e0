"""The floor of retries: jobs of the queue that do nothing.

`python -m benchmarks.floors.jobs COUNT [tuned]` enqueues so many no-op jobs, then lets one arq
worker run them to the last. As it comes: ten jobs at a time, a look every half second, each result
kept for an hour, a line of log for each start and end. `tuned` is as `workers.running` has it: a
hundred jobs at a time, a look every 10 ms, no results and no log of them, msgpack.
"""

import asyncio
import logging
import os
import sys
import time
from typing import Any

import msgspec
from arq.connections import RedisSettings, create_pool
from arq.worker import Worker, func

from benchmarks.outcome import tell

_TUNED: dict[str, Any] = {
    "max_jobs": 100,
    "poll_delay": 0.01,
    "keep_result": 0,
    "log_results": False,
    "job_serializer": msgspec.msgpack.encode,
    "job_deserializer": msgspec.msgpack.decode,
}


async def nothing(_context: dict[str, Any]) -> None:
    """Be done."""


async def _run(count: int, tuning: dict[str, Any]) -> None:
    settings = RedisSettings.from_dsn(os.environ["REDIS_URL"])
    serializer = tuning.get("job_serializer")
    async with await create_pool(settings, job_serializer=serializer) as redis:
        await redis.flushdb()
        for _ in range(count):
            await redis.enqueue_job("nothing")
    worker = Worker(
        [func(nothing, name="nothing")],  # type: ignore[arg-type]
        redis_settings=settings,
        burst=True,
        handle_signals=False,
        **tuning,
    )
    started = time.perf_counter()
    await worker.main()
    seconds = time.perf_counter() - started
    if worker.jobs_complete != count:
        raise RuntimeError(f"{worker.jobs_complete} jobs of {count} were done")
    await worker.close()
    tell(count, seconds)


if __name__ == "__main__":
    # As arq's own command has it, but where nobody reads it.
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    asyncio.run(_run(int(sys.argv[1]), _TUNED if "tuned" in sys.argv else {}))
