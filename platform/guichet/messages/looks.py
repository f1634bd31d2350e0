"""A merchant's brand as mails show it: colours that are written out, a logo that programs draw."""

from collections import OrderedDict
from uuid import UUID

import msgspec

from guichet.db import Database, Unit
from guichet.messages.facts import one_line
from guichet.tenancy import Directory, TenantEntry
from guichet.theming.branding import resolve_tokens
from guichet.theming.contrast import legible
from guichet.theming.pages import Pages
from guichet.theming.themes import PLAIN
from tenants.branding import Branding, Link
from tenants.configuration import Configuration
from tenants.web_addresses import is_web_address

_KEPT = 1000
_INNER_RADIUS = 12
#: Most mail programs draw these, and none of them is able to draw an SVG everywhere.
_DRAWN = frozenset({"image/png", "image/jpeg", "image/gif"})


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Colours, fonts and corners. `colours` are written into the mail; `dark` replace them where
    the reader's program is dark, and are None for a merchant with one scheme only.
    """

    scheme: str
    colours: dict[str, str]
    dark: dict[str, str] | None
    #: Stacks of fonts for the text, and a declaration for titles.
    font: str
    display: str
    radius: int
    inner_radius: int


class MailBrand(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail says of its merchant."""

    name: str
    theme: str
    look: Look
    #: Absolute addresses, empty for none.
    logo: str
    logo_dark: str
    support_email: str
    links: tuple[Link, ...]
    configuration: Configuration


class MailBrands:
    """The brands of the merchants who sent mails lately."""

    def __init__(self, db: Database, directory: Directory, pages: Pages) -> None:
        self._db = db
        self._directory = directory
        self._pages = pages
        self._kept: OrderedDict[UUID, tuple[TenantEntry, MailBrand]] = OrderedDict()

    async def brand(self, tenant: TenantEntry) -> MailBrand:
        """The brand of the tenant as it is now."""
        known = self._kept.get(tenant.id)
        if known is not None and known[0] == tenant:
            self._kept.move_to_end(tenant.id)
            return known[1]
        made = await self._make(tenant)
        self._kept[tenant.id] = (tenant, made)
        self._kept.move_to_end(tenant.id)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return made

    async def _make(self, tenant: TenantEntry) -> MailBrand:
        configuration = (await self._directory.published(tenant)).configuration
        branding = configuration.branding
        logo, logo_dark = [
            await self._logo(tenant, it) for it in (branding.logo, branding.logo_dark)
        ]
        return make_brand(self._pages, tenant.name, tenant.slug, configuration, logo, logo_dark)

    async def _logo(self, tenant: TenantEntry, asset_id: str) -> str:
        if not asset_id:
            return ""
        async with self._db.unit(tenant.id) as unit:
            drawn = await is_drawn(unit, asset_id)
        return self._directory.url(tenant, picture_path(asset_id)) if drawn else ""


async def is_drawn(unit: Unit, asset_id: str) -> bool:
    """Whether mail programs draw this picture; False where there is none."""
    media_type = await unit.fetchval(
        """
        select media_type
        from assets
        where tenant_id = $1
        and id = $2
        """,
        unit.tenant_id,
        asset_id,
    )
    return media_type in _DRAWN


def picture_path(asset_id: str) -> str:
    """Where a picture is on its portal."""
    return f"/assets/pictures/{asset_id}"


def make_brand(
    pages: Pages,
    tenant_name: str,
    slug: str,
    configuration: Configuration,
    logo: str,
    logo_dark: str,
) -> MailBrand:
    """What the mails of a configuration say of their merchant; logos are addresses, or empty."""
    branding = configuration.branding
    name = configuration.mails.sender_name or tenant_name
    return MailBrand(
        name=one_line(name, 120) or slug,
        theme=branding.theme,
        look=make_look(pages, branding),
        logo=logo,
        logo_dark=logo_dark,
        support_email=configuration.support_email,
        links=tuple(
            Link(one_line(link.label, 60), link.url)
            for link in branding.links
            if is_web_address(link.url, ("https", "http")) and link.url.isprintable()
        ),
        configuration=configuration,
    )


def make_look(pages: Pages, branding: Branding) -> Look:
    """The tokens of a branding, in the scheme that its portal has."""
    theme = pages.themes.get(branding.theme, pages.themes[PLAIN])
    tokens = resolve_tokens(branding, theme)
    light, dark = _on_sunken(tokens.light), _on_sunken(tokens.dark)
    radius = int(tokens.shape["radius"].removesuffix("px"))
    scheme = branding.scheme if branding.scheme in ("light", "dark") else "auto"
    return Look(
        scheme={"auto": "light dark", "light": "light only", "dark": "dark"}[scheme],
        colours=dark if scheme == "dark" else light,
        dark=dark if scheme == "auto" else None,
        font=tokens.shape["font-body"],
        display=f"font-family:{tokens.shape['font-display']};",
        radius=radius,
        inner_radius=min(radius, _INNER_RADIUS),
    )


def _on_sunken(colours: dict[str, str]) -> dict[str, str]:
    quiet = legible(colours["muted"], (colours["sunken"],))
    return colours | {"sunken-muted": quiet}
