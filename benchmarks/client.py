"""The visitor of the benchmarks: a raw HTTP/1.1 client in a process of its own.

It sends requests that are bytes already, a fixed number of them over kept connections, each
connection with one request under way, and looks at the answer's status and length only.
"""

import asyncio
import contextlib
import multiprocessing
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import cast

import msgspec
import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"
#: A drive that takes longer has gone wrong.
_LIMIT_SECONDS = 60


class WrongAnswer(Exception):
    """An answer was not 200; the text is the beginning of the first such answer."""


class Drive(msgspec.Struct, frozen=True):
    """What came of sending a number of requests."""

    count: int
    seconds: float
    #: Half of the answers, and all but one in a hundred, took no longer than this.
    p50_ms: float
    p99_ms: float
    #: The body of the last answer.
    body: bytes


class Client:
    """Drives a server on 127.0.0.1 from another process."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self._executor = executor

    def drive(self, port: int, requests: Sequence[bytes], connections: int) -> Drive:
        """Send all requests and wait for all answers; raises `WrongAnswer`."""
        future = self._executor.submit(_drive, port, requests, connections)
        return future.result(timeout=_LIMIT_SECONDS + 10)


@contextlib.contextmanager
def open_client() -> Iterator[Client]:
    """Start the client's process, and end it afterwards."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as executor:
        yield Client(executor)


def get(host: str, path: str, cookie: str) -> bytes:
    """A GET as a browser sends it, with the headers that a page looks at."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0\r\n"
        "Accept: text/html,application/xhtml+xml\r\nAccept-Language: en-GB,en;q=0.9\r\n"
        "Accept-Encoding: gzip, br\r\nSec-Fetch-Site: same-origin\r\n\r\n"
    ).encode()


def post(host: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """A POST of JSON."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"User-Agent: Stripe/1.0\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _drive(port: int, requests: Sequence[bytes], connections: int) -> Drive:
    return uvloop.run(asyncio.wait_for(_send_all(port, requests, connections), _LIMIT_SECONDS))


async def _send_all(port: int, requests: Sequence[bytes], connections: int) -> Drive:
    loop = asyncio.get_running_loop()
    load = _Load(requests)
    started = time.perf_counter()
    for _ in range(min(connections, len(requests))):
        await loop.create_connection(lambda: _Connection(load), "127.0.0.1", port)
    await load.done
    seconds = time.perf_counter() - started
    times = sorted(load.times)
    return Drive(
        count=len(times),
        seconds=seconds,
        p50_ms=1000 * times[len(times) // 2],
        p99_ms=1000 * times[int(len(times) * 0.99)],
        body=load.body,
    )


class _Load:
    """The requests still to send, and what is known of the answers."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self.waiting = iter(requests)
        self.total = len(requests)
        self.times: list[float] = []
        self.body = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self, seconds: float, answer: bytes, head: int) -> None:
        if answer[9:12] != b"200":
            self.fail(WrongAnswer(answer[:2000].decode(errors="replace")))
        self.times.append(seconds)
        if len(self.times) == self.total and not self.done.done():
            self.body = answer[head:]
            self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class _Connection(asyncio.Protocol):
    """One kept connection: a request, its whole answer, the next request."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._answer = b""
        self._head = self._length = 0
        self._is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are asyncio's by their methods only.
        self._transport = cast("asyncio.Transport", transport)
        self._send_next()

    def _send_next(self) -> None:
        request = next(self._load.waiting, None)
        if request is None:
            self._transport.close()
            return
        self._answer, self._length, self._is_waiting = b"", 0, True
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not self._length:
            self._head = self._answer.find(_END_OF_HEAD) + len(_END_OF_HEAD)
            match = _LENGTH.search(self._answer)
            if match is None or self._head < len(_END_OF_HEAD):
                return
            self._length = self._head + int(match[1])
        if len(self._answer) >= self._length:
            self._is_waiting = False
            self._load.take(time.perf_counter() - self._sent_at, self._answer, self._head)
            self._send_next()

    def connection_lost(self, _exc: Exception | None) -> None:
        if self._is_waiting:
            self._load.fail(WrongAnswer("the server closed a connection"))
