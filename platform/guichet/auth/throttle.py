"""Sign-ins counted per tenant and client address, exactly, however many processes count."""

import asyncio
import ipaddress
from collections.abc import Awaitable
from typing import cast
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from guichet.auth.failures import SignInUnavailable, TooManySignIns

#: Enough for an office behind one address, far too few to fill a table or a provider's log.
_LIMIT = 60
_WINDOW_MS = 60_000
#: A process that has much else to do may take a second to hear an answer that is there.
_SECONDS = 3.0

# A script runs alone in Redis: no two counters read the same number, and none is left without
# its end. The window begins with its first try.
_COUNT = """
local tries = redis.call('incr', KEYS[1])
if tries == 1 then
  redis.call('pexpire', KEYS[1], ARGV[1])
end
return tries
"""


class Throttle:
    """At most `limit` tries in a window; without Redis none, since then nobody counts."""

    def __init__(self, redis: "Redis", limit: int = _LIMIT, window_ms: int = _WINDOW_MS) -> None:
        self._redis = redis
        self._limit = limit
        self._window_ms = window_ms

    async def count(self, door: str, tenant_id: UUID, address: str) -> None:
        """Count one try at `door`, such as `start` or `callback`.

        Raises `TooManySignIns` beyond the limit, `SignInUnavailable` when Redis cannot be asked
        within three seconds.
        """
        await self.count_name(door, tenant_id, network(address))

    async def count_name(self, door: str, tenant_id: UUID, name: str) -> None:
        """The same for whatever `name` stands for, such as an address of mail."""
        key = f"guichet:sign-in:{door}:{tenant_id}:{name}"
        try:
            async with asyncio.timeout(_SECONDS):
                tries = await cast(
                    Awaitable[int], self._redis.eval(_COUNT, 1, key, str(self._window_ms))
                )
        except (RedisError, OSError, TimeoutError) as error:
            raise SignInUnavailable(reason=f"Redis: {type(error).__name__}") from error
        if tries > self._limit:
            raise TooManySignIns(reason=f"{tries} tries")


def network(address: str) -> str:
    """Who an address stands for: itself, or for IPv6 its /64, all of which one client may have.

    `client_address` is who tells the address.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
