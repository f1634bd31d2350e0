"""Draws every page of every theme as a picture into `build/gallery/`, to be looked at.

Run `python -m tests.theming.gallery [part of a name …]` with Chromium at /usr/bin/chromium.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, Route, sync_playwright

from guichet.theming.pages import Pages
from guichet.theming.themes import themes_directory
from tests.theming import samples, situations

CHROMIUM = Path("/usr/bin/chromium")
# A browser that asks nobody anything but the page it is given.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = {"wide": 1280, "narrow": 390}
ORIGIN = "http://portal.localhost"
# What the portal sends with each page, so that a page that breaks it is seen to break.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Drawing(NamedTuple):
    """One page as a visitor would get it."""

    name: str
    html: bytes
    dark: bool
    width: int


def drawings(pages: Pages, widths: dict[str, int] = WIDTHS) -> Iterator[Drawing]:
    """Every page × theme × scheme × language × width."""
    for locale in ("en", "fr"):
        for dark in (False, True):
            for name, html in _rendered(pages, locale, dark):
                for width_name, width in widths.items():
                    tail = f"{locale}-{'dark' if dark else 'light'}-{width_name}"
                    yield Drawing(f"{name}-{tail}", html, dark, width)


def _rendered(pages: Pages, locale: str, dark: bool) -> Iterator[tuple[str, bytes]]:
    for theme in samples.MERCHANTS:
        for page, context in situations.portal_pages().items():
            shell = samples.framed(pages, theme, locale, page, "dark" if dark else "light")
            template = samples.template_of(page)
            html = pages.render(theme, template, locale, shell=shell, **context)
            yield f"{theme}-{page}", html
    for page, context in situations.platform_pages().items():
        html = pages.render("platform", samples.template_of(page), locale, **context)
        yield f"platform-{page}", html


class Easel:
    """A browser page that shows one drawing after another under the portal's own policy."""

    def __init__(self, browser: Browser, pages: Pages) -> None:
        self.page = browser.new_page()
        self._pages = pages
        self._shown = b""
        self.page.route("**/*", self._answer)

    def show(self, drawing: Drawing) -> Page:
        """Show the drawing in its width and scheme; one that differs in these alone stays."""
        self.page.set_viewport_size({"width": drawing.width, "height": 900})
        self.page.emulate_media(color_scheme="dark" if drawing.dark else "light")
        if drawing.html != self._shown:
            self._shown = drawing.html
            self.page.goto(f"{ORIGIN}/")
        return self.page

    def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        asset = self._pages.asset(path)
        if path == "/":
            headers = {"content-security-policy": POLICY}
            route.fulfill(body=self._shown, content_type="text/html", headers=headers)
        elif asset:
            route.fulfill(body=asset.body, content_type=asset.media_type)
        elif path.startswith("/assets/pictures/"):
            route.fulfill(body=samples.picture(path), content_type="image/svg+xml")
        elif path.startswith("/assets/"):
            route.fulfill(body=samples.brand_css(self._pages, path), content_type="text/css")
        else:
            route.fulfill(status=404, body="")


def main(parts: list[str]) -> None:
    """Draw the pages whose name holds every one of the parts."""
    pages = Pages(themes_directory(), clock=lambda: samples.NOW)
    folder = Path("build/gallery")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        easel = Easel(browser, pages)
        for drawing in drawings(pages):
            if all(part in drawing.name for part in parts):
                picture = folder / f"{drawing.name}.png"
                easel.show(drawing).screenshot(path=picture, full_page=True)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
