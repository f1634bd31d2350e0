"""Worker processes as a deployment runs them, on a test's own servers."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from guichet.settings import Settings

_END_SECONDS = 15.0


def environment(settings: Settings) -> dict[str, str]:
    """What a process of this deployment reads its settings from."""
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "GUICHET_BASE_DOMAIN": settings.base_domain,
        "GUICHET_MASTER_KEY": ",".join(settings.master_keys),
        "GUICHET_STRIPE_URL": settings.stripe_url,
        "GUICHET_SMTP_URL": settings.smtp_url,
        "GUICHET_MAIL_FROM": settings.mail_from,
        "GUICHET_METRICS_LISTEN": "off",
        "NO_PROXY": "127.0.0.1,localhost",
    }


class WorkerProcess:
    """One worker, and what it logs."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workers"],
                env=environment(settings),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """End it as a crash does."""
        self._process.kill()
        self._process.wait(_END_SECONDS)

    async def stop(self) -> int:
        """End it as a deploy does; answers its exit status."""
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self._process.wait, _END_SECONDS)


@contextlib.asynccontextmanager
async def running_worker(settings: Settings, log: Path) -> AsyncIterator[WorkerProcess]:
    """A worker that has started; killed in the end if it is still there."""
    worker = WorkerProcess(settings, log)
    try:
        await until(lambda: _is_true("worker_started" in worker.log), 20)
        yield worker
    finally:
        worker.kill()


async def _is_true(value: bool) -> bool:
    return value


async def until(holds: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Wait until something holds; raises `TimeoutError` when it does not in time."""
    give_up_at = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > give_up_at:
            raise TimeoutError("it did not come to hold")
        await asyncio.sleep(0.05)
