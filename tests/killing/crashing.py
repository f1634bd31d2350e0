"""A worker that dies at its n-th await on the way of money: `python -m tests.killing.crashing`.

The way leads through the room of failed payments, from the claim of a case to its settlement. Each
time a task in it gives the loop back to the others is counted, in the file `CRASH_COUNT`; at the
`CRASH_AT`-th time the process gets the signal `CRASH_SIGNAL`. Only the tenant `CRASH_TENANT`
counts, so that whatever else this worker finds to do moves nothing. The worker itself is the
deployment's own, unchanged.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine, Generator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import uvloop

from guichet.settings import read_settings
from workers.running import run

_ROOM = f"guichet{os.sep}billing{os.sep}dunning{os.sep}"


class Counter:
    """Counts, and kills when it is time."""

    def __init__(self, tenant: str, at: int, number: int, record: Path) -> None:
        self._tenant = tenant
        self._at = at
        self._signal = number
        self._record = record
        self.count = 0

    def note(self, coroutine: object) -> None:
        """A task waits: for the money of that tenant?"""
        if not self._is_on_the_way(coroutine):
            return
        self.count += 1
        self._record.write_text(str(self.count))
        if self.count == self._at:
            os.kill(os.getpid(), self._signal)

    def _is_on_the_way(self, coroutine: object) -> bool:
        """Whether one of the functions that wait for each other is of the room and the tenant."""
        while coroutine is not None:
            code: CodeType | None = getattr(coroutine, "cr_code", None)
            frame: FrameType | None = getattr(coroutine, "cr_frame", None)
            if code and frame and _ROOM in code.co_filename:
                # A UUID, or something that has one.
                held = frame.f_locals
                if any(self._tenant in str(held.get(name, "")) for name in ("tenant_id", "tenant")):
                    return True
            coroutine = getattr(coroutine, "cr_await", None)
        return False


class _Counted(Coroutine[Any, Any, Any]):
    """A task's coroutine that tells whenever it waits."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], counter: Counter) -> None:
        self._coroutine = coroutine
        self._counter = counter

    def send(self, value: Any) -> Any:
        waited_for = self._coroutine.send(value)
        self._counter.note(self._coroutine)
        return waited_for

    def throw(self, *error: Any) -> Any:
        waited_for = self._coroutine.throw(*error)
        self._counter.note(self._coroutine)
        return waited_for

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coroutine.__await__()


async def _work(counter: Counter) -> None:
    loop = asyncio.get_running_loop()

    def make_task(
        loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
    ) -> "asyncio.Task[Any]":
        return asyncio.Task(_Counted(coroutine, counter), loop=loop, **options)

    loop.set_task_factory(make_task)
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await run(read_settings(os.environ), stop, lambda: None)


def main() -> int:
    """Work until killed or asked to stop."""
    environ = os.environ
    counter = Counter(
        environ["CRASH_TENANT"],
        int(environ["CRASH_AT"]),
        signal.Signals[environ["CRASH_SIGNAL"]],
        Path(environ["CRASH_COUNT"]),
    )
    uvloop.run(_work(counter))
    return 0


if __name__ == "__main__":
    sys.exit(main())
