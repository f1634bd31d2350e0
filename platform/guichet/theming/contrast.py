"""Colours that can be read: WCAG 2.2 contrast, and the nearest colour that reaches it."""

import re
from collections.abc import Sequence
from functools import lru_cache

# WCAG 2.2, success criteria 1.4.3 (text) and 1.4.11 (the edges of controls).
TEXT_RATIO = 4.5
EDGE_RATIO = 3.0

_HEX = re.compile(r"#[0-9a-f]{6}")
_BLACK, _WHITE = "#000000", "#ffffff"
_INK = "#14161a"
_STEPS = 100


def is_colour(text: str) -> bool:
    """Whether the text is `#rrggbb` in lower case and nothing else."""
    return _HEX.fullmatch(text) is not None


# One search for a legible colour asks for the same backgrounds up to two hundred times.
@lru_cache(maxsize=1024)
def luminance(colour: str) -> float:
    """The relative luminance of `#rrggbb`, 0 to 1, as WCAG 2.2 defines it."""
    red, green, blue = (_linear(channel) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21, as WCAG 2.2 defines it."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def least_contrast(colour: str, backgrounds: Sequence[str]) -> float:
    """The ratio against the background on which the colour is hardest to read."""
    return min(contrast(colour, background) for background in backgrounds)


def mix(one: str, other: str, share: float) -> str:
    """The colour that has gone `share` (0 to 1) of the way from one to the other."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def ink_on(colour: str) -> str:
    """White where it can be read on the colour, else a dark ink, else black."""
    for ink in (_WHITE, _INK):
        if contrast(ink, colour) >= TEXT_RATIO:
            return ink
    return _BLACK


def can_be_read(backgrounds: Sequence[str], ratio: float = TEXT_RATIO) -> bool:
    """Whether black or white reaches the ratio on every one of the backgrounds."""
    return any(least_contrast(ink, backgrounds) >= ratio for ink in (_BLACK, _WHITE))


def legible(colour: str, backgrounds: Sequence[str], ratio: float = TEXT_RATIO) -> str:
    """The colour, darkened or lightened by as little as reaches the ratio on every background.

    Mixing towards black keeps the hue. Where neither black nor white reaches the ratio the
    better of the two is answered; `can_be_read` tells beforehand.
    """
    if least_contrast(colour, backgrounds) >= ratio:
        return colour
    for step in range(1, _STEPS + 1):
        for ink in (_BLACK, _WHITE):
            nearer = mix(colour, ink, step / _STEPS)
            if least_contrast(nearer, backgrounds) >= ratio:
                return nearer
    return max((_BLACK, _WHITE), key=lambda ink: least_contrast(ink, backgrounds))


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _linear(channel: int) -> float:
    value = channel / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
