"""The page of an audit log and its file; routes name the workspace's kind."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar.response import Stream
from litestar.response.base import ASGIResponse

from guichet.console.audit.exporting import export
from guichet.console.audit.reading import Filters, read_choices, read_entries, read_filters
from guichet.console.audit.words import tell
from guichet.console.visit import Visit
from guichet.errors import MalformedRequest

_PAGE = 50


async def show(visit: Visit) -> ASGIResponse:
    """The rows that the filters let through, newest first."""
    place, db = visit.place, visit.deployment.db
    given = _query(visit)
    filters = read_filters(given)
    entries = await read_entries(
        db, place.kind, place.id, filters, given.get("after", ""), _PAGE + 1
    )
    return visit.page(
        "audit.html",
        rows=[tell(entry) for entry in entries[:_PAGE]],
        filters=filters,
        choices=await read_choices(db, place.kind, place.id),
        path=visit.path("/audit"),
        is_filtered=bool(_set(filters)),
        next_url=_url(visit, filters, entries[_PAGE - 1].key) if len(entries) > _PAGE else "",
        first_url=_url(visit, filters) if given.get("after") else "",
        csv_url=visit.path(f"/audit.csv?{urlencode(_set(filters))}"),
    )


def send_file(visit: Visit) -> Stream:
    """The same rows as a CSV file."""
    place = visit.place
    filters = read_filters(_query(visit))
    day = datetime.now(UTC).date().isoformat()
    name = f"audit-{place.slug}-{day}.csv"
    return Stream(
        export(visit.deployment.db, place.kind, place.id, filters),
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _query(visit: Visit) -> dict[str, str]:
    text = visit.scope["query_string"].decode("latin-1")
    try:
        return dict(parse_qsl(text, max_num_fields=20))
    except ValueError:
        raise MalformedRequest from None


def _set(filters: Filters) -> dict[str, str]:
    return {name: text for name, text in msgspec.structs.asdict(filters).items() if text}


def _url(visit: Visit, filters: Filters, after: str = "") -> str:
    query = _set(filters) | ({"after": after} if after else {})
    return visit.path(f"/audit?{urlencode(query)}")
