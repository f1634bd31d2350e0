"""The supervisor: what ends is started again, with growing pauses; all ends in reverse order."""

import pytest

from guichet.demo.supervise import Stopped, Supervisor
from guichet.embedded.programs import ProgramFailed


class _Part:
    """A service of the test's own that writes down what happens to it."""

    def __init__(self, name: str, story: list[str], *, starts_badly: int = 0) -> None:
        self.name = name
        self.pid: int | None = None
        self._story = story
        self._starts_badly = starts_badly
        self.starts = 0

    def start(self) -> None:
        self.starts += 1
        self._story.append(f"start {self.name}")
        if self.starts > 1 and self._starts_badly:
            self._starts_badly -= 1
            raise ProgramFailed(f"{self.name} does not start")
        self.pid = 1

    def ask_to_stop(self) -> None:
        self._story.append(f"ask {self.name}")

    def stop(self) -> None:
        self._story.append(f"stop {self.name}")
        self.pid = None


class _Clock:
    """Time that passes only by sleeping; ends the watch at its hour."""

    def __init__(self, ends_at: float) -> None:
        self.now = 0.0
        self._ends_at = ends_at

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now >= self._ends_at:
            raise Stopped


def test_groups_end_in_reverse_order_and_a_group_side_by_side() -> None:
    story: list[str] = []
    supervisor = Supervisor(story.append)
    supervisor.start(_Part("server", story))
    supervisor.start(_Part("web", story), _Part("worker", story))
    story.clear()
    supervisor.stop()
    assert story == [
        "ask web",
        "ask worker",
        "stop web",
        "stop worker",
        "ask server",
        "stop server",
    ]


def test_a_part_that_ended_is_started_again_and_said_so() -> None:
    story: list[str] = []
    clock = _Clock(ends_at=2)
    supervisor = Supervisor(story.append, clock=clock, sleep=clock.sleep)
    part = _Part("web", story)
    supervisor.start(part)
    part.pid = None
    with pytest.raises(Stopped):
        supervisor.watch()
    assert story == ["start web", "web ended; starting it again in 0.5 s", "start web"]
    assert part.pid == 1


def test_pauses_grow_while_a_part_cannot_start() -> None:
    story: list[str] = []
    clock = _Clock(ends_at=12)
    supervisor = Supervisor(story.append, clock=clock, sleep=clock.sleep)
    part = _Part("web", story, starts_badly=3)
    supervisor.start(part)
    part.pid = None
    with pytest.raises(Stopped):
        supervisor.watch()
    pauses = [line for line in story if "again" in line]
    assert [line.split()[-2] for line in pauses] == ["0.5", "1", "2", "4"]
    assert story.count("web does not start") == 3
    assert part.pid == 1


def test_pauses_are_short_again_after_a_healthy_time() -> None:
    story: list[str] = []
    clock = _Clock(ends_at=50)
    supervisor = Supervisor(story.append, clock=clock, sleep=clock.sleep)
    part = _Part("web", story)
    supervisor.start(part)
    for ends_at in (1, 3, 40):
        clock.now = float(ends_at)
        clock._ends_at = ends_at + 2.5
        part.pid = None
        with pytest.raises(Stopped):
            supervisor.watch()
    pauses = [line.split()[-2] for line in story if "again" in line]
    assert pauses == ["0.5", "1", "0.5"]
