"""Processes whose clock is wrong: Debian's libfaketime stands between them and the kernel's."""

import os
import sys
from pathlib import Path

#: As libfaketime writes them. More than an hour: as long as an idempotency key is trusted.
SKEWS = ("+90m", "-90m")
_LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


class NoFakeTime(Exception):
    """libfaketime is not installed: `apt-get install libfaketime`."""


def skewed(skew: str) -> dict[str, str]:
    """The environment of a process whose wall clock is wrong; what it measures passes as it does.

    Without libfaketime the clock is right, and that is told; raises `NoFakeTime` where it is a
    failure.
    """
    if _LIBRARIES:
        return {
            "LD_PRELOAD": str(_LIBRARIES[0]),
            "FAKETIME": skew,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
    if os.environ.get("CI"):
        raise NoFakeTime(NoFakeTime.__doc__)
    sys.stdout.write("no libfaketime, so no worker's clock is wrong\n")
    return {}
