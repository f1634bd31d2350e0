"""The servers of a run, on loopback and ended by their process ids, and what they use up."""

import asyncio
import base64
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import asyncpg
import httpx
import msgspec
import psutil

from benchmarks.stand_in.recording import record
from guichet import schema
from guichet.embedded.postgres import DATABASE, OWNER_ROLE, WEB_ROLE, EmbeddedPostgres
from guichet.embedded.programs import Program, free_port
from guichet.embedded.valkey import EmbeddedValkey

T = TypeVar("T")
SUPERUSER = "postgres"
#: Connections of each program to PostgreSQL, floor and finished alike.
CONNECTIONS = 10
_START_SECONDS = 30
_FINISH_SECONDS = 900
_ROOT = Path(__file__).parents[1]


class Cost(msgspec.Struct, frozen=True):
    """Processor time, user and system, in seconds."""

    program: float
    postgres: float

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.program - other.program, self.postgres - other.postgres)


class Server(msgspec.Struct, frozen=True):
    """A program that answers HTTP, and the database that it uses."""

    program: Program
    port: int
    postgres: EmbeddedPostgres
    #: How its connections are called at PostgreSQL.
    connection_name: str
    database: str

    @property
    def pid(self) -> int:
        """The server's process; raises `ProgramFailed` when it has ended."""
        self.program.wait_until(lambda: True, 0)
        assert self.program.pid is not None
        return self.program.pid

    def backends(self) -> list[int]:
        """The process ids of the PostgreSQL backends that serve it, its directory's included."""
        return self._named(f"{self.connection_name}%")

    def pool_backends(self) -> list[int]:
        """The backends of its pool alone."""
        return self._named(self.connection_name)

    def _named(self, pattern: str) -> list[int]:
        rows = query(
            self.postgres,
            self.database,
            "select pid from pg_stat_activity where application_name like $1 and datname = $2",
            pattern,
            self.database,
        )
        return [row["pid"] for row in rows]

    def cost(self, backends: Sequence[int]) -> Cost:
        """What the program, its children and these backends have used so far."""
        process = psutil.Process(self.pid)
        tree = [process.pid, *(child.pid for child in process.children(recursive=True))]
        return Cost(sum(map(_seconds, tree)), sum(map(_seconds, backends)))

    def cost_of(self, work: Callable[[], T]) -> tuple[T, Cost]:
        """Have something done, and what the program and its backends, new ones too, used for it."""
        before = {pid: _seconds(pid) for pid in self.backends()}
        used = self.cost(())
        done = work()
        used = self.cost(()) - used
        new = sum(_seconds(pid) - before.get(pid, 0.0) for pid in self.backends())
        return done, Cost(used.program, new)

    def resident_mib(self) -> float:
        """The memory that the program and its children hold."""
        process = psutil.Process(self.pid)
        tree = [process, *process.children(recursive=True)]
        return sum(each.memory_info().rss for each in tree) / 1024**2


def _seconds(pid: int) -> float:
    """The processor time of a process's threads: to the nanosecond, else in ticks of 10 ms."""
    try:
        files = list(Path(f"/proc/{pid}/task").glob("*/schedstat"))
        nanoseconds = sum(int(file.read_text().split()[0]) for file in files)
    except (OSError, ValueError):
        nanoseconds = 0
    if nanoseconds:
        return nanoseconds / 1e9
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


class Machine:
    """PostgreSQL with its normal durability, Valkey, and the programs started on them."""

    def __init__(self, directory: Path, postgres: EmbeddedPostgres, valkey: EmbeddedValkey) -> None:
        self.directory = directory
        self.postgres = postgres
        self.valkey = valkey
        self.master_key = base64.b64encode(os.urandom(32)).decode()
        self._databases = self._queues = 0

    def database(self) -> str:
        """A new migrated database; answers its name."""
        self._databases += 1
        name = f"bench_{self._databases}"
        query(self.postgres, "postgres", f"create database {name} template {DATABASE}")
        return name

    @contextlib.contextmanager
    def web(self, database: str) -> Iterator[Server]:
        """The finished web process as `guichet serve` starts it, its log in a file."""
        port = free_port()
        environ = {
            "DATABASE_URL": self.postgres.url(WEB_ROLE, database),
            "REDIS_URL": self.valkey.url(),
            "GUICHET_BASE_DOMAIN": "localhost",
            "GUICHET_MASTER_KEY": self.master_key,
            "GUICHET_LISTEN": f"127.0.0.1:{port}",
            "GUICHET_METRICS_LISTEN": f"127.0.0.1:{free_port()}",
            "GUICHET_DATABASE_CONNECTIONS": str(CONNECTIONS),
        }
        command = [sys.executable, "-m", "guichet.cli", "serve"]
        with self._running(f"web-{port}", command, environ) as program:
            program.wait_until(lambda: _answers(port, "/health/ready"), _START_SECONDS)
            yield Server(program, port, self.postgres, "guichet", database)

    def queue(self) -> str:
        """A queue of its own for a worker; answers its address."""
        self._queues += 1
        return f"{self.valkey.url().rpartition('/')[0]}/{self._queues}"

    def settings(self, database: str, queue: str, provider: str) -> dict[str, str]:
        """What a process beside the web is told by its environment."""
        return {
            "DATABASE_URL": self.postgres.url(WEB_ROLE, database),
            "REDIS_URL": queue,
            "GUICHET_BASE_DOMAIN": "localhost",
            "GUICHET_MASTER_KEY": self.master_key,
            "GUICHET_STRIPE_URL": provider,
            "GUICHET_METRICS_LISTEN": "off",
            "GUICHET_DATABASE_CONNECTIONS": str(CONNECTIONS),
        }

    @contextlib.contextmanager
    def worker(self, database: str, queue: str, provider: str) -> Iterator[Server]:
        """The finished worker process, which answers no HTTP."""
        name = f"worker-{database}"
        command = [sys.executable, "-m", "workers"]
        log = self.directory / f"{name}.log"
        with self._running(name, command, self.settings(database, queue, provider)) as program:
            program.wait_until(lambda: b"worker_started" in log.read_bytes(), _START_SECONDS)
            yield Server(program, 0, self.postgres, "guichet", database)

    @contextlib.contextmanager
    def provider(self) -> Iterator[str]:
        """The stand-in, its answers recorded anew; answers its address."""
        port = free_port()
        command = [sys.executable, "-m", "benchmarks.stand_in", str(port)]
        recorded = str(record(self.directory))
        with self._running("stand-in", [*command, recorded], {}) as program:
            program.wait_until(lambda: _answers(port, "/live"), _START_SECONDS)
            yield f"http://127.0.0.1:{port}"

    @contextlib.contextmanager
    def sandbox(self) -> Iterator[str]:
        """The payment sandbox, whose accounts are empty; answers its address."""
        port = free_port()
        command = [sys.executable, "-m", "stripe_sandbox", "--port", str(port)]
        with self._running(f"sandbox-{port}", command, {}) as program:
            program.wait_until(lambda: _answers(port, "/_control/accounts"), _START_SECONDS)
            yield f"http://127.0.0.1:{port}"

    @contextlib.contextmanager
    def floor(self, module: str, database: str, environ: Mapping[str, str]) -> Iterator[Server]:
        """One of the floors, a module of `benchmarks.floors`."""
        port = free_port()
        command = [sys.executable, "-m", f"benchmarks.floors.{module}"]
        name = f"floor {module}"
        given = {
            "DATABASE_URL": self.postgres.url(WEB_ROLE, database),
            "FLOOR_LISTEN": f"127.0.0.1:{port}",
            "FLOOR_CONNECTION_NAME": name,
            "FLOOR_CONNECTIONS": str(CONNECTIONS),
            **environ,
        }
        with self._running(f"floor-{port}", command, given) as program:
            program.wait_until(lambda: _answers(port, "/live"), _START_SECONDS)
            yield Server(program, port, self.postgres, name, database)

    def finish(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> Path:
        """Run a program to its end; answers its log."""
        program = self._program(name, command, environ)
        program.run(_FINISH_SECONDS)
        return program.log

    def _program(self, name: str, command: Sequence[str], environ: Mapping[str, str]) -> Program:
        return Program(
            name,
            command,
            record=self.directory / f"{name}.pid",
            log=self.directory / f"{name}.log",
            environ={**_inherited(), **environ},
        )

    @contextlib.contextmanager
    def _running(
        self, name: str, command: Sequence[str], environ: Mapping[str, str]
    ) -> Iterator[Program]:
        program = self._program(name, command, environ)
        try:
            program.start()
            yield program
        finally:
            program.stop()


def _inherited() -> dict[str, str]:
    """The environment without settings that would change what is measured."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GUICHET_", "PYTHON", "DATABASE_URL", "REDIS_URL"))
    }
    return kept | {"PYTHONPATH": str(_ROOT), "NO_PROXY": "127.0.0.1"}


def _answers(port: int, path: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        url = f"http://127.0.0.1:{port}{path}"
        headers = {"host": "localhost"}
        return httpx.get(url, headers=headers, timeout=1, trust_env=False).is_success
    return False


@contextlib.contextmanager
def open_machine() -> Iterator[Machine]:
    """Start the servers in a directory that is gone afterwards."""
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="guichet-bench-")))
        directory.chmod(0o711)
        postgres = EmbeddedPostgres(directory / "postgres", log=directory / "postgres.log")
        stack.callback(postgres.stop)
        postgres.start()
        schema.apply_migrations(postgres.url(OWNER_ROLE))
        asyncio.run(schema.grant_application(postgres.url(OWNER_ROLE), WEB_ROLE))
        valkey = EmbeddedValkey(directory / "valkey")
        stack.callback(valkey.stop)
        valkey.start()
        yield Machine(directory, postgres, valkey)


def query(
    postgres: EmbeddedPostgres, database: str, sql: str, *args: object
) -> list[asyncpg.Record]:
    """Run one statement as the superuser, on a connection of its own."""

    async def fetch() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(postgres.url(SUPERUSER, database))
        try:
            return await connection.fetch(sql, *args)
        finally:
            await connection.close()

    return asyncio.run(fetch())
