"""The sandbox as its users see it: a process on a port, spoken to by the real SDK."""

import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import stripe

from tests.loopback import NO_AUTHORITIES

_START_SECONDS = 20.0


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Program:
    """One run of `python -m stripe_sandbox`."""

    def __init__(self, port: int, state: Path | None = None) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "stripe_sandbox", "--port", str(port)]
        self.process = subprocess.Popen(command + (["--state", str(state)] if state else []))
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the sandbox ended with {self.process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        self.kill()
        raise RuntimeError("the sandbox did not start")

    def kill(self) -> None:
        """End it without warning."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        """End it as a deploy would."""
        self.process.terminate()
        self.process.wait(10)


@dataclass
class Account:
    """One account of a sandbox: a key, the SDK's client, and the control page's switches."""

    url: str
    key: str
    retries: int = 2

    @classmethod
    def new(cls, url: str, *, retries: int = 2) -> "Account":
        """An account that nobody has used before."""
        return cls(url, f"sk_test_{secrets.token_hex(12)}", retries)

    def __post_init__(self) -> None:
        self.wire = stripe.HTTPXClient(verify_ssl_certs=False)
        self.client = stripe.StripeClient(
            self.key,
            base_addresses={"api": self.url},
            http_client=self.wire,
            max_network_retries=self.retries,
        )
        self.v1 = self.client.v1
        self.http = httpx.AsyncClient(
            base_url=self.url,
            headers={"authorization": f"Bearer {self.key}"},
            timeout=30,
            verify=NO_AUTHORITIES,
        )

    async def close(self) -> None:
        """Let its connections go."""
        await self.wire.close_async()  # type: ignore[no-untyped-call]
        await self.http.aclose()

    async def set(self, **switches: Any) -> None:
        """Turn switches of the control page."""
        await self.v1.accounts.retrieve_current_async()
        answer = await self.http.post("/_control/settings", json=switches)
        assert answer.status_code == 200, answer.text

    async def charges(self) -> list[dict[str, Any]]:
        """Every charge that was ever attempted, newest first."""
        answer = await self.http.get("/_control/charges")
        found: list[dict[str, Any]] = answer.json()
        return found
