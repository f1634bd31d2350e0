"""The console as its real processes answer it: the web program, a worker, and all they leave."""

import contextlib
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import asyncpg
import httpx
import redis

from guichet.auth.sessions import new_token
from guichet.demo.identity import answers as is_up
from guichet.embedded.postgres import EmbeddedPostgres
from guichet.embedded.programs import Program, free_port
from guichet.settings import Settings
from tests.cli.running import environment
from tests.console.town import BROWSER, SESSION
from tests.isolation.marks import readable_rows

_HOST = {"host": "console.localhost:8000"}
_LOOPBACK = "127.0.0.1"


class Processes(NamedTuple):
    """Two programs on one database; where they are asked, and where they write."""

    settings: Settings
    postgres: EmbeddedPostgres
    directory: Path
    web_port: int
    metrics_port: int

    @contextlib.asynccontextmanager
    async def browser(self, session: str = "") -> AsyncIterator[httpx.AsyncClient]:
        """A browser at the console that has the given session, or none."""
        base = f"http://{_LOOPBACK}:{self.web_port}"
        async with httpx.AsyncClient(
            base_url=base, headers=_HOST, trust_env=False, timeout=20
        ) as client:
            # Where the server's own cookies land, so that they take the place of these.
            client.cookies.set(BROWSER, new_token(), _LOOPBACK)
            if session:
                client.cookies.set(SESSION, session, _LOOPBACK)
            yield client

    async def metrics(self) -> str:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"http://{_LOOPBACK}:{self.metrics_port}/metrics")).text

    def logs(self) -> list[str]:
        """All that the programs and the database have written."""
        files = (*self.directory.glob("*.log"), self.postgres.directory / "postgres.log")
        return [file.read_text() for file in files]

    async def rows(self) -> list[str]:
        """Every row of every table, whoever it belongs to."""
        name = urlsplit(self.settings.database_url).path.removeprefix("/")
        connection = await asyncpg.connect(self.postgres.url("postgres", name))
        try:
            read = await readable_rows(connection)
        finally:
            await connection.close()
        return [row for rows in read.values() for row in rows]

    def queue(self) -> list[str]:
        """Every key of Redis with its value."""
        with redis.Redis.from_url(self.settings.redis_url) as client:
            return [f"{key!r} {client.dump(key)!r}" for key in client.keys("*")]


@contextlib.contextmanager
def running(
    settings: Settings, postgres: EmbeddedPostgres, directory: Path, more: dict[str, str]
) -> Iterator[Processes]:
    """Start both, with `more` in their environment."""
    port, metrics = free_port(), free_port()
    environ = environment(
        {
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "GUICHET_BASE_DOMAIN": settings.base_domain,
            "GUICHET_MASTER_KEY": settings.master_keys[0],
            "GUICHET_LISTEN": f"{_LOOPBACK}:{port}",
            "GUICHET_METRICS_LISTEN": f"{_LOOPBACK}:{metrics}",
            "GUICHET_STRIPE_URL": settings.stripe_url,
            "GUICHET_DEMO": "1",
        }
        | more
    )
    ready = f"http://{_LOOPBACK}:{port}/health/ready"
    with contextlib.ExitStack() as stack:
        web = _start("serve", directory, environ)
        stack.callback(web.stop)
        worker = _start("worker", directory, environ | {"GUICHET_METRICS_LISTEN": "off"})
        stack.callback(worker.stop)
        web.wait_until(lambda: is_up(ready), 60)
        yield Processes(settings, postgres, directory, port, metrics)


def _start(command: str, directory: Path, environ: dict[str, str]) -> Program:
    program = Program(
        command,
        [sys.executable, "-m", "guichet.cli", command],
        record=directory / f"{command}.pid",
        log=directory / f"{command}.log",
        environ=environ,
    )
    program.start()
    return program
