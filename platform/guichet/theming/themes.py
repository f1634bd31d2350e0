"""The themes on disk: what each one is called, offers and overrides."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from guichet.theming.contrast import is_colour
from guichet.theming.palette import OwnColours

#: The complete theme, from which every other one inherits what it does not override.
PLAIN = "plain"


_COLOURS = OwnColours.__struct_fields__


class ThemeMistake(ValueError):
    """A theme on disk cannot be used; the text names the file and says why."""


class Font(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two stacks of fonts that visitors have already; nothing is downloaded."""

    body: str
    display: str


class ThemeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `theme.toml` says."""

    name: str
    description: str
    #: Corner radius in pixels.
    radius: int
    #: The theme's own font, one of `fonts`.
    font: str
    fonts: dict[str, Font]
    light: OwnColours
    dark: OwnColours
    #: Whether merchants may choose it; those that are not are looks of the deployment's own.
    offered: bool = True


class Theme(msgspec.Struct, frozen=True):
    """A folder of the themes directory, read once at start."""

    slug: str
    file: ThemeFile
    templates: Path
    #: The text of every stylesheet in the folder, `tokens.css` first.
    css: str
    #: Scripts by file name.
    scripts: dict[str, bytes]
    #: An SVG for the browser's tab; empty takes the plain theme's.
    icon: bytes


def themes_directory() -> Path:
    """Where the themes are: inside the package in a wheel, at the repository's root otherwise."""
    package = Path(__file__).parents[1]
    packed = package / "themes"
    return packed if packed.is_dir() else package.parents[1] / "themes"


def read_themes(directory: Path) -> Mapping[str, Theme]:
    """Read every folder that has a `theme.toml`; raises `ThemeMistake`, which stops the start."""
    return {
        path.parent.name: _read_theme(path.parent)
        for path in sorted(directory.glob("*/theme.toml"))
    }


def _read_file(path: Path) -> ThemeFile:
    try:
        file = msgspec.toml.decode(path.read_bytes(), type=ThemeFile)
    except msgspec.DecodeError as error:
        raise ThemeMistake(f"{path}: {error}") from error
    if file.font not in file.fonts:
        raise ThemeMistake(f"{path}: the font {file.font!r} is not among its fonts")
    own = (getattr(scheme, name) for scheme in (file.light, file.dark) for name in _COLOURS)
    for colour in own:
        if not is_colour(colour):
            raise ThemeMistake(f"{path}: {colour!r} is no colour as #rrggbb")
    return file


def _read_theme(folder: Path) -> Theme:
    file = _read_file(folder / "theme.toml")
    sheets = sorted(folder.glob("*.css"), key=lambda path: (path.name != "tokens.css", path.name))
    return Theme(
        slug=folder.name,
        file=file,
        templates=folder / "templates",
        css="\n".join(path.read_text() for path in sheets),
        icon=icon.read_bytes() if (icon := folder / "icon.svg").exists() else b"",
        scripts={path.name: path.read_bytes() for path in folder.glob("*.js")},
    )
