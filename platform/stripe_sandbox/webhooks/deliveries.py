"""Deliveries: events sent to webhook endpoints, signed, and again until they are acknowledged."""

import asyncio
import hmac
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from urllib.parse import urlsplit

import httpx
import msgspec

from stripe_sandbox.state.accounts import load_account
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.placement import place
from stripe_sandbox.state.store import Store
from stripe_sandbox.webhooks.webhook_endpoints import secrets_of

_AT_ONCE = 8
_TIMEOUT_SECONDS = 10.0
_LONGEST_PAUSE = 60.0
# How often a held delivery looks whether it may go.
_HOLD_SECONDS = 0.5
# Seconds until the next attempt; after the last one an event is given up, as Stripe does after
# three days.
BACK_OFF = (1, 2, 5, 10, 30, 60, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400, 86_400)


def signature(secrets: Sequence[str], body: bytes, timestamp: int) -> str:
    """The `Stripe-Signature` header (https://docs.stripe.com/webhooks#verify-manually).

    While a secret is being rolled, there is one signature for each secret that still counts.
    """
    signed = f"{timestamp}.".encode() + body
    digests = [hmac.new(secret.encode(), signed, sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={digest}" for digest in digests)])


def reachable(url: str) -> tuple[str, str]:
    """Where to connect for a URL, and the `Host` header to send.

    Every `*.localhost` name is this machine (RFC 6761), which Python's resolver does not know.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        port = f":{parts.port}" if parts.port else ""
        return parts._replace(netloc=f"127.0.0.1{port}").geturl(), parts.netloc
    return url, parts.netloc


class Deliverer:
    """Sends what is queued. Only what an endpoint acknowledged with a 2xx leaves the queue."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self.store = store
        self.clock = clock
        self._woken = asyncio.Event()
        self._in_flight: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False)

    def wake(self) -> None:
        """Something may have been queued."""
        self._woken.set()

    async def run(self) -> None:
        """Send for ever."""
        try:
            while True:
                self._woken.clear()
                self._start_due()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause()):
                        await self._woken.wait()
        finally:
            for task in self._tasks:
                task.cancel()
            await self._client.aclose()

    def _pause(self) -> float:
        """Seconds until something else is due; whatever ends or is queued wakes earlier."""
        if len(self._in_flight) >= _AT_ONCE:
            return _LONGEST_PAUSE
        first = self.store.queue.first(_AT_ONCE + 1)
        waiting = [due for identifier, due in first if identifier not in self._in_flight]
        return (
            min(max(min(waiting) - self.clock(), 0.0), _LONGEST_PAUSE)
            if waiting
            else _LONGEST_PAUSE
        )

    def _start_due(self) -> None:
        due = self.store.queue.due(self.clock(), _AT_ONCE + len(self._in_flight))
        for row in due:
            if row[0] in self._in_flight or len(self._in_flight) >= _AT_ONCE:
                continue
            self._in_flight.add(row[0])
            task = asyncio.create_task(self._deliver(*row))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(
        self, identifier: int, account: str, endpoint: str, event: str, attempts: int
    ) -> None:
        held = load_account(self.store, account).settings["deliveries"]["paused"]
        try:
            acknowledged = not held and await self._send(account, endpoint, event)
        finally:
            self._in_flight.discard(identifier)
        with self.store.transaction():
            if held:
                self.store.queue.postpone(identifier, self.clock() + _HOLD_SECONDS, attempts)
            elif acknowledged:
                self.store.queue.drop(identifier)
                self._count_down(account, event)
            elif attempts >= len(BACK_OFF):
                self.store.queue.drop(identifier)
            else:
                due = self.clock() + BACK_OFF[attempts]
                self.store.queue.postpone(identifier, due, attempts + 1)
        self.wake()

    def _count_down(self, account: str, identifier: str) -> None:
        """The event has one endpoint less to reach."""
        if raw := self.store.read(account, "event", identifier):
            event = self.store.decode(raw)
            event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
            self.store.write(account, "event", identifier, msgspec.json.encode(event), place(event))

    async def _send(self, account: str, endpoint_id: str, event_id: str) -> bool:
        raw = self.store.read(account, "webhook_endpoint", endpoint_id)
        body = self.store.read(account, "event", event_id)
        if raw is None or body is None:
            return True
        endpoint = self.store.decode(raw)
        if endpoint["status"] != "enabled":
            return True
        switches = load_account(self.store, account).settings["deliveries"]
        return await self._post(endpoint, body, copies=1 + int(switches["duplicate"]))

    async def _post(self, endpoint: Document, body: bytes, copies: int) -> bool:
        url, host = reachable(endpoint["url"])
        acknowledged = True
        for _ in range(copies):
            timestamp = int(self.clock())
            headers = {
                "content-type": "application/json; charset=utf-8",
                "host": host,
                "stripe-signature": signature(secrets_of(endpoint, timestamp), body, timestamp),
                "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            }
            try:
                answer = await self._client.post(url, content=body, headers=headers)
            except httpx.HTTPError:
                return False
            acknowledged = acknowledged and bool(answer.is_success)
        return acknowledged
