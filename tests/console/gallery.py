"""A page with every part of the console, shown in a window without a server."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

from playwright.async_api import Browser, Page, Route

from guichet.console.shell import ConsoleShell, navigation
from guichet.theming.pages import Pages
from guichet.theming.themes import themes_directory
from guichet.web.languages import language_links
from tenants.staff import Staff, Workspace
from tests.console.windows import Look

_GALLERY = Path(__file__).with_name("gallery.html")
#: As long as names are.
_PLACE = Workspace(
    kind="merchant",
    id=UUID(int=1),
    slug="lumen",
    name="Compagnie générale des abonnements",
    role="owner",
    agency="atelier",
)
_PERSON = Staff(UUID(int=2), "camille@example.com", "Camille Martin-Desmoulins de la Tour", None)
_FIELDS = {
    "name": "Lumen",
    "accent": "#1d5c4f",
    "enabled": "on",
    "when": "end",
    "off[receipt]": "on",
    "headline.en": "Hello",
    "css": ".portal { color: red }",
    "days": "21",
}
MISTAKES = {
    "name": "This name is taken.",
    "days": "Please enter a number.",
    "off": "One of these has to be sent.",
    "headline.fr": "This text is too long.",
    "logo": "This picture is too large.",
}
_PAGES = Pages(themes_directory())


def _gallery(locale: str, mistakes: dict[str, str]) -> str:
    """A page with every part that the console has."""
    here = "/merchants/lumen/branding"
    shell = ConsoleShell(
        locale=locale,
        scripts=(_PAGES.script("console.js"), _PAGES.script("saving.js")),
        csrf="a-token",
        path=here,
        request_id="a-request",
        languages=language_links(locale, here),
        staff=_PERSON,
        place=_PLACE,
        workspaces=(_PLACE,),
        navigation=navigation(_PLACE, here),
        portal_url="http://lumen.localhost/",
        has_draft=True,
    )
    environment = _PAGES.template("console", "layout.html", locale).environment
    template = environment.from_string(_GALLERY.read_text())
    return template.render(shell=shell, fields=_FIELDS, mistakes=mistakes)


@contextlib.asynccontextmanager
async def show_gallery(
    browser: Browser, look: Look, mistakes: dict[str, str], **options: bool
) -> AsyncIterator[Page]:
    """The gallery in a window of its own."""
    context = await browser.new_context(
        reduced_motion="reduce",
        viewport={"width": look.width, "height": 900},
        **options,  # type: ignore[arg-type]
    )
    html = _gallery(look.locale, mistakes)

    async def answer(route: Route) -> None:
        asset = _PAGES.asset("/" + route.request.url.split("/", 3)[3])
        body, kind = (asset.body, asset.media_type) if asset else (html, "text/html; charset=utf-8")
        await route.fulfill(body=body, content_type=kind)

    await context.route("**/*", answer)
    page = await context.new_page()
    await page.goto("http://console.localhost/gallery")
    yield page
    await context.close()
