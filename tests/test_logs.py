"""Logs: one JSON line an event, with fields that are known and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from guichet.logs import FIELDS

ONE_REQUEST = """
import asyncio
from guichet.app import create_app
from guichet.settings import Settings

settings = Settings(database_url="", redis_url="", base_domain="localhost", master_keys=())

async def receive():
    return {"type": "http.request", "body": b"a-secret-body", "more_body": False}

async def send(message):
    pass

asyncio.run(create_app(settings)({
    "type": "http", "method": "POST", "path": "/sign-in/work/callback", "raw_path": b"/",
    "query_string": b"code=a-secret-code",
    "headers": [(b"host", b"lumen.localhost"), (b"cookie", b"guichet-session=a-secret-token")],
}, receive, send))
"""

TWO_EVENTS = """
import structlog
from guichet import logs

logs.configure("warning")
log = structlog.get_logger()
log.info("not said")
log.warning("said", tenant="lumen", password="a-secret", stripe_key="a-secret")
try:
    raise ValueError("a reason")
except ValueError:
    log.exception("failed", code="broken")
"""


def lines(program: str) -> list[dict[str, object]]:
    """What a program logs; fails when it holds one of the secrets above."""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, timeout=60
    )
    assert b"a-secret" not in ended.stdout + ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_a_request_is_one_line_without_query_body_and_cookies() -> None:
    (line,) = lines(ONE_REQUEST)
    assert line["event"] == "request"
    assert line["path"] == "/sign-in/work/callback"
    assert (line["method"], line["status"]) == ("POST", 503)
    assert line["request_id"]
    assert set(line) <= FIELDS


def test_requests_are_not_logged_below_the_level() -> None:
    quiet = ONE_REQUEST.replace("master_keys=()", 'master_keys=(), log_level="warning"')
    assert lines(quiet) == []


def test_fields_that_are_not_known_are_not_logged() -> None:
    said, failed = lines(TWO_EVENTS)
    assert set(said) == {"event", "level", "tenant", "timestamp"}
    assert failed["code"] == "broken"
    assert "ValueError: a reason" in str(failed["exception"])


ON_A_FULL_DISK = """
import os, sys
import structlog
from guichet import logs

{configure}
structlog.get_logger().warning("said")
structlog.get_logger().warning("said again")
os._exit(7)
"""


@pytest.mark.parametrize(
    ("configure", "stream"),
    [
        ("logs.configure()", "stdout"),
        ("structlog.configure(logger_factory=lambda *_: logs.Prints(sys.stderr))", "stderr"),
    ],
)
def test_a_line_that_cannot_be_written_ends_nothing(configure: str, stream: str) -> None:
    program = ON_A_FULL_DISK.format(configure=configure)
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-c", program],
            stdout=full if stream == "stdout" else subprocess.DEVNULL,
            stderr=full if stream == "stderr" else subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 7
