"""The web program as a process, spoken to over plain sockets."""

import re
import socket
from pathlib import Path
from typing import NamedTuple

import httpx

#: No answer takes so long; what is not answered by then is not answered at all.
PATIENCE_SECONDS = 10

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3}) ")


class Server(NamedTuple):
    """Where a running `guichet serve` listens on loopback, and where it logs."""

    port: int
    log: Path

    def client(self, host: str, session: str = "", language: str = "en") -> httpx.AsyncClient:
        """A browser that says it looks for `host`; it keeps no cookies but the given one."""
        headers = {"host": host, "accept-language": language}
        if session:
            headers["cookie"] = f"guichet-session={session}"
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}",
            headers=headers,
            trust_env=False,
            timeout=PATIENCE_SECONDS,
        )

    def send(self, data: bytes) -> bytes:
        """Send these very bytes; answers everything that comes until the server hangs up.

        Raises TimeoutError when it does not.
        """
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS) as connection:
            received = b""
            try:
                connection.sendall(data)
                while chunk := connection.recv(65536):
                    received += chunk
            except (ConnectionResetError, BrokenPipeError):
                # It hangs up on what it will not read to the end.
                pass
            return received


def statuses(answer: bytes) -> list[int]:
    """The statuses of all answers on a connection, interim ones left out."""
    found = [int(it) for it in _STATUS.findall(answer)]
    return [status for status in found if status >= 200]
