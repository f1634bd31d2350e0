"""The web: requests to the API, the control page and the hosted pages, and the work behind them."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from time import time
from typing import Any, TypeAlias

from stripe_sandbox.accounts import load_account
from stripe_sandbox.api import Answer, Api, Request, key_in_use, refusal
from stripe_sandbox.clocks import go_on
from stripe_sandbox.deliveries import Deliverer
from stripe_sandbox.errors import ApiError
from stripe_sandbox.store import Store
from stripe_sandbox.timers import run_due

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_TICK_SECONDS = 1.0


class Sandbox:
    """An ASGI program around one store."""

    def __init__(self, store: Store, base_url: str) -> None:
        self.store = store
        self.api = Api(store, time, base_url)
        self.deliverer = Deliverer(store, time)
        self._in_flight: set[tuple[str, str]] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._ticked = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request, or the start and stop of the program."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            request = await _read(scope, receive)
            answer = await self._serve(request)
            await _write(send, answer)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
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

    async def _serve(self, request: Request) -> Answer:
        try:
            account = self.api.account_of(request)
        except ApiError as error:
            return refusal(error)
        key = request.idempotency_key
        claim = (account.id, key or "")
        if key and claim in self._in_flight:
            return refusal(key_in_use(key))
        if key:
            self._in_flight.add(claim)
        try:
            await asyncio.sleep(account.settings["latency_ms"] / 1000)
            return self.api.answer(account, request)
        finally:
            self._in_flight.discard(claim)
            self.deliverer.wake()
            self._ticked.set()

    async def _keep_time(self) -> None:
        """Advance the clocks that are under way, and do what is due by the wall clock."""
        while True:
            self._ticked.clear()
            while self._advance_clocks():
                self.deliverer.wake()
                await asyncio.sleep(0)
            self._run_wall_clock()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ticked.wait(), _TICK_SECONDS)

    def _advance_clocks(self) -> bool:
        """One slice for every clock that is under way; whether there was any."""
        under_way = self.store.accounts_with("test_helpers.test_clock", "advancing")
        for account, identifier in under_way:
            with self.store.transaction():
                unit = self.api.unit(load_account(self.store, account))
                go_on(unit, unit.need("test_helpers.test_clock", identifier))
        return bool(under_way)

    def _run_wall_clock(self) -> None:
        now = int(time())
        for account in self.store.accounts_due(now):
            with self.store.transaction():
                unit = self.api.unit(load_account(self.store, account))

                def set_time(moment: int, unit: Any = unit) -> None:
                    unit.wall = float(moment)

                run_due(unit, "", now, set_time, lambda: True)
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
