"""Draws every mail of every merchant as a picture into `build/mails/`, to be looked at.

Run `python -m tests.messages.gallery [part of a name …]` with Chromium at /usr/bin/chromium.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from guichet.theming.pages import Pages
from guichet.theming.themes import themes_directory
from tests.messages.letters import SITUATIONS, demo_brand, letter
from tests.theming.gallery import CHROMIUM, FLAGS

WIDTHS = {"wide": 640, "narrow": 390}


def main(parts: list[str]) -> None:
    """Draw the mails whose name holds every one of the parts."""
    pages = Pages(themes_directory())
    folder = Path("build/mails")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(java_script_enabled=False)
        for name, theme, locale, scheme, width in _drawings(parts):
            html = letter(pages, name, locale, demo_brand(pages, theme)).html
            page.set_viewport_size({"width": WIDTHS[width], "height": 500})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.set_content(html)
            picture = folder / f"{name}-{theme}-{locale}-{scheme}-{width}.png"
            page.screenshot(path=picture, full_page=True)
        browser.close()


def _drawings(parts: list[str]) -> list[tuple[str, str, str, str, str]]:
    return [
        (name, theme, locale, scheme, width)
        for name in SITUATIONS
        for theme in ("plain", "hearth", "current")
        for locale in ("en", "fr")
        for scheme in ("light", "dark")
        for width in WIDTHS
        if all(part in f"{name}-{theme}-{locale}-{scheme}-{width}" for part in parts)
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
