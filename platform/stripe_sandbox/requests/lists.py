"""Stripe's lists: newest first, paged by the id of the last or first object seen."""

from collections.abc import Callable
from itertools import islice

from stripe_sandbox.requests.errors import invalid, missing
from stripe_sandbox.state.documents import Document, list_of, public
from stripe_sandbox.state.store import Position
from stripe_sandbox.state.unit import Unit


def page(
    unit: Unit,
    kind: str,
    url: str,
    params: Document,
    *,
    owner: str | None = None,
    tag: str | None = None,
    only: Callable[[Document], bool] = lambda document: True,
) -> Document:
    """One page of a kind. Raises 400 for a limit outside 1 to 100 or an unknown cursor."""
    limit = 10 if params.get("limit") is None else params["limit"]
    if not 1 <= limit <= 100:
        raise invalid(f"Invalid integer: limit must be between 1 and 100, got {limit}", "limit")
    _check_cursors(params)
    before = _cursor(unit, kind, params, "starting_after")
    after = _cursor(unit, kind, params, "ending_before")
    backwards = after is not None
    rows = unit.every(
        kind, owner=owner, tag=tag, before=before, after=after, oldest_first=backwards
    )
    found = list(islice((row for row in rows if only(row)), limit + 1))
    has_more = len(found) > limit
    found = found[:limit]
    if backwards:
        found.reverse()
    return list_of([public(document) for document in found], url, has_more=has_more)


def _check_cursors(params: Document) -> None:
    if params.get("starting_after") and params.get("ending_before"):
        raise invalid(
            "Received both ending_before and starting_after parameters. Please pass in only one.",
            "starting_after",
        )


def _cursor(unit: Unit, kind: str, params: Document, name: str) -> Position | None:
    identifier = params.get(name)
    if not identifier:
        return None
    position = unit.store.position(unit.account.id, kind, identifier)
    if position is None:
        raise missing(kind, identifier, name)
    return position


def slice_of(documents: list[Document], url: str, params: Document, noun: str) -> Document:
    """One page of documents that another one holds, first to last, such as an invoice's lines."""
    limit = 10 if params.get("limit") is None else params["limit"]
    if not 1 <= limit <= 100:
        raise invalid(f"Invalid integer: limit must be between 1 and 100, got {limit}", "limit")
    _check_cursors(params)
    ids = [each["id"] for each in documents]
    start, end = 0, len(ids)
    if after := params.get("starting_after"):
        start = _index(ids, after, noun, "starting_after") + 1
        end = start + limit
    elif before := params.get("ending_before"):
        end = _index(ids, before, noun, "ending_before")
        start = max(0, end - limit)
    else:
        end = limit
    shown = [public(each) for each in documents[start:end]]
    more = start > 0 if params.get("ending_before") else end < len(ids)
    return list_of(shown, url, has_more=more)


def _index(ids: list[str], identifier: str, noun: str, param: str) -> int:
    if identifier not in ids:
        raise missing(noun, identifier, param)
    return ids.index(identifier)
