"""What customers find in the portal: a switch for each ability."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.response.base import ASGIResponse

from guichet.console.access import EDITORS
from guichet.console.settings.preview import preview_context
from guichet.console.settings.sections import SectionPage, save_posted, show_section
from guichet.console.visit import Visit

_PAGE = SectionPage("features", "/features", "features.html")


@get("/merchants/{merchant:str}/features", opt=EDITORS)
async def features(visit: NamedDependency[Visit]) -> ASGIResponse:
    """What the draft says."""
    return await show_section(visit, _PAGE, **await preview_context(visit))


@post("/merchants/{merchant:str}/features", opt=EDITORS)
async def save_features(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Save it into the draft."""
    return await save_posted(visit, _PAGE, **await preview_context(visit))


HANDLERS = (features, save_features)
