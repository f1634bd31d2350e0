"""An agency's merchants in one table, and what is done to one of them from there."""

from typing import Annotated, get_args
from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response.base import ASGIResponse

from guichet.audit import Actor
from guichet.console.access import AGENCY
from guichet.console.agency.marks import Mark, marks
from guichet.console.visit import Visit
from guichet.errors import InvalidInput, NotFound
from guichet.metrics.portfolio import PAGE, Key, Merchant, Show, list_by_name, list_by_slug
from guichet.money import Money
from guichet.tenancy import Registry
from tenants.tenant import Status, UnknownTenant

_LONGEST_SEARCH = 100
_LONGEST_REASON = 500


class NoReason(InvalidInput):
    """Please say why in up to 500 characters: whoever reads the audit log later wants to know."""

    code = "no_reason"


class Line(msgspec.Struct, frozen=True):
    """A merchant as the table shows it."""

    merchant: Merchant
    mrr: tuple[Money, ...]
    marks: tuple[Mark, ...]
    portal_url: str


class Listing(msgspec.Struct, frozen=True):
    """What was asked for: words of a search, which ones, by what, and behind whom."""

    search: str
    show: Show
    sort: str
    after: str

    def address(self, **changes: str) -> str:
        """The address of the list with something else asked for."""
        wanted = msgspec.structs.asdict(self) | {"after": ""} | changes
        named = {"q": wanted["search"], "show": wanted["show"], "sort": wanted["sort"]}
        usual = {"q": "", "show": "all", "sort": "name"}
        asked = {name: value for name, value in named.items() if value != usual[name]}
        if wanted["after"]:
            asked["after"] = wanted["after"]
        return f"?{urlencode(asked)}" if asked else "?"


@get("/agencies/{agency:str}", opt=AGENCY)
async def merchants(
    visit: NamedDependency[Visit],
    search: Annotated[str, QueryParameter(name="q", max_length=_LONGEST_SEARCH)] = "",
    show: Annotated[str, QueryParameter(max_length=20)] = "all",
    sort: Annotated[str, QueryParameter(max_length=20)] = "name",
    after: Annotated[str, QueryParameter(max_length=300)] = "",
) -> ASGIResponse:
    """The table of all merchants, fifty at a time."""
    if "\0" in search + after:
        raise NotFound
    kind = show if show in get_args(Show) else "all"
    listing = Listing(
        search.strip(), msgspec.convert(kind, Show), "slug" if sort == "slug" else "name", after
    )
    found = await _find(visit, listing)
    page, further = found[:PAGE], found[PAGE:]
    return visit.page(
        "agency_merchants.html",
        lines=tuple(_line(visit, it) for it in page),
        listing=listing,
        is_filtered=bool(listing.search) or listing.show != "all",
        next_url=listing.address(after=_key(page[-1], listing.sort)) if further else "",
        first_url=listing.address() if listing.after else "",
    )


@post("/agencies/{agency:str}/merchants/{slug:str}/suspend", opt=AGENCY)
async def suspend(
    visit: NamedDependency[Visit], slug: Annotated[str, PathParameter(max_length=64)]
) -> ASGIResponse:
    """Close a merchant's portal."""
    return await _set_status(visit, slug, "suspended")


@post("/agencies/{agency:str}/merchants/{slug:str}/resume", opt=AGENCY)
async def resume(
    visit: NamedDependency[Visit], slug: Annotated[str, PathParameter(max_length=64)]
) -> ASGIResponse:
    """Open it again."""
    return await _set_status(visit, slug, "active")


async def _set_status(visit: Visit, slug: str, status: Status) -> ASGIResponse:
    reason = visit.form.get("reason", "").strip()
    if not reason or len(reason) > _LONGEST_REASON:
        raise NoReason
    registry = Registry(
        visit.deployment.settings,
        visit.deployment.db,
        Actor("staff", visit.staff.email),
        visit.request_id,
    )
    try:
        await registry.set_status(slug, status, reason, visit.place.slug)
    except UnknownTenant:
        raise NotFound from None
    return visit.redirect(visit.path(f"?{urlencode({'q': slug})}"))


async def _find(visit: Visit, listing: Listing) -> list[Merchant]:
    agency_id = visit.place.id
    async with visit.deployment.db.agency(agency_id) as connection:
        if listing.sort == "slug":
            return await list_by_slug(
                connection, agency_id, listing.after, listing.search, listing.show
            )
        name, _, slug = listing.after.rpartition("/")
        key = Key(name, slug)
        return await list_by_name(connection, agency_id, key, listing.search, listing.show)


def _key(last: Merchant, sort: str) -> str:
    # A slug has no slash, so the last one parts the two.
    return last.slug if sort == "slug" else f"{last.sort_name}/{last.slug}"


def _line(visit: Visit, merchant: Merchant) -> Line:
    directory = visit.deployment.directory
    entry = directory.by_id(merchant.id)
    return Line(
        merchant,
        tuple(Money(amount, currency) for currency, amount in merchant.mrr.items()),
        marks(merchant.health) if merchant.computed_at else (),
        directory.url(entry) if entry else "",
    )


HANDLERS = (merchants, suspend, resume)
