"""The limit on sign-ins is exact, however many processes count, and nobody is let in uncounted."""

import asyncio
import sys
from pathlib import Path
from uuid import UUID

import pytest
from redis.asyncio import Redis

from guichet.auth.failures import SignInUnavailable, TooManySignIns
from guichet.auth.throttle import Throttle, network

LUMEN = UUID(int=1)
MARMITE = UUID(int=2)
ADDRESS = "203.0.113.7"
_COUNTER = Path(__file__).with_name("sign_in_counter.py")


async def passes(throttle: Throttle, tenant_id: UUID = LUMEN, address: str = ADDRESS) -> bool:
    try:
        await throttle.count("start", tenant_id, address)
    except TooManySignIns:
        return False
    return True


async def test_a_hundred_tries_at_once_from_four_processes_let_exactly_ten_through(
    redis_url: str,
) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, str(_COUNTER), redis_url, "10", "25"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(4)
    ]
    async with asyncio.timeout(60):
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        answers = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    assert sum(int(out) for out, _ in answers) == 10


async def test_each_tenant_address_and_door_is_counted_by_itself(redis: Redis) -> None:
    throttle = Throttle(redis, limit=1)
    assert await passes(throttle)
    assert not await passes(throttle)
    assert await passes(throttle, MARMITE)
    assert await passes(throttle, address="203.0.113.8")
    await throttle.count("callback", LUMEN, ADDRESS)


async def test_a_window_ends_and_its_counter_with_it(redis: Redis) -> None:
    throttle = Throttle(redis, limit=1, window_ms=60_000)
    assert await passes(throttle)
    assert not await passes(throttle)
    (key,) = await redis.keys("*")
    assert 0 < await redis.pttl(key) <= 60_000
    # Tries beyond the limit do not put off the window's end.
    await redis.pexpire(key, 30_000)
    assert not await passes(throttle)
    assert 0 < await redis.pttl(key) <= 30_000
    # A time in the past is how Redis is told that the window is over now.
    await redis.pexpire(key, -1)
    assert await passes(throttle)


async def test_a_whole_ipv6_network_counts_as_one_client(redis: Redis) -> None:
    throttle = Throttle(redis, limit=1)
    assert await passes(throttle, address="2001:db8:1:2::1")
    assert not await passes(throttle, address="2001:db8:1:2:ffff::9")
    assert await passes(throttle, address="2001:db8:1:3::1")


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("/run/guichet.sock", "unknown"),
    ],
)
def test_an_address_stands_for_one_client(address: str, counted_as: str) -> None:
    assert network(address) == counted_as


async def test_with_redis_down_nobody_is_let_in_uncounted(unused_tcp_port: int) -> None:
    redis = Redis(port=unused_tcp_port)
    with pytest.raises(SignInUnavailable):
        await passes(Throttle(redis))
    await redis.aclose()


async def test_a_redis_that_never_answers_is_as_good_as_down() -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            pass
        writer.close()

    async with await asyncio.start_server(swallow, "127.0.0.1", 0) as server:
        redis = Redis(port=server.sockets[0].getsockname()[1])
        with pytest.raises(SignInUnavailable):
            await passes(Throttle(redis))
        await redis.aclose(close_connection_pool=True)
