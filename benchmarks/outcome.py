"""What a program that does one thing and ends tells of itself: a line of JSON, its last."""

import re
import sys
from pathlib import Path

import msgspec

_PEAK = re.compile(r"^VmHWM:\s+([0-9]+) kB$", re.MULTILINE)


class Outcome(msgspec.Struct, frozen=True):
    """What was done, how long it took without the program's start, and the most memory held."""

    count: int
    seconds: float
    peak_mib: float

    @property
    def per_second(self) -> float:
        return self.count / self.seconds


def tell(count: int, seconds: float) -> None:
    """Print the outcome of this process."""
    match = _PEAK.search(Path("/proc/self/status").read_text())
    peak = int(match[1]) / 1024 if match else 0.0
    sys.stdout.write(msgspec.json.encode(Outcome(count, seconds, peak)).decode() + "\n")


def told(log: Path) -> Outcome:
    """The outcome at the end of a program's log."""
    return msgspec.json.decode(log.read_text().splitlines()[-1], type=Outcome)
