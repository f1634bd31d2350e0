"""How the portal looks: theme, colours, pictures, headline, links and the merchant's own CSS."""

import math
from functools import partial

import msgspec
from babel.numbers import format_decimal
from litestar import get, post
from litestar.di import NamedDependency
from litestar.response.base import ASGIResponse

from guichet.console.access import EDITORS
from guichet.console.settings.pictures import take_pictures
from guichet.console.settings.preview import preview_context
from guichet.console.settings.sections import SectionPage, save_posted, show_section
from guichet.console.visit import Visit
from guichet.theming.contrast import TEXT_RATIO
from guichet.theming.locale import Speech, speech
from guichet.theming.pages import Pages
from guichet.theming.palette import Correction
from guichet.theming.themes import PLAIN, Theme
from tenants.branding import Branding
from tenants.mistakes import Mistake

_PAGE = SectionPage("branding", "/branding", "branding.html")


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


_UNREADABLE = _(
    "%(given)s has a contrast of %(before)s to 1 where text needs %(needed)s to 1 (WCAG 2.2, "
    "1.4.3). Pages use %(used)s there, with %(after)s to 1."
)
_REFUSED = _("“%(given)s” cannot be used with this theme. Pages use %(used)s.")


class Note(msgspec.Struct, frozen=True):
    """What pages use in the place of a value of the draft, and why."""

    given: str
    used: str
    text: str
    #: Whether both are colours, to be shown as such.
    is_colour: bool


class Checked(msgspec.Struct, frozen=True):
    """A branding as pages will have it."""

    #: The theme that is used; plain where the chosen one is not offered any more.
    theme: Theme
    #: By the field's name.
    notes: dict[str, Note]


def check_branding(pages: Pages, words: Speech, branding: Branding) -> Checked:
    """What a branding becomes, with every value that is not used as given."""
    slug = branding.theme if pages.offers(branding.theme) else PLAIN
    sheet = pages.branding_stylesheet(branding, slug)
    notes = {f"branding.{it.setting}": _note(words, it) for it in sheet.corrections}
    return Checked(pages.themes[slug], notes)


def _note(words: Speech, correction: Correction) -> Note:
    is_colour = correction.reason == "unreadable"
    text = words.gettext(
        _UNREADABLE if is_colour else _REFUSED,
        given=correction.given,
        used=correction.used,
        needed=_ratio(TEXT_RATIO, words),
        before=_ratio(correction.ratio_given, words),
        after=_ratio(correction.ratio_used, words),
    )
    return Note(correction.given, correction.used, text, is_colour)


def _ratio(value: float, words: Speech) -> str:
    """Rounded down, as what has not reached a limit must not seem to."""
    return format_decimal(math.floor(value * 100) / 100, "0.0#", locale=words.code)


async def _context(visit: Visit) -> dict[str, object]:
    pages = visit.deployment.pages
    offered = [theme for theme in pages.themes.values() if theme.file.offered]
    themes = sorted(offered, key=lambda theme: theme.slug != PLAIN)
    return {
        "themes": themes,
        "fonts": sorted({name for theme in themes for name in theme.file.fonts}),
        "check": partial(check_branding, pages, speech(visit.locale)),
        "pictures": visit.path("/pictures"),
        **await preview_context(visit),
    }


@get("/merchants/{merchant:str}/branding", opt=EDITORS)
async def branding(visit: NamedDependency[Visit]) -> ASGIResponse:
    """What the draft says, and what contrast makes of it."""
    return await show_section(visit, _PAGE, **await _context(visit))


@post("/merchants/{merchant:str}/branding", opt=EDITORS)
async def save_branding(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Keep the pictures, and save the rest into the draft."""
    found = await take_pictures(visit)
    # A document may name a theme that comes with a later release; this form offers what there is.
    if not visit.deployment.pages.offers(visit.form.get("branding.theme", "")):
        found += (Mistake("branding.theme", _("Choose one of the themes.")),)
    return await save_posted(visit, _PAGE, found, **await _context(visit))


HANDLERS = (branding, save_branding)
