"""Every answer of a tenant's provider looked at for one thing: whether it lets us in."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from guichet.payments.connections import Rejection

_UNAUTHORIZED = 401
_FORBIDDEN = 403
#: What is asked to see whether a key is good. One that is restricted may be so good for all else.
_ACCOUNT = "account"
#: What work in the background reads; without one of these it fails for ever.
_MIRRORED = frozenset(
    {
        "charges",
        "customers",
        "events",
        "invoices",
        "payment_methods",
        "prices",
        "products",
        "subscriptions",
    }
)


class Watched:
    """One tenant's way through the transport; `turned_away` is awaited before the answer is given.

    It stands between the tenant's client and the transport, since there no call can pass it by.
    """

    name = "httpx"

    def __init__(self, transport: Any, turned_away: Callable[[Rejection], Awaitable[None]]) -> None:
        self._transport = transport
        self._turned_away = turned_away

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        answer: tuple[bytes, int, Mapping[str, str]] = await self._transport.request_async(
            method, url, headers, post_data
        )
        rejection = rejection_of(answer[1], method.upper(), url)
        if rejection is not None:
            await self._turned_away(rejection)
        return answer

    def sleep_async(self, secs: float) -> Awaitable[None]:
        waiting: Awaitable[None] = self._transport.sleep_async(secs)
        return waiting


def rejection_of(status: int, method: str, url: str) -> Rejection | None:
    """What an answer says about the key. What was refused is named without ids."""
    if status == _UNAUTHORIZED:
        return Rejection("key_revoked")
    resource = urlsplit(url).path.removeprefix("/v1/").partition("/")[0]
    if status != _FORBIDDEN or resource == _ACCOUNT:
        return None
    mirrored = method == "GET" and resource in _MIRRORED
    return Rejection("may_not_mirror" if mirrored else "may_not_act", f"{method} {resource}")
