"""Processes whose clock is wrong: Debian's libfaketime stands between them and the kernel's."""

from pathlib import Path

#: As libfaketime writes them. More than an hour: as long as an idempotency key is trusted.
SKEWS = ("+90m", "-90m")
_LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


class NoFakeTime(Exception):
    """libfaketime is not installed: `apt-get install libfaketime`."""


def skewed(skew: str) -> dict[str, str]:
    """The environment of a process whose wall clock is wrong; what it measures passes as it does.

    Raises `NoFakeTime`.
    """
    if not _LIBRARIES:
        raise NoFakeTime(NoFakeTime.__doc__)
    return {
        "LD_PRELOAD": str(_LIBRARIES[0]),
        "FAKETIME": skew,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
