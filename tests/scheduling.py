"""Which tests one process runs together, and which of them come first."""

from pathlib import PurePosixPath

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

#: The tests of such a folder share servers, or a whole platform, that take long to start.
_SHARING = {"tests/browser", "tests/isolation"}
#: A test here starts a whole deployment and watches how soon it recovers: it wants a processor
#: for itself, and waits half of the time, which is good for who uses the other one.
_KILLING = {"tests/killing", "tests/soak", "tests/years"}
_FEW_PROCESSES = 2


class Scheduling(LoadFileScheduling):  # type: ignore[misc]
    """A file is one process's, so that what its tests share is made once; so are some folders."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = str(PurePosixPath(file).parent)
        if folder in _KILLING and self.numnodes <= _FEW_PROCESSES:
            return "killing"
        return folder if folder in _SHARING else file


def slow_first(items: list[pytest.Item]) -> None:
    """Put what takes minutes first, then files with slow tests: what comes last is short."""
    slow = {
        item.path
        for item in items
        if item.get_closest_marker("slow") or item.get_closest_marker("browser")
    }
    items.sort(key=lambda item: (_folder(item) not in _KILLING, item.path not in slow))


def _folder(item: pytest.Item) -> str:
    return str(PurePosixPath(item.nodeid.partition("::")[0]).parent)
