"""One running platform and one browser for all tests of pages as people see them."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, async_playwright

from tests.browser.platform import Platform, running_platform
from tests.browser.visitor import CHROMIUM, FLAGS, Visitor

OpenVisitor = Callable[..., Awaitable[Visitor]]
_TIMEOUT_MS = 15_000


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's program."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    return Path(CHROMIUM)


@pytest.fixture(scope="session")
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    """Chromium, which reaches this machine and nothing else."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def platform(chromium: Path) -> AsyncIterator[Platform]:
    """The demo, started with its own command."""
    with tempfile.TemporaryDirectory(prefix="guichet-browser-") as directory:
        async with running_platform(Path(directory)) as platform:
            yield platform


@pytest.fixture
async def visit(platform: Platform, browser: Browser) -> AsyncIterator[OpenVisitor]:
    """Open windows at a merchant's portal; none of them may have had a fault in the end."""
    visitors: list[Visitor] = []

    async def open_window(slug: str, width: int = 1280, **options: Any) -> Visitor:
        shopfront = platform.shopfronts[slug]
        given = {"locale": shopfront.merchant.locale, **options}
        context = await browser.new_context(viewport={"width": width, "height": 900}, **given)
        context.set_default_timeout(_TIMEOUT_MS)
        visitor = await Visitor(platform, shopfront, context).open()
        visitor.locale = given["locale"]
        visitors.append(visitor)
        return visitor

    yield open_window
    for visitor in visitors:
        await visitor.context.close()
    assert [fault for visitor in visitors for fault in visitor.faults] == []
