"""One tenant's line to Stripe: its share of the connections, its limits, its circuit breaker."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any

import stripe
import structlog
from prometheus_client import Counter

from guichet.payments.stripe.breaker import Breaker
from guichet.payments.stripe.transport import Answer, Lost, NotSent, Transport, Wire

_log = structlog.get_logger()

#: The longest that anybody waits for one question of the port, with all its calls and retries, in
#: seconds. Leases of whoever asks are longer.
LIMIT_SECONDS = 10.0
#: When the question of the port that is being answered has to end, by the event loop's clock.
#: None where it is made of this call alone.
deadline: ContextVar[float | None] = ContextVar("deadline", default=None)

#: Of the transport's connections one tenant may hold so many at a time. An account that begins to
#: hang holds all of them until its first calls time out and its breaker opens, so the share is a
#: fiftieth: a few accounts that hang together leave the others theirs.
_SHARE = 10
#: The largest number of attempts at a call after the first one.
_RETRIES = 1
#: What turns a request away before it is looked at, so that it says nothing of an attempt before.
_NOT_LOOKED_AT = frozenset({401, 403, 429})
#: Before the second attempt, in seconds; a random share of it is left out.
_PAUSE = 0.5

_openings = Counter("guichet_provider_breaker_openings_total", "Circuit breakers that opened.")


class Line(stripe.HTTPClient):
    """What the SDK of one tenant calls through.

    Where its provider hangs, its own customers wait for each other and nobody else's for them; and
    where it has not answered several times, they are told so at once. Takes the place of the SDK's
    own retries, which know neither a limit nor a breaker.
    """

    name = Transport.name

    def __init__(self, wire: Wire, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._wire = wire
        self._clock = clock
        self._gate = asyncio.Semaphore(_SHARE)
        self._breaker = Breaker()

    async def request_with_retries_async(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,
        max_network_retries: int | None = None,
        *,
        _usage: list[str] | None = None,
    ) -> Answer:
        """An answer of any status; raises `NotSent` or `Lost`.

        `Lost` too where the second attempt is turned away and the first may have been carried out.
        """
        call = _Call(lambda: self._wire.request_async(method, url, headers, post_data))
        try:
            async with asyncio.timeout_at(call.ends_at):
                return await self._try(call)
        except TimeoutError:
            raise call.failure("limit") from None

    async def _try(self, call: "_Call") -> Answer:
        for retries_left in range(_RETRIES, -1, -1):
            answer: Answer | None = None
            try:
                answer = await self._attempt(call)
            except stripe.APIConnectionError:
                pause = _jittered(_PAUSE)
            else:
                pause = _pause_before_repeating(answer)
            if not retries_left or call.seconds_left() <= pause or not self._lets_pass():
                break
            await self._wire.sleep_async(pause)
        if answer is None or (call.in_doubt and answer[1] in _NOT_LOOKED_AT):
            raise call.failure("connection")
        return answer

    async def _attempt(self, call: "_Call") -> Answer:
        self._check()
        async with self._gate:
            # Again: it may have opened while this call stood in the queue.
            self._check()
            self._breaker = self._breaker.begin(self._clock())
            turn = self._breaker.turn
            try:
                answer = await call.attempt()
            except stripe.APIConnectionError as error:
                self._end(turn, failed=not isinstance(error, NotSent) or error.away)
                raise
            except asyncio.CancelledError:
                # At the limit the provider took too long; before it somebody went away.
                self._end(turn, failed=call.seconds_left() <= 0)
                raise
        if answer[1] >= 500:
            self._end(turn, failed=True)
        else:
            self._breaker = self._breaker.answered()
        return answer

    def _lets_pass(self) -> bool:
        return self._breaker.lets_pass(self._clock())

    def _check(self) -> None:
        if not self._lets_pass():
            raise NotSent("breaker")

    def _end(self, turn: int, *, failed: bool) -> None:
        before, now = self._breaker, self._clock()
        if not failed:
            self._breaker = before.abandoned(turn, now)
            return
        self._breaker = before.failed(turn, now)
        if self._breaker.is_open and not before.is_open:
            _openings.inc()
            _log.warning("provider_breaker_opened", seconds=self._breaker.wait)


class _Call:
    """One call with all its attempts: when it has to end, and whether anything went out."""

    def __init__(self, send: Callable[[], Awaitable[Answer]]) -> None:
        now = asyncio.get_running_loop().time()
        self.ends_at = deadline.get() or now + LIMIT_SECONDS
        self._send = send
        self._went_out = False
        #: Whether an attempt may have done what was asked without saying so.
        self.in_doubt = False

    async def attempt(self) -> Answer:
        sent_before, self._went_out = self._went_out, True
        try:
            answer = await self._send()
        except NotSent:
            self._went_out = sent_before
            raise
        except stripe.APIConnectionError:
            self.in_doubt = True
            raise
        self.in_doubt = self.in_doubt or answer[1] == 409 or answer[1] >= 500
        return answer

    def seconds_left(self) -> float:
        return self.ends_at - asyncio.get_running_loop().time()

    def failure(self, reason: str) -> stripe.APIConnectionError:
        if self._went_out:
            return Lost(reason)  # type: ignore[no-untyped-call]
        return NotSent(reason)


def _pause_before_repeating(answer: Answer) -> float:
    """How long to wait before an answer is asked for again, in seconds; for ever where never.

    Source: https://docs.stripe.com/error-low-level, "Stripe-Should-Retry".
    """
    _, status, headers = answer
    advice = headers.get("stripe-should-retry")
    if advice == "false":
        return math.inf
    if status == 429 and "retry-after" in headers:
        return _seconds(headers["retry-after"])
    again = advice == "true" or status == 409 or status >= 500
    return _jittered(_PAUSE) if again else math.inf


def _seconds(text: str) -> float:
    """What `Retry-After` says in seconds; its other form, a date, Stripe does not use."""
    return float(text) if text.isascii() and text.isdigit() else math.inf


def _jittered(pause: float) -> float:
    return pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret.
