"""The frame of a console's page: who is here, in which workspace, and where else they can go."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from guichet.console.access import AGENCY, EDITORS, READERS, SUPPORTERS, Access
from guichet.theming.shell import Language
from tenants.staff import Staff, Workspace


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class NavLink(msgspec.Struct, frozen=True):
    """A page of the workspace; the label is English and translated where it is shown."""

    label: str
    url: str
    #: A name in `icons.html`.
    icon: str
    #: `page` for this very page, `true` for one below it, empty for another.
    current: str


class NavGroup(msgspec.Struct, frozen=True):
    """Pages that belong together; the first group has no heading."""

    heading: str
    links: tuple[NavLink, ...]


class ConsoleShell(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the layout shows around a page. Every URL in it is ready for a page."""

    locale: str
    scripts: tuple[str, ...]
    csrf: str
    path: str
    request_id: str
    languages: tuple[Language, ...]
    staff: Staff | None = None
    #: The workspace that the address names.
    place: Workspace | None = None
    #: What else the person belongs to.
    workspaces: tuple[Workspace, ...] = ()
    navigation: tuple[NavGroup, ...] = ()
    #: The portal's own address, where the workspace is a merchant's.
    portal_url: str = ""
    #: Whether there are changes that nobody has published.
    has_draft: bool = False


class _Page(NamedTuple):
    label: str
    path: str
    access: Access
    icon: str


_MERCHANT: tuple[tuple[str, tuple[_Page, ...]], ...] = (
    (
        "",
        (
            _Page(_("Overview"), "", READERS["access"], "chart"),
            _Page(_("Customers"), "/customers", SUPPORTERS["access"], "people"),
        ),
    ),
    (
        _("Portal"),
        (
            _Page(_("General"), "/general", EDITORS["access"], "gear"),
            _Page(_("Branding"), "/branding", EDITORS["access"], "brush"),
            _Page(_("Texts"), "/texts", EDITORS["access"], "words"),
            _Page(_("Plans"), "/plans", EDITORS["access"], "tag"),
            _Page(_("Change rules"), "/changes", EDITORS["access"], "swap"),
            _Page(_("Cancelling"), "/cancelling", EDITORS["access"], "stop"),
            _Page(_("Features"), "/features", EDITORS["access"], "sliders"),
            _Page(_("Retries"), "/retries", EDITORS["access"], "retry"),
            _Page(_("Mails"), "/mails", EDITORS["access"], "mail"),
            _Page(_("Sign-in"), "/sign-in-providers", EDITORS["access"], "key"),
            _Page(_("Publish"), "/publish", EDITORS["access"], "send"),
        ),
    ),
    (
        _("Workspace"),
        (
            _Page(_("Connections"), "/connections", EDITORS["access"], "plug"),
            _Page(_("Domains"), "/domains", EDITORS["access"], "globe"),
            _Page(_("Members"), "/members", EDITORS["access"], "badge"),
            _Page(_("Audit log"), "/audit", EDITORS["access"], "log"),
        ),
    ),
)
_AGENCY: tuple[tuple[str, tuple[_Page, ...]], ...] = (
    (
        "",
        (
            _Page(_("Merchants"), "", AGENCY["access"], "shop"),
            _Page(_("Members"), "/members", AGENCY["access"], "badge"),
            _Page(_("Audit log"), "/audit", AGENCY["access"], "log"),
        ),
    ),
)


def workspace_path(place: Workspace, path: str = "") -> str:
    """The address of a page of a workspace, such as `/merchants/lumen/branding`."""
    folder = "agencies" if place.kind == "agency" else "merchants"
    return f"/{folder}/{place.slug}{path}"


def navigation(place: Workspace, here: str) -> tuple[NavGroup, ...]:
    """The pages of a workspace that this role may see; `here` is the path of the one shown."""
    groups = _AGENCY if place.kind == "agency" else _MERCHANT
    shown = (NavGroup(heading, tuple(_links(place, pages, here))) for heading, pages in groups)
    return tuple(group for group in shown if group.links)


def _links(place: Workspace, pages: Iterable[_Page], here: str) -> Iterable[NavLink]:
    for page in pages:
        if place.role in page.access.roles:
            url = workspace_path(place, page.path)
            yield NavLink(page.label, url, page.icon, _current(url, here, bool(page.path)))


def _current(url: str, here: str, has_below: bool) -> str:
    if here == url:
        return "page"
    return "true" if has_below and here.startswith(f"{url}/") else ""
