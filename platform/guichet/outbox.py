"""Wakes the workers: a row in PostgreSQL is the job, what is sent here is the knock on the door.

How one knock serves many commits and none is missed: time is cut into buckets of 20 ms. Whoever has
committed a row knocks with the job id of the bucket that it is then, and the job is due when the
bucket is over. A second knock in the same bucket finds the id taken and is dropped; the job that is
there starts after the bucket's end, so after that second commit too, and sees its row. A job that
was due in an earlier bucket has another id, so running or not it cannot swallow a knock.

That holds while clocks agree to within the age of a bucket. A worker whose clock is ahead may run
a bucket's job before the bucket is over; a knock that is lost that way, or because Redis was away
or was emptied, costs the time until the next sweep and nothing else.
"""

import contextlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import structlog
from arq.connections import ArqRedis
from prometheus_client import Counter
from redis.asyncio import BlockingConnectionPool
from redis.exceptions import RedisError

from guichet.db import Unit

log = structlog.get_logger()

#: The queue's name in Redis.
QUEUE = "guichet:jobs"

#: Half of the time in which idle workers are to start: a knock waits 10 ms on the average.
_BUCKET_MS = 20
#: While Redis is away, one knock a second tries whether it is back; the others cost nothing.
_AWAY_SECONDS = 1.0
_CONNECT_SECONDS = 0.5
_ANSWER_SECONDS = 2.0
#: While Redis says nothing, knocks and finished jobs wait for a connection, each of which would
#: otherwise open one more.
_CONNECTIONS = 50
#: A knock that nobody heard for an hour is worth nothing: the sweep has found the row.
_KEPT_SECONDS = 3600.0

_lost = Counter("guichet_knocks_lost_total", "Knocks that did not reach Redis.", ["job"])


class Outbox:
    """Sends knocks. Never raises for Redis: a row whose knock is lost is found by the sweep."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._bucket = 0
        self._knocked: set[str] = set()
        self._away_until = 0.0

    async def knock(self, job: str, shard: str = "", delay: float = 0.0) -> None:
        """Have a worker run `job` for `shard`, `delay` seconds from now, once for many knocks."""
        now = time.time()
        bucket = int((now + delay) * 1000) // _BUCKET_MS
        job_id = f"{job}:{shard}:{bucket}"
        if not self._is_new(job_id, now) or time.monotonic() < self._away_until:
            return
        due = datetime.fromtimestamp((bucket + 1) * _BUCKET_MS / 1000, UTC)
        arguments = (shard,) if shard else ()
        try:
            await self._redis.enqueue_job(
                job, *arguments, _job_id=job_id, _defer_until=due, _expires=_KEPT_SECONDS + delay
            )
        except (RedisError, OSError) as error:
            self._knocked.discard(job_id)
            self._away_until = time.monotonic() + _AWAY_SECONDS
            _lost.labels(job).inc()
            log.warning("knock_lost", job=job, reason=type(error).__name__)

    def _is_new(self, job_id: str, now: float) -> bool:
        """Whether this process has not sent the same knock already; it need not ask Redis then."""
        bucket = int(now * 1000) // _BUCKET_MS
        if bucket != self._bucket:
            self._bucket = bucket
            self._knocked.clear()
        if job_id in self._knocked:
            return False
        self._knocked.add(job_id)
        return True

    def knock_after_commit(self, unit: Unit, job: str) -> None:
        """Knock for the unit's tenant once its transaction is durable."""
        unit.after_commit(lambda: self.knock(job, str(unit.tenant_id)))


def make_redis(url: str) -> ArqRedis:
    """The queue's Redis, connected at first use; no wait of it is longer than two seconds.

    Jobs are written as MessagePack: with pickle, whoever can write to Redis runs code here.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        health_check_interval=15,
    )
    return ArqRedis(
        pool,
        default_queue_name=QUEUE,
        job_serializer=msgspec.msgpack.encode,
        job_deserializer=msgspec.msgpack.decode,
    )


@contextlib.asynccontextmanager
async def open_outbox(url: str) -> AsyncIterator[Outbox]:
    """An outbox with a connection pool of its own, closed at the end."""
    redis = make_redis(url)
    try:
        yield Outbox(redis)
    finally:
        await redis.aclose(close_connection_pool=True)
