"""Who has a job in hand: the queue's mark stands as long as the job runs, and no longer."""

import asyncio
from typing import Any

import msgspec
import pytest
import structlog
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix
from arq.worker import Worker

from guichet.outbox import make_redis
from guichet.settings import Settings
from workers.jobs import knowing, queued

_QUEUE = "tests:taking"
_TAKEN_SECONDS = 0.6


def _worker(redis: ArqRedis, function: Any) -> Worker:
    worker = Worker(
        [function],
        redis_pool=redis,
        queue_name=_QUEUE,
        handle_signals=False,
        poll_delay=0.01,
        keep_result=0,
        ctx={"office": None},
        job_serializer=msgspec.msgpack.encode,
        job_deserializer=msgspec.msgpack.decode,
    )
    worker.in_progress_timeout_s = _TAKEN_SECONDS
    worker.functions = knowing(worker.functions)
    return worker


async def test_a_job_that_takes_long_is_begun_once(settings: Settings) -> None:
    begun: list[str] = []
    done = asyncio.Event()

    async def slow(_office: object, shard: str) -> None:
        begun.append(shard)
        await asyncio.sleep(3 * _TAKEN_SECONDS)
        done.set()

    redis = make_redis(settings.redis_url)
    await redis.enqueue_job("slow", "shard", _job_id="slow", _queue_name=_QUEUE)
    polling = asyncio.create_task(_worker(redis, queued(slow, "slow", 60, _TAKEN_SECONDS)).main())
    try:
        async with asyncio.timeout(30):
            await done.wait()
            while await redis.zcard(_QUEUE):
                await asyncio.sleep(0.01)
        assert begun == ["shard"]
        assert not await redis.exists(in_progress_key_prefix + "slow")
    finally:
        polling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await polling
        await redis.aclose(close_connection_pool=True)


async def test_a_job_of_a_newer_version_is_one_line_in_the_log(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    done = asyncio.Event()

    async def known(_office: object, _shard: str) -> None:
        done.set()

    redis = make_redis(settings.redis_url)
    await redis.enqueue_job("sweep_moons", "shard", _job_id="newer", _queue_name=_QUEUE)
    await redis.enqueue_job("known", "shard", _job_id="known", _queue_name=_QUEUE)
    with structlog.testing.capture_logs() as logs:
        polling = asyncio.create_task(_worker(redis, queued(known, "known", 60)).main())
        try:
            async with asyncio.timeout(30):
                await done.wait()
                while await redis.zcard(_QUEUE):
                    await asyncio.sleep(0.01)
            assert await redis.keys("arq:*newer*") == []
        finally:
            polling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await polling
            await redis.aclose(close_connection_pool=True)
    assert logs == [{"event": "job_unknown", "job": "sweep_moons", "log_level": "warning"}]
    assert [it.getMessage() for it in caplog.records if it.levelname != "INFO"] == []
