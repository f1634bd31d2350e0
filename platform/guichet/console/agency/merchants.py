"""An agency's merchants in one table."""

from typing import Annotated, get_args
from urllib.parse import urlencode

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response.base import ASGIResponse

from guichet.console.access import AGENCY
from guichet.console.agency.marks import Mark, marks
from guichet.console.visit import Visit
from guichet.errors import NotFound
from guichet.metrics.portfolio import PAGE, Key, Merchant, Show, list_by_name, list_by_slug
from guichet.money import Money

_LONGEST_SEARCH = 100
#: So many pages back lead links; from farther on the first one is.
_LONGEST_TRAIL = 20


class Line(msgspec.Struct, frozen=True):
    """A merchant as the table shows it."""

    slug: str
    name: str
    is_suspended: bool
    #: False until figures were counted for the first time.
    is_counted: bool
    customers: int
    failed: int
    recovered: int
    mrr: tuple[Money, ...]
    marks: tuple[Mark, ...]


class Listing(msgspec.Struct, frozen=True):
    """What was asked for: words of a search, which ones, by what, and behind whom.

    Pages are found by keys, which lead on alone; `trail` has those of the pages before this one.
    """

    search: str
    show: Show
    sort: str
    after: str = ""
    trail: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        """The address of the first page."""
        return self._address("", ())

    @property
    def previous(self) -> str:
        """The address of the page that led here; empty where none did."""
        return self._address(self.trail[-1], self.trail[:-1]) if self.trail else ""

    def next(self, after: str) -> str:
        """The address of the page behind a key."""
        return self._address(after, (*self.trail, self.after)[-_LONGEST_TRAIL:])

    def _address(self, after: str, trail: tuple[str, ...]) -> str:
        named = {"q": self.search, "show": self.show, "sort": self.sort, "after": after}
        usual = {"q": "", "show": "all", "sort": "name", "after": ""}
        asked = [(name, value) for name, value in named.items() if value != usual[name]]
        return f"?{urlencode([*asked, *(('from', key) for key in trail)])}"


@get("/agencies/{agency:str}", opt=AGENCY)
async def merchants(
    visit: NamedDependency[Visit],
    search: Annotated[str, QueryParameter(name="q", max_length=_LONGEST_SEARCH)] = "",
    show: Annotated[str, QueryParameter(max_length=20)] = "all",
    sort: Annotated[str, QueryParameter(max_length=20)] = "name",
    after: Annotated[str, QueryParameter(max_length=300)] = "",
    trail: Annotated[list[str] | None, QueryParameter(name="from")] = None,
) -> ASGIResponse:
    """The table of all merchants, twenty at a time."""
    if "\0" in search + after:
        raise NotFound
    kind = show if show in get_args(Show) else "all"
    listing = Listing(
        search.strip(),
        msgspec.convert(kind, Show),
        "slug" if sort == "slug" else "name",
        after,
        tuple(trail or ())[-_LONGEST_TRAIL:],
    )
    found = await _find(visit, listing)
    page, further = found[:PAGE], found[PAGE:]
    return visit.page(
        "agency_merchants.html",
        lines=tuple(_line(it) for it in page),
        listing=listing,
        is_filtered=bool(listing.search) or listing.show != "all",
        next_url=listing.next(_key(page[-1], listing.sort)) if further else "",
        first_url=listing.first if listing.after else "",
    )


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


def _line(it: Merchant) -> Line:
    return Line(
        it.slug,
        it.name,
        it.status == "suspended",
        it.computed_at is not None,
        it.customers,
        it.failed,
        it.recovered,
        tuple(Money(amount, currency) for currency, amount in it.mrr.items()),
        marks(it.health),
    )


HANDLERS = (merchants,)
