"""Keeps the parts of the demo running: started in order, restarted, and ended in order."""

import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn, Protocol

from guichet.embedded.programs import ProgramFailed

_POLL_SECONDS = 0.1
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0
#: Who ran for this long has recovered: the next pause is a short one again.
_HEALTHY_SECONDS = 30.0


class Stopped(Exception):
    """Somebody asked the demo to end."""


class Service(Protocol):
    """A part of the demo: a program, or an embedded server."""

    name: str

    @property
    def pid(self) -> int | None: ...

    def start(self) -> object: ...

    def ask_to_stop(self) -> None: ...

    def stop(self) -> None: ...


class _Pause:
    """How long to wait before a part that ended is started again."""

    def __init__(self, now: float) -> None:
        self._seconds = _FIRST_PAUSE_SECONDS
        self._started_at = now
        self.due_at: float | None = None

    def begin(self, now: float) -> float:
        if now - self._started_at > _HEALTHY_SECONDS:
            self._seconds = _FIRST_PAUSE_SECONDS
        seconds = self._seconds
        self.due_at = now + seconds
        self._seconds = min(2 * seconds, _LONGEST_PAUSE_SECONDS)
        return seconds

    def end(self, now: float) -> None:
        self._started_at = now
        self.due_at = None


class Supervisor:
    """Starts groups of services in order, restarts whichever ends, stops them in reverse order."""

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._say = say
        self._clock = clock
        self._sleep = sleep
        self._groups: list[tuple[Service, ...]] = []
        self._pauses: dict[str, _Pause] = {}

    def start(self, *group: Service) -> None:
        """Start services that depend on the groups before them, and not on each other."""
        self._groups.append(group)
        for service in group:
            self._pauses[service.name] = _Pause(self._clock())
            service.start()

    def watch(self) -> NoReturn:
        """Restart what ends, until a signal raises `Stopped`."""
        while True:
            for group in self._groups:
                for service in group:
                    if service.pid is None:
                        self._revive(service)
            self._sleep(_POLL_SECONDS)

    def _revive(self, service: Service) -> None:
        pause = self._pauses[service.name]
        if pause.due_at is None:
            self._say(
                f"{service.name} ended; starting it again in {pause.begin(self._clock()):g} s"
            )
        elif self._clock() >= pause.due_at:
            pause.end(self._clock())
            try:
                service.start()
            except ProgramFailed as failure:
                self._say(str(failure))

    def stop(self) -> None:
        """End everything, the last group first; the services of a group end side by side."""
        while self._groups:
            group = self._groups.pop()
            for service in group:
                service.ask_to_stop()
            for service in group:
                service.stop()


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def raise_on_signals() -> None:
    """From now on Ctrl-C, SIGTERM and the terminal's end raise `Stopped`."""
    for number in _SIGNALS:
        signal.signal(number, _raise_stopped)


def ignore_signals() -> None:
    """From now on an impatient second Ctrl-C does not cut the orderly end short."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _raise_stopped(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped
