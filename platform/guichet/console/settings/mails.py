"""Which mails customers get, from whom, and how long before something happens."""

from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.response.base import ASGIResponse

from guichet.auth.staff.preview_links import open_preview
from guichet.console.access import EDITORS
from guichet.console.publishing.labels import VALUES
from guichet.console.settings.sections import SectionPage, save_posted, show_section
from guichet.console.visit import Visit
from guichet.theming.locale import LANGUAGES
from guichet.web.previews import FORMS, SCHEMES, MailLook
from tenants.mails import MAIL_KINDS

_PAGE = SectionPage("mails", "/mails", "mails.html")
_KINDS = tuple((kind, VALUES[kind]) for kind in MAIL_KINDS)


class MailFrame(msgspec.Struct, frozen=True):
    """What the frame shows first, and what can be chosen for it."""

    #: Where the form that chooses asks, on the preview's own host.
    action: str
    look: MailLook
    kinds: dict[str, str]
    forms: dict[str, str]
    schemes: dict[str, str]
    languages: dict[str, str]

    @property
    def url(self) -> str:
        """The mail that is shown first."""
        return f"{self.action}?{urlencode(msgspec.structs.asdict(self.look))}"


@get("/merchants/{merchant:str}/mails", opt=EDITORS)
async def mails(visit: NamedDependency[Visit]) -> ASGIResponse:
    """What the draft says."""
    return await show_section(visit, _PAGE, **await _context(visit))


@post("/merchants/{merchant:str}/mails", opt=EDITORS)
async def save_mails(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Save it into the draft."""
    return await save_posted(visit, _PAGE, **await _context(visit))


HANDLERS = (mails, save_mails)


async def _context(visit: Visit) -> dict[str, object]:
    settings = visit.deployment.settings
    async with visit.deployment.db.unit(visit.place.id) as unit:
        token = await open_preview(unit, settings.master_keys, visit.staff.id)
    action = visit.deployment.directory.preview_url(f"/{visit.place.slug}/{token}/mail")
    look = MailLook(locale=visit.locale)
    frame = MailFrame(action, look, dict(_KINDS), FORMS, SCHEMES, LANGUAGES)
    is_sent = b"done=test" in visit.scope["query_string"]
    return {"kinds": _KINDS, "preview": frame, "is_sent": is_sent}
