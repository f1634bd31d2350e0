"""When the demo's data is made: on the first run, and when an address in it has changed.

It runs in a process of its own (`python -m guichet.demo.seeding SANDBOX_URL ISSUER`), since what
it loads would slow down every later start.
"""

import asyncio
import importlib
import importlib.util
import os
import sys

from guichet.demo.home import Home
from guichet.embedded.programs import Program
from guichet.settings import read_settings

_FACTS = "seeded"
_SEED = "guichet.demo.seed"


def must_seed(home: Home, facts: dict[str, str]) -> bool:
    """Whether the data was never made to the end, or names other addresses than these."""
    return home.facts(_FACTS) != facts


def remember_seeded(home: Home, facts: dict[str, str]) -> None:
    """Keep the addresses that the finished data names."""
    home.keep_facts(_FACTS, facts)


def seeding(home: Home, environ: dict[str, str], sandbox_url: str, issuer: str) -> Program:
    """The process that makes the data, not yet started."""
    return Program(
        "seeding",
        [sys.executable, "-m", "guichet.demo.seeding", sandbox_url, issuer],
        record=home.records / "seeding.pid",
        log=home.logs / "seeding.log",
        environ=environ,
    )


def main(sandbox_url: str, issuer: str) -> None:
    """Make the data; every step may have been done before."""
    if importlib.util.find_spec(_SEED) is None:
        sys.stdout.write("there is nothing to seed\n")
        return
    seed = importlib.import_module(_SEED).seed
    asyncio.run(seed(read_settings(os.environ), sandbox_url, issuer))


if __name__ == "__main__":
    main(*sys.argv[1:])
