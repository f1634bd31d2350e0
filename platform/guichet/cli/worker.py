"""`guichet worker`: this process becomes a worker."""

import os
import sys

import click


@click.command()
def worker() -> None:
    """Run a worker process: provider events, retries and what is due.

    SIGTERM lets it finish the jobs in hand.
    """
    # The workers stand on this package and not the reverse, so they are started, not imported.
    # Taking the process over leaves the pid and the signals as whoever watches it knows them.
    os.execv(sys.executable, [sys.executable, "-m", "workers"])  # noqa: S606 - no shell, no input.
