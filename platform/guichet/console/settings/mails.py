"""Which mails customers get, from whom, and how long before something happens."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.response.base import ASGIResponse

from guichet.console.access import EDITORS
from guichet.console.publishing.labels import VALUES
from guichet.console.settings.sections import SectionPage, save_posted, show_section
from guichet.console.visit import Visit
from tenants.mails import MAIL_KINDS

_PAGE = SectionPage("mails", "/mails", "mails.html")
_KINDS = tuple((kind, VALUES[kind]) for kind in MAIL_KINDS)


@get("/merchants/{merchant:str}/mails", opt=EDITORS)
async def mails(visit: NamedDependency[Visit]) -> ASGIResponse:
    """What the draft says."""
    return await show_section(visit, _PAGE, kinds=_KINDS)


@post("/merchants/{merchant:str}/mails", opt=EDITORS)
async def save_mails(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Save it into the draft."""
    return await save_posted(visit, _PAGE, kinds=_KINDS)


HANDLERS = (mails, save_mails)
