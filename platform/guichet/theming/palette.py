"""From the few colours that a merchant chooses to every colour that a page uses."""

import msgspec

from guichet.theming.contrast import (
    EDGE_RATIO,
    can_be_read,
    ink_on,
    is_colour,
    least_contrast,
    legible,
    mix,
)
from tenants.branding import Colours

_CHOSEN = ("accent", "text", "surface", "background")


class OwnColours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A theme's own colours of one scheme, all as `#rrggbb`."""

    accent: str
    background: str
    surface: str
    text: str
    positive: str
    caution: str
    negative: str


class Correction(msgspec.Struct, frozen=True):
    """A value of the branding that is not used as given, for the merchant to see."""

    #: Such as `light.accent`, `font`, `radius`.
    setting: str
    given: str
    used: str
    #: `unreadable` for a colour without enough contrast, `refused` for what is no valid value.
    reason: str
    #: The least contrast on the grounds that it stands on, as given and as used; 0 for no colour.
    ratio_given: float = 0.0
    ratio_used: float = 0.0


def resolve(
    scheme: str, chosen: Colours, own: OwnColours
) -> tuple[dict[str, str], list[Correction]]:
    """Every colour token of a scheme, readable by WCAG AA, and what had to be corrected.

    Text is readable on the background and on a surface. The accent fills as the merchant gave
    it, with an ink chosen for it; where it is a text or a control's edge it is corrected.
    """
    corrections: list[Correction] = []
    used: dict[str, str] = {}
    for token in _CHOSEN:
        given = getattr(chosen, token).lower()
        used[token] = given if is_colour(given) else getattr(own, token)
        if given and not is_colour(given):
            corrections.append(Correction(f"{scheme}.{token}", given, used[token], "refused"))

    def correct(token: str, value: str) -> str:
        if value != used[token] and used[token] == getattr(chosen, token).lower():
            corrections.append(_unreadable(f"{scheme}.{token}", used, token, value))
        return value

    # A light surface on a dark background leaves no text that can be read on both.
    if not can_be_read((used["background"], used["surface"])):
        used["surface"] = correct("surface", used["background"])
    grounds = (used["background"], used["surface"])
    used["text"] = correct("text", legible(used["text"], grounds))
    accent_text = correct("accent", legible(used["accent"], grounds))
    return used | {"accent-text": accent_text} | _derive(used, own), corrections


def _unreadable(setting: str, used: dict[str, str], name: str, value: str) -> Correction:
    """Why a colour gives way: its contrast, or for a surface that of the text on it."""
    if name == "surface":
        ratios = [least_contrast(used["text"], (ground,)) for ground in (used[name], value)]
    else:
        grounds = (used["background"], used["surface"])
        ratios = [least_contrast(colour, grounds) for colour in (used[name], value)]
    return Correction(setting, used[name], value, "unreadable", *ratios)


def _derive(used: dict[str, str], own: OwnColours) -> dict[str, str]:
    """The quieter and the meaningful colours, from the chosen ones."""
    accent, text, surface, background = (used[token] for token in _CHOSEN)
    grounds = (background, surface)
    on_accent = ink_on(accent)
    derived = {
        "on-accent": on_accent,
        # Away from the ink, so that the label stays as readable while the pointer is over it.
        "accent-hover": mix(accent, ink_on(on_accent), 0.14),
        "muted": legible(mix(text, background, 0.34), grounds),
        "line": mix(surface, text, 0.13),
        "edge": legible(mix(surface, text, 0.4), grounds, EDGE_RATIO),
        "focus": legible(accent, grounds, EDGE_RATIO),
        "sunken": mix(background, text, 0.05),
    }
    meanings = {name: getattr(own, name) for name in ("positive", "caution", "negative")}
    for name, colour in (meanings | {"info": accent}).items():
        tint = mix(surface, colour, 0.11)
        derived[f"{name}-tint"] = tint
        derived[name] = legible(colour, (tint,))
        derived[f"{name}-text"] = legible(text, (tint,))
    derived["sunken-text"] = legible(text, (derived["sunken"],))
    return derived
