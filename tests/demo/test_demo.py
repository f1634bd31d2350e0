"""The demo as a whole: one at a time in a home, everything killed comes back, nothing stays."""

import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest

from guichet.embedded.postgres import OWNER_ROLE, EmbeddedPostgres
from guichet.embedded.programs import free_port
from guichet.embedded.valkey import EmbeddedValkey
from tests.demo.running import RunningDemo, all_gone, refused_demo

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """A directory for the homes of this file's demos."""
    with tempfile.TemporaryDirectory(prefix="guichet-demo-") as path:
        yield Path(path)


@pytest.fixture(scope="module")
def started(directory: Path) -> Iterator[RunningDemo]:
    """One demo for the tests of this file."""
    demo = RunningDemo(directory / "home", free_port())
    demo.start()
    yield demo
    demo.stop()


@pytest.fixture
def demo(started: RunningDemo) -> RunningDemo:
    """The demo, running and ready whatever the test before did to it."""
    if not started.runs():
        started.start()
    started.wait_until_ready()
    return started


def _page(demo: RunningDemo, host: str, path: str) -> httpx.Response:
    return httpx.get(f"{demo.url}{path}", headers={"host": host}, trust_env=False, timeout=10)


@pytest.mark.parametrize("slug", ["lumen", "marmite", "volta"])
def test_each_merchant_has_a_portal_to_sign_in_to(demo: RunningDemo, slug: str) -> None:
    host = f"{slug}.localhost:{demo.url.rpartition(':')[2]}"
    assert _page(demo, host, "/sign-in").status_code == 200
    assert f"http://{host}" in demo.said()


@pytest.mark.parametrize("host", ["localhost", "lumen.localhost", "whatever.example"])
def test_it_is_ready_on_any_host(demo: RunningDemo, host: str) -> None:
    assert _page(demo, host, "/health/ready").status_code == 200


def test_everything_listens_on_loopback_alone(demo: RunningDemo) -> None:
    listening = {
        connection.laddr.ip
        for process in demo.processes()
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_a_second_demo_in_the_same_home_is_refused(demo: RunningDemo) -> None:
    message = refused_demo(demo.home, free_port())
    assert f"process {demo.supervisor.pid}" in message
    assert "GUICHET_HOME" in message
    assert demo.is_ready()


def test_a_taken_port_is_named_with_the_way_out(directory: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        message = refused_demo(directory / "other", port)
    assert f"port {port} cannot be used" in message
    assert "PORT=" in message


@pytest.mark.parametrize(
    "name", ["serve", "worker", "postgres", "valkey", "sandbox", "identity", "mail"]
)
def test_whatever_is_killed_is_started_again(demo: RunningDemo, name: str) -> None:
    killed = demo.process(name)
    killed.kill()
    demo.wait_until_replaced(name, killed)
    demo.wait_until_ready()
    assert "starting it again" in demo.said()


def test_ctrl_c_ends_all_of_it_and_the_next_start_has_the_data(demo: RunningDemo) -> None:
    processes = demo.processes()
    demo.supervisor.send_signal(signal.SIGINT)
    assert all_gone(processes)
    assert demo.said().endswith("Stopped.\n")
    demo.start()
    assert "Making the merchants" not in demo.said()
    assert _page(demo, "lumen.localhost", "/sign-in").status_code == 200


def test_a_killed_supervisor_leaves_nothing_in_the_way(demo: RunningDemo) -> None:
    ports = (demo.home / "ports.json").read_text()
    processes = demo.processes()
    demo.supervisor.kill()
    demo.start()
    assert all_gone(processes)
    assert (demo.home / "ports.json").read_text() == ports


def test_it_ends_when_its_terminal_does(demo: RunningDemo) -> None:
    processes = demo.processes()
    demo.supervisor.send_signal(signal.SIGHUP)
    assert all_gone(processes)


async def test_other_servers_may_be_used(
    directory: Path, postgres: EmbeddedPostgres, valkey: EmbeddedValkey
) -> None:
    server = await asyncpg.connect(postgres.url(OWNER_ROLE, "postgres"))
    await server.execute("create database of_the_demo")
    demo = RunningDemo(
        directory / "guest",
        free_port(),
        {"DATABASE_URL": postgres.url(OWNER_ROLE, "of_the_demo"), "REDIS_URL": valkey.url()},
    )
    try:
        demo.start()
        users = await server.fetch(
            "select distinct usename from pg_stat_activity where datname = 'of_the_demo'"
        )
        assert [row["usename"].rpartition("_")[0] for row in users] == ["guichet_demo"]
        assert not (demo.home / "postgres").exists()
        assert not (demo.home / "valkey").exists()
    finally:
        demo.stop()
        await server.execute("drop database of_the_demo with (force)")
        await server.close()
