"""Every call out ends by itself, however silent the other side is.

A proxy before each server takes what is sent and answers nothing. The table lists every call that
the deployment makes to somebody else; a new kind of call belongs into it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import msgspec
import pytest
from arq.connections import ArqRedis
from redis.asyncio import Redis
from redis.exceptions import RedisError

from guichet.auth.failures import IdentityProviderUnreachable, SignInUnavailable
from guichet.auth.identity_http import IdentityHttp, open_identity_http
from guichet.auth.throttle import Throttle
from guichet.db import Database, DatabaseAway, connect
from guichet.outbox import Outbox, make_redis
from guichet.payments.errors import ProviderUnreachable
from guichet.payments.stripe.adapter import Stripe, Transport
from guichet.settings import Settings
from guichet.webhooks.storing import EventStore, NotStored, StoredEvent
from tests.cutting_proxy import CuttingProxy, proxy_before

pytestmark = pytest.mark.slow

#: Far above the longest limit of ours: whatever is not over by then has none.
PATIENCE_SECONDS = 24.0
_TENANT = UUID(int=1)


class Parts(msgspec.Struct):
    """What a process of the deployment calls others with."""

    database_url: str
    db: Database
    #: Its one connection is in use.
    busy: Database
    redis: ArqRedis
    throttle: Throttle
    provider: Stripe
    identity: IdentityHttp
    identity_url: str


async def _connect(parts: Parts) -> None:
    async with connect(parts.database_url, 1):
        pass


async def _transact(db: Database, meanwhile: Callable[[], None] = lambda: None) -> None:
    async with db.unit(_TENANT) as unit:
        meanwhile()
        await unit.fetchval("select 1")


async def _look_across(parts: Parts) -> None:
    async with parts.db.system() as connection:
        await connection.fetchval("select 1")


async def _store(parts: Parts) -> None:
    event = StoredEvent(_TENANT, "evt_1", "product.updated", None, datetime.now(UTC), b"{}")
    await EventStore(parts.db, lambda _: None).store(event)


#: Each call, and what it ends in when nobody answers; `()` where that is nobody's business.
CALLS: dict[str, tuple[Callable[[Parts], Awaitable[object]], tuple[type[Exception], ...]]] = {
    "PostgreSQL, a new pool": (_connect, (TimeoutError,)),
    "PostgreSQL, a read": (lambda parts: parts.db.read("select 1"), (DatabaseAway,)),
    "PostgreSQL, a transaction": (lambda parts: _transact(parts.db), (DatabaseAway,)),
    "PostgreSQL, a transaction across tenants": (_look_across, (DatabaseAway,)),
    "PostgreSQL, a connection of a pool that has none left": (
        lambda parts: _transact(parts.busy),
        (DatabaseAway,),
    ),
    "PostgreSQL, an event": (_store, (NotStored,)),
    "Redis, a worker's look": (lambda parts: parts.redis.zcard("queue"), (RedisError,)),
    "Redis, a knock": (lambda parts: Outbox(parts.redis).knock("job", "shard"), ()),
    "Redis, a sign-in counted": (
        lambda parts: parts.throttle.count("start", _TENANT, "192.0.2.1"),
        (SignInUnavailable,),
    ),
    "The payment provider": (
        lambda parts: parts.provider.fetch_subscription("sub_1"),
        (ProviderUnreachable,),
    ),
    "An identity provider": (
        lambda parts: parts.identity.get(parts.identity_url),
        (IdentityProviderUnreachable,),
    ),
}


@pytest.fixture
async def parts(settings: Settings) -> AsyncIterator[tuple[Parts, list[CuttingProxy]]]:
    """Everything that calls out, opened while the servers behind the proxies speak."""
    async with AsyncExitStack() as stack:
        before = [
            await stack.enter_async_context(proxy_before(url))
            for url in (settings.database_url, settings.redis_url, settings.stripe_url)
        ]
        database_url, redis_url, provider_url = (url for _, url in before)
        db = await stack.enter_async_context(connect(database_url, 4))
        busy = await stack.enter_async_context(connect(settings.database_url, 1))
        await stack.enter_async_context(busy.system())
        redis = make_redis(redis_url)
        stack.push_async_callback(redis.aclose, close_connection_pool=True)
        counting = Redis.from_url(redis_url, socket_timeout=2, socket_connect_timeout=2)
        stack.push_async_callback(counting.aclose)
        transport = Transport()
        stack.push_async_callback(transport.close_async)
        identity = await stack.enter_async_context(open_identity_http(allow_loopback=True))
        yield (
            Parts(
                database_url=database_url,
                db=db,
                busy=busy,
                redis=redis,
                throttle=Throttle(counting),
                provider=Stripe("sk_test_silence", provider_url, transport),
                identity=identity,
                identity_url=provider_url,
            ),
            [proxy for proxy, _ in before],
        )
        for proxy, _ in before:
            proxy.cut()
            proxy.flow()


async def _ends_as_listed(
    call: Callable[[Parts], Awaitable[object]], parts: Parts, expected: tuple[type[Exception], ...]
) -> str:
    """What became of a call that nobody answered: empty when it is as listed."""
    calling = asyncio.ensure_future(call(parts))
    done, _ = await asyncio.wait({calling}, timeout=PATIENCE_SECONDS)
    if not done:
        calling.cancel()
        return "still waiting"
    error = calling.exception()
    is_as_listed = isinstance(error, expected) if expected else error is None
    return "" if is_as_listed else repr(error)


async def test_no_call_waits_for_ever_for_somebody_who_is_silent(
    parts: tuple[Parts, list[CuttingProxy]],
) -> None:
    opened, proxies = parts
    await asyncio.gather(opened.redis.ping(), *(opened.db.read("select 1") for _ in range(4)))
    for proxy in proxies:
        proxy.swallow()
    outcomes = await asyncio.gather(
        *(_ends_as_listed(call, opened, expected) for call, expected in CALLS.values())
    )
    assert dict(zip(CALLS, outcomes, strict=True)) == dict.fromkeys(CALLS, "")


async def test_one_connection_that_fell_silent_has_all_replaced(settings: Settings) -> None:
    async with (
        proxy_before(settings.database_url) as (proxy, url),
        connect(url, 4) as db,
    ):
        await asyncio.gather(*(db.read("select pg_sleep(0.1)::text") for _ in range(4)))
        proxy.forget()
        with pytest.raises(DatabaseAway):
            await db.read("select 1")
        assert await asyncio.gather(*(db.read("select 1") for _ in range(4))) == [1] * 4


async def test_who_loses_the_connection_in_a_transaction_is_told_so(settings: Settings) -> None:
    async with (
        proxy_before(settings.database_url) as (proxy, url),
        connect(url, 1) as db,
    ):
        with pytest.raises(DatabaseAway) as raised:
            await _transact(db, proxy.cut)
        assert isinstance(raised.value.__cause__, asyncpg.ConnectionDoesNotExistError)
        assert await db.read("select 1") == 1
