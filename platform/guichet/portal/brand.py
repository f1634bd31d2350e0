"""What all pages of one published version share, made once for that version."""

from collections import OrderedDict
from uuid import UUID

import msgspec

from guichet.tenancy import Directory, TenantEntry
from guichet.theming.branding import Stylesheet
from guichet.theming.locale import LANGUAGES
from guichet.theming.pages import Pages
from tenants.branding import Link
from tenants.configuration import Configuration, Published
from tenants.texts import Words, words_in
from tenants.web_addresses import is_web_address

# With its configuration a brand takes some 7 kB. A tenant that is pushed out costs its next
# visitor four statements and a millisecond, so all that are active should fit.
_KEPT = 10_000


class Brand(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's look as addresses that can go into a page, and its configuration."""

    version: int
    configuration: Configuration
    theme: str
    stylesheets: tuple[str, ...]
    stylesheet: Stylesheet
    script: str
    logo: str
    logo_dark: str
    icon: str
    #: The merchant's own words, by language.
    texts: dict[str, Words]
    links: tuple[Link, ...]


def make_brand(pages: Pages, published: Published) -> Brand:
    """Work out the brand of a published version; a theme that is gone falls back to plain."""
    branding = published.configuration.branding
    theme = branding.theme if pages.offers(branding.theme) else "plain"
    stylesheet = pages.branding_stylesheet(branding, theme)
    return Brand(
        version=published.version,
        configuration=published.configuration,
        theme=theme,
        # A page may ask for its stylesheet where another version is known by then, or not yet.
        stylesheets=(*pages.stylesheet_urls(theme), f"{stylesheet.path}?{published.version}"),
        stylesheet=stylesheet,
        script=pages.script("portal.js"),
        logo=_picture(branding.logo),
        logo_dark=_picture(branding.logo_dark or branding.logo),
        icon=_picture(branding.favicon),
        texts={code: words_in(published.configuration.texts, code) for code in LANGUAGES},
        # Checked when they are published, and once more before somebody clicks on one.
        links=tuple(link for link in branding.links if is_web_address(link.url)),
    )


def _picture(asset_id: str) -> str:
    return f"/assets/pictures/{asset_id}" if asset_id else ""


class Brands:
    """The brands of the tenants seen last, by version."""

    def __init__(self, pages: Pages, directory: Directory, kept: int = _KEPT) -> None:
        self._pages = pages
        self._directory = directory
        self._kept = kept
        self._brands: OrderedDict[UUID, Brand] = OrderedDict()

    async def brand(self, tenant: TenantEntry) -> Brand:
        """The brand of a tenant's published version."""
        known = self._brands.get(tenant.id)
        if known is not None and known.version == tenant.published_version:
            self._brands.move_to_end(tenant.id)
            return known
        made = make_brand(self._pages, await self._directory.published(tenant))
        self._brands[tenant.id] = made
        self._brands.move_to_end(tenant.id)
        if len(self._brands) > self._kept:
            self._brands.popitem(last=False)
        return made
