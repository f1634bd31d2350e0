"""The web: requests to the API, the control page and the hosted pages, and the work behind them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from time import monotonic, time
from typing import Any, TypeAlias

from stripe_sandbox.api import KEY_LIFETIME, Answer, Api, Request, key_in_use, refusal
from stripe_sandbox.pages.control import Control
from stripe_sandbox.pages.hosted import PLACES, HostedPages
from stripe_sandbox.passing_time.clocks import fail, go_on
from stripe_sandbox.passing_time.timers import run_due
from stripe_sandbox.requests.errors import ApiError, fault_error, rate_limited, server_error
from stripe_sandbox.requests.limits import RateLimiter
from stripe_sandbox.state.accounts import load_account
from stripe_sandbox.state.settings import take_fault
from stripe_sandbox.state.store import Store
from stripe_sandbox.state.unit import Account
from stripe_sandbox.webhooks.deliveries import Deliverer

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_TICK_SECONDS = 1.0
_log = logging.getLogger("stripe_sandbox")


class Sandbox:
    """An ASGI program around one store."""

    def __init__(self, store: Store, base_url: str) -> None:
        self.store = store
        self.api = Api(store, time, base_url)
        self.control = Control(self.api)
        self.hosted = HostedPages(self.api)
        self.deliverer = Deliverer(store, time)
        self.limiter = RateLimiter(monotonic)
        self._in_flight: set[tuple[str, str]] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._ticked = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request, or the start and stop of the program."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            request = await _read(scope, receive)
            if answer := await self._answer(request):
                await _write(send, answer)
            else:
                await _hang_up(send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        with self.store.transaction():
            self.store.forget_answers(time() - KEY_LIFETIME)
        self._tasks = [
            asyncio.create_task(self.deliverer.run()),
            asyncio.create_task(self._keep_time()),
        ]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self.store.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, request: Request) -> Answer | None:
        if request.path == "/_control" or request.path.startswith("/_control/"):
            try:
                return self.control.answer(request)
            finally:
                self._look_around()
        if request.path.startswith(PLACES):
            try:
                return self.hosted.answer(request)
            finally:
                self._look_around()
        return await self._serve(request)

    def _look_around(self) -> None:
        """There may be something to deliver, or a clock to advance."""
        self.deliverer.wake()
        self._ticked.set()

    async def _serve(self, request: Request) -> Answer | None:
        """An answer of the API; None means that the connection is dropped instead."""
        try:
            account = self.api.account_of(request)
        except ApiError as error:
            return refusal(error)
        if not self.limiter.admits(account.id, account.settings["requests_per_second"]):
            return refusal(rate_limited())
        key = request.idempotency_key
        claim = (account.id, key or "")
        if key and claim in self._in_flight:
            return refusal(key_in_use(key))
        if key:
            self._in_flight.add(claim)
        try:
            await asyncio.sleep(account.settings["latency_ms"] / 1000)
            return await self._with_faults(account, request)
        finally:
            self._in_flight.discard(claim)
            self._look_around()

    async def _with_faults(self, account: Account, request: Request) -> Answer | None:
        fault = take_fault(account.settings, request.method, request.path)
        if fault is None:
            return self._answer_safely(account, request)
        with self.store.transaction():
            self.store.save_settings(account.id, account.settings)
        if fault["mode"] == "error":
            return refusal(fault_error(fault["status"], fault.get("code"), fault.get("reason")))
        refused = fault["mode"] == "refused"
        answer = None if refused else self._answer_safely(account, request)
        await asyncio.sleep(fault["seconds"])
        return answer if fault["mode"] == "slow" else None

    def _answer_safely(self, account: Account, request: Request) -> Answer:
        """A mistake of the sandbox itself undoes the request, is logged, and answers as a 500."""
        try:
            return self.api.answer(account, request)
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            return refusal(server_error(500))

    async def _keep_time(self) -> None:
        """Advance the clocks that are under way, and do what is due by the wall clock."""
        while True:
            self._ticked.clear()
            while self._advance_clocks():
                self.deliverer.wake()
                await asyncio.sleep(0)
            self._run_wall_clock()
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._ticked.wait()

    def _advance_clocks(self) -> bool:
        """One slice for every clock that is under way; whether there was any."""
        under_way = self.store.clocks_under_way()
        for account, identifier in under_way:
            try:
                with self.store.transaction():
                    unit = self.api.unit(load_account(self.store, account))
                    go_on(unit, unit.need("test_helpers.test_clock", identifier))
            except Exception:
                _log.exception("clock %s failed", identifier)
                self._fail_clock(account, identifier)
        return bool(under_way)

    def _fail_clock(self, account: str, identifier: str) -> None:
        with self.store.transaction():
            unit = self.api.unit(load_account(self.store, account))
            fail(unit, unit.need("test_helpers.test_clock", identifier))

    def _run_wall_clock(self) -> None:
        now = int(time())
        for account in self.store.accounts_due(now):
            try:
                with self.store.transaction():
                    unit = self.api.unit(load_account(self.store, account))
                    run_due(unit, "", now, unit.set_wall, lambda: True)
            except Exception:
                _log.exception("account %s failed", account)
            self.deliverer.wake()


async def _read(scope: Scope, receive: Receive) -> Request:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(
        scope["method"], scope["path"], scope["query_string"].decode(), body.decode(), headers
    )


async def _write(send: Send, answer: Answer) -> None:
    headers = {"content-type": "application/json", **answer.headers}
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()]
            + [(b"content-length", str(len(answer.body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": answer.body})


async def _hang_up(send: Send) -> None:
    """Begin an answer and break off: the server then drops the connection."""
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"application/json"), (b"content-length", b"2")],
        }
    )
