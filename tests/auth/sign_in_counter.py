"""A process that tries to sign in many times at once, and prints how often it was let through.

Arguments: the URL of Redis, the limit, how many tries. It says `ready` and waits for a line.
"""

import asyncio
import sys
from uuid import UUID

from redis.asyncio import Redis

from guichet.auth.failures import TooManySignIns
from guichet.auth.throttle import Throttle


async def main(url: str, limit: int, tries: int) -> None:
    redis = Redis.from_url(url)
    await redis.ping()
    throttle = Throttle(redis, limit)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    results = await asyncio.gather(
        *(throttle.count("start", UUID(int=1), "203.0.113.7") for _ in range(tries)),
        return_exceptions=True,
    )
    refused = sum(isinstance(result, TooManySignIns) for result in results)
    passed = sum(result is None for result in results)
    assert refused + passed == tries, results
    sys.stdout.write(f"{passed}\n")
    await redis.aclose()


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
