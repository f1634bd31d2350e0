"""Stylesheets and scripts of the themes at addresses that change with their content."""

from collections.abc import Mapping

import msgspec

from guichet.theming.branding import content_hash, theme_tokens
from guichet.theming.themes import PLAIN, Theme


class Asset(msgspec.Struct, frozen=True):
    """A file as it is served. Its address holds its hash: it may be cached for ever."""

    body: bytes
    media_type: str


class Assets:
    """All files of all themes in memory, some 20 kB for each theme."""

    def __init__(self, themes: Mapping[str, Theme]) -> None:
        self._files: dict[str, Asset] = {}
        plain = themes[PLAIN]
        self.stylesheets = {
            slug: self._add(f"{slug}.css", _bundle(plain, theme).encode(), "text/css")
            for slug, theme in themes.items()
        }
        self.icons = {
            slug: self._add("icon.svg", theme.icon or plain.icon, "image/svg+xml")
            for slug, theme in themes.items()
        }
        self.scripts = {
            name: self._add(name, body, "text/javascript")
            for theme in themes.values()
            for name, body in theme.scripts.items()
        }

    def find(self, path: str) -> Asset | None:
        """The file at a path such as `/assets/<hash>/plain.css`, or None."""
        return self._files.get(path)

    def _add(self, name: str, body: bytes, media_type: str) -> str:
        path = f"/assets/{content_hash(body)}/{name}"
        self._files[path] = Asset(body, f"{media_type}; charset=utf-8")
        return path


def _bundle(plain: Theme, theme: Theme) -> str:
    """One stylesheet: plain below, the theme above it, then a merchant's own CSS.

    A branding's tokens, in no layer, win over all of them.
    """
    layers = [
        "@layer plain, theme, merchant;",
        f"@layer plain {{\n{theme_tokens(theme)}{plain.css}\n}}",
    ]
    if theme is not plain:
        layers.append(f"@layer theme {{\n{theme.css}\n}}")
    return "\n".join(layers) + "\n"
