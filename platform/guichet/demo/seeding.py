"""When the demo's data is made: on the first run, and when an address in it has changed."""

import sys
from collections.abc import Mapping

from guichet.demo.home import Home
from guichet.embedded.programs import Program

_FACTS = "seeded"


def must_seed(home: Home, facts: dict[str, str]) -> bool:
    """Whether the data was never made to the end, or names other addresses than these."""
    return home.facts(_FACTS) != facts


def remember_seeded(home: Home, facts: dict[str, str]) -> None:
    """Keep the addresses that the finished data names."""
    home.keep_facts(_FACTS, facts)


def seeding(home: Home, environ: Mapping[str, str], sandbox_url: str, issuer: str) -> Program:
    """The process that makes the data, not yet started; each of its steps may be repeated."""
    return Program(
        "making the data",
        [sys.executable, "-m", "guichet.demo.make", sandbox_url, issuer],
        record=home.records / "make.pid",
        log=home.logs / "make.log",
        environ=environ,
    )
