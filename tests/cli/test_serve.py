"""`guichet serve`: one process that answers, stops in order, and leaves nothing when killed."""

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from guichet.demo.identity import answers
from guichet.embedded.programs import Program, free_port
from guichet.settings import Settings
from tests.cli.running import environment, run_guichet


@pytest.fixture
def environ(settings_without_sandbox: Settings) -> dict[str, str]:
    """What the process is told."""
    settings = settings_without_sandbox
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "GUICHET_BASE_DOMAIN": settings.base_domain,
        "GUICHET_MASTER_KEY": settings.master_keys[0],
        "GUICHET_LISTEN": f"127.0.0.1:{free_port()}",
        "GUICHET_METRICS_LISTEN": f"127.0.0.1:{free_port()}",
        "GUICHET_STRIPE_URL": settings.stripe_url,
        "GUICHET_DRAIN_SECONDS": "2",
    }


@pytest.fixture
def serve(environ: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], Program]]:
    """Starts the web process and waits until it is ready; it is gone after the test."""
    program = Program(
        "web",
        [sys.executable, "-m", "guichet.cli", "serve"],
        record=tmp_path / "serve.pid",
        log=tmp_path / "serve.log",
        environ=environment(environ),
    )

    def start() -> Program:
        program.start()
        program.wait_until(lambda: answers(f"http://{environ['GUICHET_LISTEN']}/health/ready"), 30)
        return program

    yield start
    program.stop()


def _process(program: Program) -> psutil.Process:
    assert program.pid is not None
    return psutil.Process(program.pid)


def test_its_metrics_are_on_a_port_of_their_own(
    environ: dict[str, str], serve: Callable[[], Program]
) -> None:
    serve()
    metrics = httpx.get(f"http://{environ['GUICHET_METRICS_LISTEN']}/metrics", trust_env=False)
    assert 'guichet_requests_total{door="none",method="GET",status="200"}' in metrics.text
    for path in ("/metrics", "/health/metrics"):
        page = httpx.get(f"http://{environ['GUICHET_LISTEN']}{path}", trust_env=False)
        assert page.status_code in (404, 503)


def test_it_is_one_process_on_loopback(
    serve: Callable[[], Program], environ: dict[str, str]
) -> None:
    process = _process(serve())
    assert process.children() == []
    listening = {
        f"{connection.laddr.ip}:{connection.laddr.port}"
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {environ["GUICHET_LISTEN"], environ["GUICHET_METRICS_LISTEN"]}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well_when_asked_to(serve: Callable[[], Program], number: signal.Signals) -> None:
    process = _process(serve())
    process.send_signal(number)
    assert process.wait(15) == 0


def test_before_it_ends_it_serves_on_and_says_that_it_is_not_ready(
    serve: Callable[[], Program], environ: dict[str, str]
) -> None:
    program = serve()
    _process(program).send_signal(signal.SIGTERM)
    health = f"http://{environ['GUICHET_LISTEN']}/health"
    program.wait_until(lambda: not answers(f"{health}/ready"), 2)
    statuses = [
        httpx.get(f"{health}/{name}", trust_env=False).status_code for name in ("ready", "live")
    ]
    assert statuses == [503, 200]


def test_killed_it_leaves_its_port_to_the_next(
    serve: Callable[[], Program], environ: dict[str, str]
) -> None:
    _process(serve()).kill()
    serve()
    answer = httpx.get(f"http://{environ['GUICHET_LISTEN']}/health/live", trust_env=False)
    assert answer.status_code == 200


def test_it_says_what_it_lacks() -> None:
    ended = run_guichet("serve", environ={"REDIS_URL": "redis://127.0.0.1:1"})
    assert ended.returncode == 1
    assert "DATABASE_URL" in ended.stderr
    assert "REDIS_URL" not in ended.stderr
