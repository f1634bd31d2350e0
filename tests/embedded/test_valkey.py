"""The embedded Valkey: who may enter, what it keeps, and what it recovers from."""

import os
import signal
from pathlib import Path

import psutil
import pytest
import redis

from guichet.embedded.valkey import EmbeddedValkey
from tests.embedded.starters import started_elsewhere, tools_of


def _read(url: str, key: str) -> object:
    with redis.Redis.from_url(url) as client:
        return client.get(key)


def _write(url: str, key: str, value: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.set(key, value)


def test_it_listens_on_loopback_alone(own_valkey: EmbeddedValkey) -> None:
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for connection in psutil.Process(own_valkey.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", own_valkey.port)}


def test_nobody_enters_without_its_password(own_valkey: EmbeddedValkey) -> None:
    with pytest.raises(redis.AuthenticationError):
        _read(f"redis://127.0.0.1:{own_valkey.port}", "key")


def test_its_password_is_not_in_the_list_of_processes(own_valkey: EmbeddedValkey) -> None:
    password = (own_valkey.directory / "password").read_text()
    assert password not in " ".join(psutil.Process(own_valkey.pid).cmdline())


def test_it_keeps_what_was_written_before_it_was_killed(own_valkey: EmbeddedValkey) -> None:
    _write(own_valkey.url(), "key", "kept")
    pid = own_valkey.pid
    assert pid is not None
    # The append-only file is written to disk each second; the system keeps it from then on, and
    # before, since the machine itself stays up.
    os.kill(pid, signal.SIGKILL)
    own_valkey.start()
    assert own_valkey.pid != pid
    assert _read(own_valkey.url(), "key") == b"kept"


def test_it_keeps_its_data_and_password_between_runs(directory: Path) -> None:
    first = EmbeddedValkey(directory / "valkey")
    _write(first.start(), "key", "kept")
    first.stop()
    second = EmbeddedValkey(directory / "valkey", port=first.port)
    assert second.start() == first.url()
    assert _read(second.url(), "key") == b"kept"
    second.stop()


def test_a_server_that_outlived_its_starter_is_ended(directory: Path) -> None:
    tools = tools_of(directory / "bin")
    with started_elsewhere("valkey", directory / "valkey", tools=tools) as started:
        orphan = psutil.Process(started.pid)
        started.starter.kill()
        started.starter.wait(10)
        assert orphan.is_running()
        server = EmbeddedValkey(directory / "valkey")
        server.start()
        try:
            assert not orphan.is_running()
        finally:
            server.stop()
