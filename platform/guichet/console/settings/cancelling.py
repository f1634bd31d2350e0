"""Whether and how customers may cancel, and what they are asked."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.response.base import ASGIResponse

from guichet.console.access import EDITORS
from guichet.console.settings.preview import preview_context
from guichet.console.settings.sections import SectionPage, save_posted, show_section
from guichet.console.visit import Visit

_PAGE = SectionPage("cancel", "/cancelling", "cancelling.html")
#: As many as the type takes.
_MOST_REASONS = 10


@get("/merchants/{merchant:str}/cancelling", opt=EDITORS)
async def cancelling(visit: NamedDependency[Visit]) -> ASGIResponse:
    """What the draft says."""
    return await show_section(visit, _PAGE, **await _context(visit))


@post("/merchants/{merchant:str}/cancelling", opt=EDITORS)
async def save_cancelling(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Save it into the draft."""
    return await save_posted(visit, _PAGE, **await _context(visit))


async def _context(visit: Visit) -> dict[str, object]:
    return {**await preview_context(visit, "cancel"), "most_reasons": _MOST_REASONS}


HANDLERS = (cancelling, save_cancelling)
