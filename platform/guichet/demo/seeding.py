"""When the demo's data is made: on the first run, and when its addresses or itself changed."""

import sys
from collections.abc import Mapping

from guichet.demo.home import Home
from guichet.embedded.programs import Program

_FACTS = "seeded"
#: Counts what was added to the data: a home of an older demo gets it at its next start.
_EDITION = {"edition": 2}


def must_seed(home: Home, facts: dict[str, str]) -> bool:
    """Whether the data was never made to the end, is older, or names other addresses."""
    return home.facts(_FACTS) != facts | _EDITION


def remember_seeded(home: Home, facts: dict[str, str]) -> None:
    """Keep the addresses that the finished data names."""
    home.keep_facts(_FACTS, facts | _EDITION)


def seeding(home: Home, environ: Mapping[str, str], sandbox_url: str, issuer: str) -> Program:
    """The process that makes the data, not yet started; each of its steps may be repeated."""
    return Program(
        "making the data",
        [sys.executable, "-m", "guichet.demo.make", sandbox_url, issuer],
        record=home.records / "make.pid",
        log=home.logs / "make.log",
        environ=environ,
    )
