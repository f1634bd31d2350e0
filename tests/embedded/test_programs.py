"""Programs: their end, their words, and that nobody else's process is ever touched."""

import json
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from guichet.embedded.programs import (
    Program,
    ProgramFailed,
    end_left_overs,
    free_port,
    write_private,
)

_STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"


def _program(directory: Path, script: str, stop_seconds: float = 5) -> Program:
    return Program(
        "program",
        [sys.executable, "-u", "-c", script],
        record=directory / "program.pid",
        log=directory / "program.log",
        stop_seconds=stop_seconds,
    )


def test_a_program_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    program = _program(tmp_path, _STUBBORN, stop_seconds=0.2)
    program.start()
    program.wait_until(lambda: "up" in program.last_words(), 10)
    pid = program.pid
    assert pid is not None
    program.stop()
    assert not psutil.pid_exists(pid)
    assert not (tmp_path / "program.pid").exists()


def test_a_program_that_ends_while_starting_is_quoted(tmp_path: Path) -> None:
    program = _program(tmp_path, "print('no such table'); raise SystemExit(1)")
    program.start()
    with pytest.raises(ProgramFailed, match="no such table"):
        program.wait_until(lambda: False, 10)


def test_a_program_that_is_never_ready_is_not_waited_for_forever(tmp_path: Path) -> None:
    program = _program(tmp_path, _STUBBORN, stop_seconds=0.1)
    program.start()
    with pytest.raises(ProgramFailed, match="not ready"):
        program.wait_until(lambda: False, 0.1)
    program.stop()


def test_a_program_run_to_its_end_tells_of_its_failure(tmp_path: Path) -> None:
    _program(tmp_path, "print('well')").run(10)
    with pytest.raises(ProgramFailed, match="badly"):
        _program(tmp_path, "print('badly'); raise SystemExit(3)").run(10)
    with pytest.raises(ProgramFailed, match="took longer"):
        _program(tmp_path, _STUBBORN, stop_seconds=0.1).run(0.2)


def test_a_left_over_is_ended_and_a_stranger_with_its_number_is_not(tmp_path: Path) -> None:
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(sleeper) as left_over, subprocess.Popen(sleeper) as stranger:
        try:
            created = psutil.Process(left_over.pid).create_time()
            _record(tmp_path / "a.pid", left_over.pid, created)
            _record(tmp_path / "b.pid", stranger.pid, created - 3600)
            end_left_overs(tmp_path)
            assert left_over.poll() is not None
            assert stranger.poll() is None
            assert list(tmp_path.glob("*.pid")) == []
        finally:
            left_over.kill()
            stranger.kill()


def _record(file: Path, pid: int, created: float) -> None:
    write_private(file, json.dumps({"pid": pid, "created": created}))


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"pid": "x"}', "not json"])
def test_a_damaged_record_is_no_obstacle(tmp_path: Path, content: str) -> None:
    (tmp_path / "program.pid").write_text(content)
    _program(tmp_path, "print('well')").run(10)


def test_a_wanted_port_is_kept_unless_somebody_has_it() -> None:
    wanted = free_port()
    assert free_port(wanted) == wanted
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", wanted))
        taken.listen()
        assert free_port(wanted) != wanted


def test_a_private_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("old, and open to all")
    write_private(file, "new")
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
