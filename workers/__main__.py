"""`python -m workers`: a worker process, until SIGTERM or SIGINT."""

import asyncio
import os
import signal
import sys

import structlog
import uvloop

from guichet import logs
from guichet.monitoring import serve_metrics
from guichet.settings import Settings, SettingsError, read_settings
from workers.running import run

log = structlog.get_logger()


def main() -> int:
    """Run a worker with the settings of the environment; answers the exit status."""
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logs.configure(settings.log_level)
    serve_metrics(settings)
    uvloop.run(_run_until_signalled(settings))
    return 0


async def _run_until_signalled(settings: Settings) -> None:
    stop = asyncio.Event()

    def started() -> None:
        # Before that there is nothing in hand, so a signal ends the process at once.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        log.info("worker_started")

    await run(settings, stop, started)
    log.info("worker_stopped")


if __name__ == "__main__":
    sys.exit(main())
