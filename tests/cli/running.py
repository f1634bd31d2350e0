"""Running the command as a person does: in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping


def run_guichet(*arguments: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `guichet` to its end with these settings and no others."""
    return subprocess.run(
        [sys.executable, "-m", "guichet.cli", *arguments],
        env=environment(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with these settings of Guichet's and no others."""
    ours = ("GUICHET_", "DATABASE_URL", "REDIS_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, **settings}
