"""Wires to a provider that behave as a test says, and count what was sent over them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from guichet.payments.stripe.transport import Answer

Behaviour = Callable[[], Awaitable[Answer]]


class Wire:
    """Sends nothing anywhere: each request is answered by `behaviour`, and sleeping takes no time.

    What is slept is in `slept`, in seconds.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.sent = 0
        self.slept: list[float] = []

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> Answer:
        self.sent += 1
        return await self.behaviour()

    async def sleep_async(self, secs: float) -> None:
        self.slept.append(secs)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def answering(status: int, **headers: str) -> Behaviour:
    """Every request is answered so; in header names `_` stands for `-`."""

    async def answer() -> Answer:
        return b"{}", status, {name.replace("_", "-"): value for name, value in headers.items()}

    return answer


def raising(make: Callable[[], Exception]) -> Behaviour:
    async def fail() -> Answer:
        raise make()

    return fail
