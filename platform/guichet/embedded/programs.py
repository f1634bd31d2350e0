"""Programs of this machine that end with their starter, and the finding of those that did not.

A program is known by its process id and start time, kept in a record file: a starter that was
killed leaves the record behind, and the next one ends the orphan by it, never by a name.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

#: Two readings of one process's start time may differ by the rounding of the boot time.
_SAME_START_SECONDS = 2.0
_POLL_SECONDS = 0.01
#: Below those that Linux hands out to connections (net.ipv4.ip_local_port_range), one of which
#: might take a port between the moment it is found free and the moment its program binds it.
_PORTS = range(15_000, 32_000)
_PORT_TRIES = 100


class ProgramFailed(Exception):
    """A program ended, or was not ready in time; the text holds the last lines of its log."""


class Program:
    """One program: launched, watched and ended by its own process id.

    `log` is appended to with both outputs. `stop_signal` asks for an orderly end and is also
    what the kernel sends should the starting thread die. `stop_seconds` is how long an orderly
    end may take before the process is killed.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        record: Path,
        log: Path,
        environ: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_seconds: float = 8.0,
        wrapper: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.command = tuple(command)
        self.log = log
        self._record = record
        self._environ = environ
        self._stop_signal = stop_signal
        self._stop_seconds = stop_seconds
        self._wrapper = tuple(wrapper)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the program, after ending one that an earlier starter left behind.

        Call it from a thread that lives as long as the program should: the kernel's signal to an
        orphan follows the thread.
        """
        self.end_left_over()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the commands are this module's callers'.
                [*self._wrapper, *_bound_to_parent(self._stop_signal), *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environ,
                # Ctrl-C in a terminal goes to the foreground group: the starter alone hears it
                # and ends its programs in order.
                start_new_session=True,
            )
        pid = self._process.pid
        with contextlib.suppress(psutil.NoSuchProcess):
            created = psutil.Process(pid).create_time()
            write_private(self._record, json.dumps({"pid": pid, "created": created}))

    @property
    def pid(self) -> int | None:
        """The process id while the program runs, else None."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready()` holds; raises `ProgramFailed` on the program's end or too late."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.pid is None:
                raise ProgramFailed(f"{self.name} ended while starting:\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise ProgramFailed(
                    f"{self.name} was not ready after {seconds:.0f} s:\n{self.last_words()}"
                )
            time.sleep(_POLL_SECONDS)

    def run(self, seconds: float) -> None:
        """Start the program and wait for its end; raises `ProgramFailed` unless it ended well."""
        self.start()
        assert self._process is not None
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise ProgramFailed(
                f"{self.name} took longer than {seconds:.0f} s:\n{self.last_words()}"
            ) from None
        finally:
            self.stop()
        if code:
            raise ProgramFailed(f"{self.name} failed:\n{self.last_words()}")

    def last_words(self, lines: int = 8) -> str:
        """The end of the log, where the reason of a failure stands."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(it wrote nothing)"

    def ask_to_stop(self) -> None:
        """Send the orderly signal and come back at once; `stop()` waits for the end."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(self._stop_signal)

    def stop(self) -> None:
        """End the program in order; kill it when that takes too long."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            self._process.wait(self._stop_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        self._record.unlink(missing_ok=True)

    def end_left_over(self) -> None:
        """End what an earlier starter left running, known by the record."""
        left_over = _recorded_process(self._record)
        if left_over:
            end_process(left_over, self._stop_signal, self._stop_seconds)
        self._record.unlink(missing_ok=True)


def end_left_overs(records: Path) -> None:
    """End every program with a record (`*.pid`) in the directory, side by side."""
    left_over = [found for file in records.glob("*.pid") if (found := _recorded_process(file))]
    for process in left_over:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in left_over:
        end_process(process, signal.SIGTERM, 5)
    for file in records.glob("*.pid"):
        file.unlink()


def _recorded_process(record: Path) -> psutil.Process | None:
    try:
        content = json.loads(record.read_text())
        process = psutil.Process(content["pid"])
        same = abs(process.create_time() - content["created"]) < _SAME_START_SECONDS
    except (FileNotFoundError, ValueError, KeyError, TypeError, psutil.NoSuchProcess):
        return None
    return process if same else None


def end_process(process: psutil.Process, stop_signal: signal.Signals, seconds: float) -> None:
    """End a process that is not our child: ask, wait, kill."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(stop_signal)
        try:
            process.wait(seconds)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(seconds)


def _bound_to_parent(stop_signal: signal.Signals) -> tuple[str, ...]:
    """A wrapper that has the kernel signal the program when its starter dies (Linux only).

    `setpriv` sets it after every change of credentials, which would clear it.
    """
    setpriv = shutil.which("setpriv")
    name = stop_signal.name.removeprefix("SIG")
    return (setpriv, "--pdeathsig", name, "--") if setpriv else ()


def free_port(wanted: int = 0) -> int:
    """A port of 127.0.0.1 that is free now: `wanted` when it is, else any."""
    others = secrets.SystemRandom().sample(_PORTS, _PORT_TRIES)
    for port in (wanted, *others) if wanted else others:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise ProgramFailed("no port of 127.0.0.1 is free")


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone can read; it is whole or absent after a crash."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
