"""How a merchant's portal looks: a theme, token values, pictures, a headline and optional CSS."""

import msgspec


class Colours(msgspec.Struct, frozen=True, omit_defaults=True):
    """Token values of one colour scheme as `#rrggbb`; an empty one keeps the theme's own."""

    accent: str = ""
    background: str = ""
    surface: str = ""
    text: str = ""


class Link(msgspec.Struct, frozen=True):
    """A link in the portal's footer, such as terms or imprint."""

    label: str
    url: str


class Branding(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a merchant sets of the look. Assets are named by the hash of their bytes."""

    theme: str = "plain"
    light: Colours = msgspec.field(default_factory=Colours)
    dark: Colours = msgspec.field(default_factory=Colours)
    #: light, dark, or auto (the visitor's own setting).
    scheme: str = "auto"
    #: One of the font stacks that the theme offers; empty keeps the theme's own.
    font: str = ""
    #: Corner radius in pixels, 0 to 24; None keeps the theme's own.
    radius: int | None = None
    #: comfortable, or compact: less room around everything.
    density: str = "comfortable"
    logo: str = ""
    logo_dark: str = ""
    #: The picture in the browser's tab; empty takes the theme's own.
    favicon: str = ""
    headline: dict[str, str] = msgspec.field(default_factory=dict)
    links: tuple[Link, ...] = ()
    #: As the merchant wrote it; pages get what `tenants.custom_css` makes of it.
    css: str = ""
