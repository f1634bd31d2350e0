"""One deployment with two twin merchants for all tests of this folder; they change nothing."""

import base64
import contextlib
import os
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import redis

from guichet.demo.identity import answers
from guichet.embedded.postgres import DATABASE, OWNER_ROLE, WEB_ROLE, EmbeddedPostgres
from guichet.embedded.programs import Program, free_port
from guichet.embedded.valkey import EmbeddedValkey
from guichet.settings import Settings
from tests.cli.running import environment
from tests.isolation.server import Server
from tests.isolation.twins import MARKS, Twins, identity_provider, open_twins


@pytest.fixture(scope="session")
async def shared_settings(
    postgres: EmbeddedPostgres, valkey: EmbeddedValkey, sandbox: str
) -> AsyncIterator[Settings]:
    """Settings on a database that the tests of this folder share."""
    name = f"twins_{secrets.token_hex(4)}"
    server = await asyncpg.connect(postgres.url(OWNER_ROLE, "postgres"))
    await server.execute(f"create database {name} template {DATABASE} strategy file_copy")
    yield Settings(
        database_url=postgres.url(WEB_ROLE, name),
        owner_database_url=postgres.url(OWNER_ROLE, name),
        redis_url=valkey.url(),
        base_domain="localhost:8000",
        master_keys=(base64.b64encode(os.urandom(32)).decode(),),
        metrics_listen="",
        stripe_url=sandbox,
        database_connections=4,
        demo=True,
    )
    await server.close()


@pytest.fixture(scope="session")
def issuers() -> Iterator[dict[str, str]]:
    """Each twin's identity provider on loopback."""
    with contextlib.ExitStack() as stack:
        yield {mark: stack.enter_context(identity_provider(mark)).issuer for mark in MARKS}


@pytest.fixture(autouse=True)
def fresh_throttle(request: pytest.FixtureRequest) -> None:
    """Nobody has tried to sign in yet: all these tests come from one address."""
    if "twins" in request.fixturenames:
        valkey: EmbeddedValkey = request.getfixturevalue("valkey")
        with redis.Redis.from_url(valkey.url()) as client:
            client.flushall()


@pytest.fixture(scope="session")
async def twins(shared_settings: Settings, issuers: dict[str, str]) -> AsyncIterator[Twins]:
    async with open_twins(shared_settings, issuers) as opened:
        yield opened


@pytest.fixture(scope="session")
def server(twins: Twins, shared_settings: Settings, server_directory: Path) -> Iterator[Server]:
    """`guichet serve` as a process of its own, on the twins' database."""
    settings, port, log = shared_settings, free_port(), server_directory / "twins.log"
    program = Program(
        "web",
        [sys.executable, "-m", "guichet.cli", "serve"],
        record=server_directory / "twins.pid",
        log=log,
        environ=environment(
            {
                "DATABASE_URL": settings.database_url,
                "REDIS_URL": settings.redis_url,
                "GUICHET_BASE_DOMAIN": settings.base_domain,
                "GUICHET_MASTER_KEY": settings.master_keys[0],
                "GUICHET_LISTEN": f"127.0.0.1:{port}",
                "GUICHET_METRICS_LISTEN": "off",
                "GUICHET_STRIPE_URL": settings.stripe_url,
                "GUICHET_DATABASE_CONNECTIONS": "4",
                "GUICHET_DEMO": "1",
            }
        ),
    )
    program.start()
    program.wait_until(lambda: answers(f"http://127.0.0.1:{port}/health/ready"), 30)
    yield Server(port, log)
    program.stop()
