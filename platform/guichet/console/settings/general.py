"""The portal's own language and the address for questions: two sections, each a form of its own."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.response.base import ASGIResponse

from guichet.console.access import EDITORS
from guichet.console.settings.sections import SectionPage, save_posted, show_section
from guichet.console.visit import Visit
from guichet.theming.locale import LANGUAGES

_LOCALE = SectionPage("locale", "/general", "general.html")
_SUPPORT = SectionPage("support_email", "/general", "general.html")


def _context(visit: Visit, section: str) -> dict[str, object]:
    """Beside what each settings page has: whose form was sent, and where both forms go."""
    return {"known_languages": LANGUAGES, "section": section, "here": visit.path("/general")}


@get("/merchants/{merchant:str}/general", opt=EDITORS)
async def general(visit: NamedDependency[Visit]) -> ASGIResponse:
    """What the draft says."""
    return await show_section(visit, _LOCALE, **_context(visit, "locale"))


@post("/merchants/{merchant:str}/general/language", opt=EDITORS)
async def save_language(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Save the language into the draft."""
    return await save_posted(visit, _LOCALE, **_context(visit, "locale"))


@post("/merchants/{merchant:str}/general/support", opt=EDITORS)
async def save_support(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Save the address into the draft."""
    return await save_posted(visit, _SUPPORT, **_context(visit, "support_email"))


HANDLERS = (general, save_language, save_support)
