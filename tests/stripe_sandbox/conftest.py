"""A sandbox for all tests here, an account of its own for each, and windows on its pages."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.browser.visitor import CHROMIUM, FLAGS
from tests.stripe_sandbox.hosted import Merchant, OpenWindow
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


@pytest.fixture(scope="module")
async def merchant() -> AsyncIterator[Merchant]:
    """A site of another origin than the sandbox's."""
    port = free_port()
    merchant = Merchant(f"http://shop.localhost:{port}")
    server = await asyncio.start_server(merchant.answer, "127.0.0.1", port)
    yield merchant
    server.close()
    await server.wait_closed()


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, which reaches this machine and nothing else."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def window(browser: Browser) -> AsyncIterator[OpenWindow]:
    """Opens windows, by default without JavaScript."""
    contexts = []

    async def opened(**options: Any) -> Page:
        context = await browser.new_context(**{"java_script_enabled": False, **options})
        context.set_default_timeout(10_000)
        contexts.append(context)
        return await context.new_page()

    yield opened
    for context in contexts:
        await context.close()
