"""A sandbox for all tests here, and an account of its own for each."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.stripe_sandbox.program import Account, Program, free_port


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The SDK's HTTPX client posts forms in a way that httpx deprecates; nothing else may warn."""
    here = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    for item in here:
        item.add_marker(
            pytest.mark.filterwarnings(
                "ignore:Use 'content=<...>' to upload raw bytes/text content:DeprecationWarning"
            )
        )


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Program]:
    """A running sandbox that keeps its state in memory."""
    program = Program(free_port())
    yield program
    program.stop()


@pytest.fixture
async def account(sandbox: Program) -> AsyncIterator[Account]:
    """An account that no other test sees."""
    opened = Account.new(sandbox.url)
    yield opened
    await opened.close()
