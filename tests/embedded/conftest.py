"""Directories and servers of a test's own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from guichet.embedded.postgres import EmbeddedPostgres
from guichet.embedded.valkey import EmbeddedValkey


@pytest.fixture
def directory() -> Iterator[Path]:
    """An empty directory that nobody else can enter."""
    with tempfile.TemporaryDirectory(prefix="guichet-embedded-") as path:
        yield Path(path)


@pytest.fixture
def own_postgres(directory: Path) -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL that the test may kill."""
    server = EmbeddedPostgres(directory / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_valkey(directory: Path) -> Iterator[EmbeddedValkey]:
    """A running Valkey that the test may kill."""
    server = EmbeddedValkey(directory / "valkey")
    server.start()
    yield server
    server.stop()
