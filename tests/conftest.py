"""What every test may stand on: real servers, a fresh database, a sandbox, settings."""

import base64
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import httpx
import hypothesis
import msgspec
import pytest
import redis

from guichet import db as guichet_db
from guichet import schema
from guichet.embedded.postgres import OWNER_ROLE, WEB_ROLE, EmbeddedPostgres
from guichet.embedded.programs import Program, free_port
from guichet.embedded.valkey import EmbeddedValkey
from guichet.settings import Settings
from tests.databases import Databases, DatabaseUrls, databases_of
from tests.loopback import NO_AUTHORITIES
from tests.scheduling import Scheduling, slow_first

# How long an example takes says how busy the machine is, and nothing about what is tested.
hypothesis.settings.register_profile("without-deadlines", deadline=None)
hypothesis.settings.load_profile("without-deadlines")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    return Scheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, object]:
    """Where browser tests are required, one that skips has failed."""
    report = yield
    required = os.environ.get("GUICHET_BROWSER_TESTS") == "required"
    if required and report.skipped and item.get_closest_marker("browser"):
        report.outcome = "failed"
        report.longrepr = f"browser tests are required, and this one was skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def server_directory() -> Iterator[Path]:
    """A directory for this run's servers."""
    with tempfile.TemporaryDirectory(prefix="guichet-tests-") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
async def postgres(server_directory: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A PostgreSQL server of this test process, whose database `guichet` is migrated and empty.

    Nobody connects to that database: it is the template of `databases`.
    """
    server = EmbeddedPostgres(server_directory / "postgres", durable=False)
    server.start()
    schema.apply_migrations(server.url(OWNER_ROLE))
    await schema.grant_application(server.url(OWNER_ROLE), WEB_ROLE)
    yield server
    server.stop()


@pytest.fixture(scope="session")
async def databases(postgres: EmbeddedPostgres) -> AsyncIterator[Databases]:
    """The databases that this test process's tests have one after the other."""
    async with databases_of(postgres) as databases:
        yield databases


@pytest.fixture
async def database_urls(databases: Databases) -> AsyncIterator[DatabaseUrls]:
    """A database that is migrated and empty, and nobody's after the test."""
    async with databases.lent() as urls:
        yield urls


@pytest.fixture
async def db(database_urls: DatabaseUrls) -> AsyncIterator[guichet_db.Database]:
    """The application's database, fresh and empty, as the application's role."""
    async with guichet_db.connect(database_urls.web, connections=4) as database:
        yield database


@pytest.fixture(scope="session")
def valkey(server_directory: Path) -> Iterator[EmbeddedValkey]:
    """A Valkey server of this test process."""
    server = EmbeddedValkey(server_directory / "valkey", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(valkey: EmbeddedValkey) -> str:
    """An empty Redis."""
    with redis.Redis.from_url(valkey.url()) as client:
        client.flushall()
    return valkey.url()


@pytest.fixture(scope="session")
def sandbox(server_directory: Path) -> Iterator[str]:
    """The URL of a running Stripe sandbox; each secret key is an account of its own there."""
    port = free_port()
    program = Program(
        "Stripe sandbox",
        [sys.executable, "-m", "stripe_sandbox", "--port", str(port)],
        record=server_directory / "sandbox.pid",
        log=server_directory / "sandbox.log",
    )
    url = f"http://127.0.0.1:{port}"
    program.start()
    program.wait_until(lambda: _answers(f"{url}/_control"), 20)
    yield url
    program.stop()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1, trust_env=False, verify=NO_AUTHORITIES).status_code < 500
    except httpx.TransportError:
        return False


@pytest.fixture
def stripe_key() -> str:
    """The secret key of a new, empty account at the sandbox."""
    return f"sk_test_{secrets.token_hex(12)}"


@pytest.fixture
def settings_without_sandbox(database_urls: DatabaseUrls, redis_url: str) -> Settings:
    """Settings as the demo has them, on this test's own database; no provider answers."""
    return Settings(
        database_url=database_urls.web,
        owner_database_url=database_urls.owner,
        redis_url=redis_url,
        base_domain="localhost:8000",
        master_keys=(base64.b64encode(os.urandom(32)).decode(),),
        metrics_listen="",
        stripe_url="http://127.0.0.1:1",
        database_connections=4,
        demo=True,
    )


@pytest.fixture
def settings(settings_without_sandbox: Settings, sandbox: str) -> Settings:
    """Settings as the demo has them, on this test's own database."""
    return msgspec.structs.replace(settings_without_sandbox, stripe_url=sandbox)
