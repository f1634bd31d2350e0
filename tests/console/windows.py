"""A real browser whose every request is answered by the console in this process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.async_api import Browser, Page, Route, async_playwright

from tests.browser.visitor import CHROMIUM, FLAGS

_WIDE, _PHONE = 1280, 390
#: Nothing may be cut off in a window as narrow as this (WCAG 2.2, success criterion 1.4.10).
_NARROWEST = 320
#: Opens a page at the console for a client that is signed in, or not.
OpenWindow = Callable[..., Awaitable[Page]]


class Look(NamedTuple):
    """How a page is seen while axe examines it, in the light and in the dark."""

    locale: str
    width: int


LOOKS = (Look("en", _WIDE), Look("fr", _PHONE))
#: What depends on the colours alone: nothing else is different in the dark.
_COLOUR_RULES = ("color-contrast", "link-in-text-block")
#: Frames have pages of their own; what is in order is not needed in words.
_AXE_OPTIONS = {"resultTypes": ["violations"], "iframes": False}


@contextlib.asynccontextmanager
async def open_chromium() -> AsyncIterator[Browser]:
    """Chromium, which reaches nothing but what a test answers."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


class Line:
    """Carries a window's requests to a client of the edge, cookies and all."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        #: Whether the network is gone.
        self.is_cut = False
        #: Cleared while forms are on their way and do not arrive.
        self.is_open = asyncio.Event()
        self.is_open.set()
        #: The method and path of everything that was asked for.
        self.asked: list[str] = []

    async def carry(self, route: Route) -> None:
        """Answer one request of the window as the console does."""
        request = route.request
        url = httpx.URL(request.url)
        self.asked.append(f"{request.method} {url.path}")
        if self.is_cut:
            await route.abort()
            return
        if request.method == "POST":
            await self.is_open.wait()
        headers = {**await request.all_headers(), "host": url.netloc.decode()}
        names = ("accept", "accept-language", "content-type", "host", "origin", "referer")
        told = {name: headers[name] for name in (*names, "x-autosave") if name in headers}
        body = request.post_data_buffer
        answer = await self.client.request(request.method, url, headers=told, content=body)
        given = {name: text for name, text in answer.headers.items() if name != "set-cookie"}
        await route.fulfill(status=answer.status_code, headers=given, body=answer.content)


@contextlib.asynccontextmanager
async def open_window(
    browser: Browser, client: httpx.AsyncClient, look: Look = LOOKS[0], **options: Any
) -> AsyncIterator[tuple[Page, Line]]:
    """A window of this browser that is the client's."""
    context = await browser.new_context(
        locale=look.locale,
        # Colours on their way from one to another have no contrast of their own.
        reduced_motion="reduce",
        viewport={"width": look.width, "height": 900},
        base_url=str(client.base_url),
        **options,
    )
    context.set_default_timeout(10_000)
    line = Line(client)
    await context.route("**/*", line.carry)
    page = await context.new_page()
    yield page, line
    await context.close()


async def examine(page: Page, look: Look) -> list[str]:
    """What is wrong with the page that is open, in this look."""
    name = f"{page.url} {look}"
    found = []
    for width in (_WIDE, _PHONE, _NARROWEST):
        await page.set_viewport_size({"width": width, "height": 900})
        needed = await page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            found.append(f"{name}: {needed} px wide on {width} px")
    await page.set_viewport_size({"width": look.width, "height": 900})
    await page.evaluate(AXE_SCRIPT)
    found += [f"{name}: {it}" for it in await _violations(page, _AXE_OPTIONS)]
    await page.emulate_media(color_scheme="dark")
    in_the_dark = {**_AXE_OPTIONS, "runOnly": list(_COLOUR_RULES)}
    found += [f"{name} dark: {it}" for it in await _violations(page, in_the_dark)]
    await page.emulate_media(color_scheme="light")
    return found


async def _violations(page: Page, options: dict[str, object]) -> list[str]:
    result = await page.evaluate("options => axe.run(options)", options)
    return [f"{it['id']}: {[node['html'] for node in it['nodes']]}" for it in result["violations"]]
