"""The frame beside a settings page in which the portal is seen as the draft makes it."""

from urllib.parse import urlencode

import msgspec

from guichet.auth.staff.preview_links import open_preview
from guichet.console.visit import Visit
from guichet.theming.locale import LANGUAGES
from guichet.web.previews import PAGES, SCHEMES, STATES, Look


class PreviewFrame(msgspec.Struct, frozen=True):
    """What the frame shows first, and what can be chosen for it."""

    #: Where the form that chooses asks, on the preview's own host.
    action: str
    look: Look
    pages: dict[str, str]
    states: dict[str, str]
    schemes: dict[str, str]
    languages: dict[str, str]

    @property
    def url(self) -> str:
        """The page that is shown first."""
        return f"{self.action}?{urlencode(msgspec.structs.asdict(self.look))}"


async def preview_context(
    visit: Visit, page: str = "home", state: str = "active"
) -> dict[str, object]:
    """What a settings page's template needs for `preview_frame`, beginning with that page."""
    settings = visit.deployment.settings
    async with visit.deployment.db.unit(visit.place.id) as unit:
        token = await open_preview(unit, settings.master_keys, visit.staff.id)
    action = visit.deployment.directory.preview_url(f"/{visit.place.slug}/{token}/show")
    look = Look(page=page, state=state, locale=visit.locale)
    return {"preview": PreviewFrame(action, look, PAGES, STATES, SCHEMES, LANGUAGES)}
