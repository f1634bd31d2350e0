"""A merchant's branding as one small stylesheet, safe whatever the values are."""

import hashlib
from typing import NamedTuple

import msgspec

from guichet.theming.palette import Correction, resolve
from guichet.theming.themes import Theme
from tenants.branding import Branding, Colours
from tenants.custom_css.sheets import scope_sheet

_RADIUS_MAX = 24
SCHEMES = ("auto", "light", "dark")
#: Less room around everything; what is pressed keeps its size.
_COMPACT = {
    "leading": "1.45",
    "space-3": "0.5rem",
    "space-4": "0.75rem",
    "space-5": "1rem",
    "space-6": "1.375rem",
    "space-7": "2rem",
    "space-8": "3rem",
    "card-padding": "clamp(0.875rem, 0.75rem + 0.6vw, 1.125rem)",
}


class Stylesheet(msgspec.Struct, frozen=True):
    """CSS named by its content, so that it can be cached for ever."""

    hash: str
    body: bytes
    corrections: tuple[Correction, ...] = ()

    @property
    def path(self) -> str:
        """The path of the tenant's host at which the stylesheet is served."""
        return f"/assets/{self.hash}/brand.css"


def content_hash(body: bytes) -> str:
    """The name of these bytes in addresses."""
    return hashlib.sha256(body).hexdigest()[:20]


def brand_stylesheet(branding: Branding, theme: Theme) -> Stylesheet:
    """Every token of the branding over the theme's own, and what could not be used as given.

    Nothing that a merchant typed is copied into the stylesheet: colours pass as `#rrggbb`,
    fonts by the name of one of the theme's stacks, the radius as a number. The branding's own
    CSS comes as `tenants.custom_css` writes it anew, in a layer above the theme's, or not at all.
    """
    css, corrections = tokens(branding, theme)
    own = scope_sheet(branding.css).css
    body = (f"{css}@layer merchant {{\n{own}}}\n" if own else css).encode()
    return Stylesheet(content_hash(body), body, tuple(corrections))


class Resolved(NamedTuple):
    """Every token of a branding as a value that is safe and can be read."""

    light: dict[str, str]
    dark: dict[str, str]
    #: The fonts and the radius.
    shape: dict[str, str]
    corrections: list[Correction]


def resolve_tokens(branding: Branding, theme: Theme) -> Resolved:
    """The tokens of a branding over the theme's own, for a stylesheet or for a mail."""
    light, light_corrections = resolve("light", branding.light, theme.file.light)
    # An accent given for light alone is the brand's colour in the dark too.
    dark_colours = branding.dark
    if branding.light.accent and not dark_colours.accent:
        dark_colours = msgspec.structs.replace(dark_colours, accent=branding.light.accent)
    dark, dark_corrections = resolve("dark", dark_colours, theme.file.dark)
    shape, shape_corrections = _shape(branding, theme)
    return Resolved(light, dark, shape, light_corrections + dark_corrections + shape_corrections)


def tokens(branding: Branding, theme: Theme) -> tuple[str, list[Correction]]:
    """The rules that set every token of a branding, light and dark."""
    light, dark, shape, corrections = resolve_tokens(branding, theme)
    css = (
        f":root{{color-scheme:light;{_declare(light)}{_declare(shape)}"
        f"{_declare(_COMPACT if branding.density == 'compact' else {})}}}\n"
        f"@media (prefers-color-scheme:dark)"
        f"{{:root:not([data-scheme=light]){{color-scheme:dark;{_declare(dark)}}}}}\n"
        f":root[data-scheme=dark]{{color-scheme:dark;{_declare(dark)}}}\n"
    )
    return css, corrections


def theme_tokens(theme: Theme) -> str:
    """The rules that set every token of a theme without any branding."""
    css, _ = tokens(Branding(light=Colours(), dark=Colours()), theme)
    return css


def _shape(branding: Branding, theme: Theme) -> tuple[dict[str, str], list[Correction]]:
    """The fonts and corners, from the theme's list and within bounds."""
    corrections = []
    name = branding.font or theme.file.font
    if name not in theme.file.fonts:
        corrections.append(Correction("font", name, theme.file.font, "refused"))
        name = theme.file.font
    given = theme.file.radius if branding.radius is None else branding.radius
    radius = min(max(given, 0), _RADIUS_MAX)
    if radius != given:
        corrections.append(Correction("radius", str(given), str(radius), "refused"))
    font = theme.file.fonts[name]
    shape = {"font-body": font.body, "font-display": font.display, "radius": f"{radius}px"}
    return shape, corrections


def _declare(values: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in values.items())
