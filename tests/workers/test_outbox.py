"""Knocks: one for many, never lost while Redis is there, never in the way when it is not."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from arq.connections import ArqRedis
from prometheus_client import REGISTRY

from guichet.db import Database
from guichet.outbox import QUEUE, Outbox, make_redis, open_outbox
from tests.cutting_proxy import proxy_before

_BUCKET_MS = 20


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[ArqRedis]:
    redis = make_redis(redis_url)
    yield redis
    await redis.aclose(close_connection_pool=True)


async def _due(redis: ArqRedis) -> dict[str, float]:
    """When each queued job is due, in milliseconds."""
    jobs = await redis.zrange(QUEUE, 0, -1, withscores=True)
    return {job.decode(): due for job, due in jobs}


async def _now(redis: ArqRedis) -> float:
    seconds, microseconds = await redis.time()
    return float(seconds) * 1000 + float(microseconds) / 1000


async def test_a_job_is_due_after_every_knock_that_it_stands_for(redis: ArqRedis) -> None:
    outboxes = [Outbox(redis) for _ in range(4)]
    last_knock: dict[float, float] = {}
    for _ in range(50):
        began = await _now(redis)
        await asyncio.gather(*(outbox.knock("job", "shard") for outbox in outboxes))
        last_knock[math.floor(began / _BUCKET_MS)] = began
        await asyncio.sleep(0.003)
    due = sorted((await _due(redis)).values())
    assert len(due) < 50
    for began in last_knock.values():
        assert any(began < each <= began + 2 * _BUCKET_MS for each in due)


async def test_knocks_of_one_moment_are_one_job(redis: ArqRedis) -> None:
    outboxes = [Outbox(redis) for _ in range(5)]
    await asyncio.gather(*(each.knock("job", "s", delay=60) for each in outboxes * 20))
    assert len(await _due(redis)) <= 2


async def test_each_shard_has_a_job_of_its_own(redis: ArqRedis) -> None:
    outbox = Outbox(redis)
    for shard in ("a", "b", ""):
        await outbox.knock("job", shard)
    assert {name.rpartition(":")[0] for name in await _due(redis)} == {"job:a", "job:b", "job:"}


async def test_a_knock_follows_the_commit_and_not_a_rollback(db: Database, redis: ArqRedis) -> None:
    outbox = Outbox(redis)
    tenant = uuid4()
    async with db.unit(tenant) as unit:
        outbox.knock_after_commit(unit, "committed")
        assert await _due(redis) == {}
    with contextlib.suppress(RuntimeError):
        async with db.unit(tenant) as unit:
            outbox.knock_after_commit(unit, "rolled_back")
            raise RuntimeError
    [name] = await _due(redis)
    assert name.startswith(f"committed:{tenant}:")


async def test_without_redis_a_knock_is_lost_and_counted_and_nothing_else() -> None:
    def lost() -> float:
        return REGISTRY.get_sample_value("guichet_knocks_lost_total", {"job": "nobody"}) or 0.0

    before = lost()
    async with open_outbox("redis://127.0.0.1:1") as outbox:
        for _ in range(100):
            await outbox.knock("nobody", str(uuid4()))
    # The others did not even try: Redis was away a moment ago.
    assert lost() == before + 1


async def test_jobs_are_no_pickles(redis: ArqRedis) -> None:
    await Outbox(redis).knock("job", "shard")
    [name] = await _due(redis)
    job = await redis.get(f"arq:job:{name}")
    assert job is not None
    assert not job.startswith(b"\x80\x04")
    assert b"shard" in job


async def test_a_redis_that_says_nothing_is_not_asked_over_ever_more_connections(
    redis_url: str,
) -> None:
    async with proxy_before(redis_url) as (proxy, url), open_outbox(url) as outbox:
        proxy.swallow()
        await asyncio.gather(*(outbox.knock("job", str(number)) for number in range(300)))
        # The pool's fifty, and as many that were given up and whose end the proxy has not seen yet.
        assert 0 < proxy.most <= 100
        proxy.flow()
