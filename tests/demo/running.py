"""A demo as a person runs it: the command in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from guichet.demo.identity import answers
from guichet.embedded.programs import Program
from tests.cli.running import environment

_READY_SECONDS = 90
_STOP_SECONDS = 30


class RunningDemo:
    """`guichet demo` in a home, started and ready."""

    def __init__(self, home: Path, port: int, settings: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{port}"
        self._program = Program(
            "demo",
            [sys.executable, "-m", "guichet.cli", "demo"],
            record=home.parent / f"{home.name}.pid",
            log=home.parent / f"{home.name}.log",
            environ=environment({"GUICHET_HOME": str(home), "PORT": str(port), **(settings or {})}),
            stop_seconds=_STOP_SECONDS,
        )

    def start(self) -> None:
        """Start it and wait for the line that says it is ready."""
        self._program.log.unlink(missing_ok=True)
        self._program.start()
        self._program.wait_until(lambda: "Guichet is ready" in self.said(), _READY_SECONDS)

    def said(self) -> str:
        """What the person has read so far."""
        return self._program.log.read_text() if self._program.log.exists() else ""

    def runs(self) -> bool:
        return self._program.pid is not None

    @property
    def supervisor(self) -> psutil.Process:
        assert self._program.pid is not None
        return psutil.Process(self._program.pid)

    def process(self, name: str) -> psutil.Process:
        """One of its programs, by the name of its record."""
        record = next(self.home.rglob(f"{name}.pid"))
        return psutil.Process(json.loads(record.read_text())["pid"])

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for it, PostgreSQL's own children and the supervisor included."""
        return [self.supervisor, *self.supervisor.children(recursive=True)]

    def is_ready(self) -> bool:
        return answers(f"{self.url}/health/ready")

    def wait_until_ready(self) -> None:
        self._program.wait_until(self.is_ready, _READY_SECONDS)

    def wait_until_replaced(self, name: str, process: psutil.Process) -> None:
        """Wait until another process has taken the place of one that was killed."""
        self._program.wait_until(lambda: self._replaced(name, process), _READY_SECONDS)

    def _replaced(self, name: str, process: psutil.Process) -> bool:
        try:
            return self.process(name) != process
        except (psutil.NoSuchProcess, StopIteration, ValueError, FileNotFoundError):
            return False

    def stop(self) -> None:
        """End it in order, whatever state it is in."""
        self._program.stop()


def refused_demo(home: Path, port: int) -> str:
    """What a demo says that cannot start."""
    ended = subprocess.run(
        [sys.executable, "-m", "guichet.cli", "demo"],
        env=environment({"GUICHET_HOME": str(home), "PORT": str(port)}),
        capture_output=True,
        text=True,
        timeout=_READY_SECONDS,
        check=False,
    )
    assert ended.returncode == 1, ended.stdout
    return ended.stderr


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether each of these has ended, within the time that an orderly end may take."""
    return psutil.wait_procs(processes, timeout=_STOP_SECONDS)[1] == []
