"""What is checked of a portal's look before it is published."""

import re
from collections.abc import Iterator

import msgspec

from tenants.branding import Branding, Colours
from tenants.custom_css.sheets import scope_sheet
from tenants.mistakes import BETWEEN, ONE_OF, TOO_LONG, TOO_MANY, Mistake
from tenants.web_addresses import is_web_address

_THEME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
_SCHEMES = ("auto", "light", "dark")
_DENSITIES = ("comfortable", "compact")
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII | re.IGNORECASE)
_ASSET = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LARGEST_RADIUS = 24
_LONGEST_HEADLINE = 120
_MOST_LINKS = 12
_LONGEST_LABEL = 60
_LONGEST_URL = 500


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


def branding_mistakes(branding: Branding) -> Iterator[Mistake]:
    """What cannot be published of a look although it has the right shape."""
    if not _THEME.fullmatch(branding.theme):
        yield Mistake("branding.theme", _("Choose one of the themes."))
    if branding.scheme not in _SCHEMES:
        yield Mistake("branding.scheme", ONE_OF, {"choices": ", ".join(_SCHEMES)})
    if branding.radius is not None and not 0 <= branding.radius <= _LARGEST_RADIUS:
        yield Mistake("branding.radius", BETWEEN, {"least": 0, "most": _LARGEST_RADIUS})
    if branding.density not in _DENSITIES:
        yield Mistake("branding.density", ONE_OF, {"choices": ", ".join(_DENSITIES)})
    yield from _colour_rules("branding.light", branding.light)
    yield from _colour_rules("branding.dark", branding.dark)
    yield from scope_sheet(branding.css).mistakes
    yield from _picture_rules(branding)
    yield from _headline_rules(branding)
    yield from _link_rules(branding)


def _picture_rules(branding: Branding) -> Iterator[Mistake]:
    for name in ("logo", "logo_dark", "favicon"):
        value = getattr(branding, name)
        if value and not _ASSET.fullmatch(value):
            yield Mistake(f"branding.{name}", _("Upload a picture, or name one by its id."))


def _headline_rules(branding: Branding) -> Iterator[Mistake]:
    for language, headline in branding.headline.items():
        if len(headline) > _LONGEST_HEADLINE:
            yield Mistake(f"branding.headline.{language}", TOO_LONG, {"most": _LONGEST_HEADLINE})


def _link_rules(branding: Branding) -> Iterator[Mistake]:
    if len(branding.links) > _MOST_LINKS:
        yield Mistake("branding.links", TOO_MANY, {"most": _MOST_LINKS})
    for place, link in enumerate(branding.links):
        if not 1 <= len(link.label.strip()) <= _LONGEST_LABEL:
            text = _("Write what the link is called, in %(most)s characters at most.")
            yield Mistake(f"branding.links[{place}].label", text, {"most": _LONGEST_LABEL})
        if len(link.url) > _LONGEST_URL or not is_web_address(link.url):
            yield Mistake(
                f"branding.links[{place}].url", _("Write an https, http or mailto address.")
            )


def _colour_rules(path: str, colours: Colours) -> Iterator[Mistake]:
    for name, value in msgspec.structs.asdict(colours).items():
        if value and not _COLOUR.fullmatch(value):
            yield Mistake(f"{path}.{name}", _("Write a colour such as #1a2b3c."))
