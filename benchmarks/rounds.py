"""Rounds of measuring: every contender takes its turn in each, so that all see the same weather."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from benchmarks.client import Client, Drive
from benchmarks.machine import Cost, Server

T = TypeVar("T")
#: With fewer a median says nothing.
_FEWEST = 3


class Turn(msgspec.Struct, frozen=True):
    """What a server used while it answered a number of requests."""

    drive: Drive
    cost: Cost

    @property
    def program_us(self) -> float:
        """Processor time of the program for one request, in microseconds."""
        return 1e6 * self.cost.program / self.drive.count

    @property
    def postgres_us(self) -> float:
        """Processor time of its PostgreSQL backends for one request, in microseconds."""
        return 1e6 * self.cost.postgres / self.drive.count

    @property
    def us(self) -> float:
        """Both together."""
        return self.program_us + self.postgres_us

    @property
    def per_second(self) -> float:
        """Requests answered in a second."""
        return self.drive.count / self.drive.seconds


def take_turn(client: Client, server: Server, requests: Sequence[bytes], connections: int) -> Turn:
    """Drive a server and take what it used; its connections to PostgreSQL must be open already."""
    backends = server.backends()
    before = server.cost(backends)
    drive = client.drive(server.port, requests, connections)
    return Turn(drive, server.cost(backends) - before)


def alternate(
    contenders: Mapping[str, Callable[[], T]], rounds: int, seconds: float
) -> dict[str, list[T]]:
    """Let each contender have its turn in each round, the order reversed every other round.

    Stops after so many rounds, or after so many seconds once there are three.
    """
    turns: dict[str, list[T]] = {name: [] for name in contenders}
    for number in _bounded(rounds, seconds):
        names = list(contenders)
        for name in names if number % 2 == 0 else reversed(names):
            turns[name].append(contenders[name]())
    return turns


def _bounded(rounds: int, seconds: float) -> Iterator[int]:
    deadline = time.monotonic() + seconds
    for number in range(rounds):
        if number >= _FEWEST and time.monotonic() > deadline:
            return
        yield number
