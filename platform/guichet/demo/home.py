"""GUICHET_HOME: the one directory in which a demo keeps its data, secrets, ports and logs."""

import base64
import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from guichet.embedded.programs import free_port, write_private

#: The home unless `GUICHET_HOME` names another.
DEFAULT = ".guichet"


class HomeInUse(Exception):
    """Another demo runs in this directory."""


class Home:
    """The directory, held by one demo at a time.

    The lock ends with the process that holds it, however that ends.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self._lock: int | None = None

    @property
    def logs(self) -> Path:
        return self.directory / "log"

    @property
    def records(self) -> Path:
        """Where the process ids of running programs are kept."""
        return self.directory / "run"

    @property
    def mail(self) -> Path:
        """Where the mails are kept that were caught."""
        return self.directory / "mail"

    def hold(self) -> None:
        """Create the directory and take its lock; raises `HomeInUse`."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for private in (self.logs, self.records, self.mail):
            private.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 20, 0).decode().strip()
            os.close(lock)
            raise HomeInUse(
                f"a demo already runs in {self.directory} (process {holder or 'unknown'})."
                " Stop it first, or start this one elsewhere: GUICHET_HOME=... PORT=... make demo"
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        self._lock = lock

    def release(self) -> None:
        """Let another demo have the directory."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def identifier(self) -> str:
        """A short random name of this demo, for what it makes on servers that others use too."""
        return self._kept("identifier", lambda: secrets.token_hex(4))

    def master_key(self) -> str:
        """The demo's master key, 32 bytes in base64, made at first."""
        return self._kept("master-key", lambda: base64.b64encode(os.urandom(32)).decode())

    def password(self, name: str) -> str:
        """A password by name, made at first."""
        return self._kept(f"{name}-password", lambda: secrets.token_urlsafe(24))

    def _kept(self, name: str, make: Callable[[], str]) -> str:
        file = self.directory / name
        if not file.exists():
            write_private(file, make())
        return file.read_text()

    def ports(self, *names: str) -> dict[str, int]:
        """A free port for each name: the one it had before, unless somebody took it since."""
        kept = self.facts("ports")
        ports: dict[str, int] = {}
        for name in names:
            port = free_port(int(kept.get(name, 0)))
            while port in ports.values():
                port = free_port()
            ports[name] = port
        self.keep_facts("ports", dict(ports))
        return ports

    def facts(self, name: str) -> dict[str, Any]:
        """What was kept under this name; empty when nothing was, or nothing readable."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            content = json.loads((self.directory / f"{name}.json").read_text())
            if isinstance(content, dict):
                return content
        return {}

    def keep_facts(self, name: str, facts: dict[str, Any]) -> None:
        write_private(self.directory / f"{name}.json", json.dumps(facts))
