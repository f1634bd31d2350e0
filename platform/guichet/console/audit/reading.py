"""Rows of an audit log, newest first, paged by their moment and id."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec

from guichet.db import Connection, Database
from tenants.staff import Kind

#: Of so many of the latest rows the page's filters name the people and the kinds of acts.
_LATEST = 1000
_MOST_CHOICES = 100
_LONGEST = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(9999, 1, 1, tzinfo=UTC)
# Microseconds are what PostgreSQL keeps of a moment.
_KEY = re.compile(r"([0-9]{1,18})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.ASCII)
_LAST_ID = UUID(int=2**128 - 1)


class Entry(msgspec.Struct, frozen=True):
    """One row."""

    id: UUID
    at: datetime
    actor_kind: str
    actor: str
    action: str
    object: str
    #: A JSON object.
    details: str
    request_id: str | None

    @property
    def key(self) -> str:
        """Where the page after this row begins."""
        micros = (self.at - _EPOCH) // timedelta(microseconds=1)
        return f"{micros}-{self.id}"


class Filters(msgspec.Struct, frozen=True):
    """What is looked for; an empty text is anything."""

    actor: str = ""
    #: A whole action, or what stands before its dot.
    action: str = ""
    object: str = ""
    #: Days in UTC, as `2026-11-24`, both of them included.
    since: str = ""
    until: str = ""

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The names of days that are none; such a filter is left out."""
        days = {"since": self.since, "until": self.until}
        return tuple(name for name, text in days.items() if text and _day(text) is None)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From the first moment on, up to and without the second."""
        since, until = _day(self.since), _day(self.until)
        end = until + timedelta(days=1) if until and until < _END else _END
        return since or _EPOCH, end


class Choices(msgspec.Struct, frozen=True):
    """What the filters offer."""

    actors: tuple[str, ...]
    families: tuple[str, ...]


def read_filters(given: dict[str, str]) -> Filters:
    """The filters of a page's query."""
    # No text in PostgreSQL has a NUL in it.
    texts = {name: given.get(name, "").replace("\0", "") for name in Filters.__struct_fields__}
    return Filters(**{name: text.strip()[:_LONGEST] for name, text in texts.items()})


async def read_entries(
    db: Database, kind: Kind, workspace_id: UUID, filters: Filters, after: str, limit: int
) -> list[Entry]:
    """The rows that come after the one with this key; from the newest on where there is none."""
    if kind == "agency":
        async with db.agency(workspace_id) as connection:
            return await _read_agency(connection, workspace_id, filters, after, limit)
    async with db.unit(workspace_id) as unit:
        return await _read_tenant(unit.connection, workspace_id, filters, after, limit)


async def _read_tenant(
    connection: Connection, tenant_id: UUID, filters: Filters, after: str, limit: int
) -> list[Entry]:
    rows = await connection.fetch(
        """
        select id, at, actor_kind, actor, action, object, details::text as details, request_id
        from audit_log
        where tenant_id = $1
        and (at, id) < ($2, $3)
        and at >= $4
        and at < $5
        and ($6::text = '' or actor = $6)
        and ($7::text = '' or action = $7 or starts_with(action, $7 || '.'))
        and ($8::text = '' or object = $8)
        order by at desc, id desc
        limit $9
        """,
        tenant_id,
        *_arguments(filters, after, limit),
    )
    return [Entry(**row) for row in rows]


async def _read_agency(
    connection: Connection, agency_id: UUID, filters: Filters, after: str, limit: int
) -> list[Entry]:
    rows = await connection.fetch(
        """
        select id, at, actor_kind, actor, action, object, details::text as details, request_id
        from agency_audit_log
        where agency_id = $1
        and (at, id) < ($2, $3)
        and at >= $4
        and at < $5
        and ($6::text = '' or actor = $6)
        and ($7::text = '' or action = $7 or starts_with(action, $7 || '.'))
        and ($8::text = '' or object = $8)
        order by at desc, id desc
        limit $9
        """,
        agency_id,
        *_arguments(filters, after, limit),
    )
    return [Entry(**row) for row in rows]


def _arguments(filters: Filters, after: str, limit: int) -> tuple[object, ...]:
    at, id_ = read_key(after)
    since, end = filters.span
    return (at, id_, since, end, filters.actor, filters.action, filters.object, limit)


def read_key(text: str) -> tuple[datetime, UUID]:
    """The moment and id of a key; beyond every row for what is none."""
    found = _KEY.fullmatch(text)
    if found is None:
        return _END, _LAST_ID
    try:
        return _EPOCH + timedelta(microseconds=int(found[1])), UUID(found[2])
    except OverflowError:
        return _END, _LAST_ID


def _day(text: str) -> datetime | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(found.year, found.month, found.day, tzinfo=UTC)


async def read_choices(db: Database, kind: Kind, workspace_id: UUID) -> Choices:
    """Who acted lately, and kinds of what was done."""
    latest = await _latest(db, kind, workspace_id)
    actors = dict.fromkeys(actor for actor, _ in latest)
    families = sorted({action.partition(".")[0] for _, action in latest})
    return Choices(tuple(actors)[:_MOST_CHOICES], tuple(families)[:_MOST_CHOICES])


async def _latest(db: Database, kind: Kind, workspace_id: UUID) -> Sequence[tuple[str, str]]:
    if kind == "agency":
        async with db.agency(workspace_id) as connection:
            rows = await connection.fetch(
                """
                select actor, action
                from agency_audit_log
                where agency_id = $1
                order by at desc
                limit $2
                """,
                workspace_id,
                _LATEST,
            )
    else:
        async with db.unit(workspace_id) as unit:
            rows = await unit.fetch(
                """
                select actor, action
                from audit_log
                where tenant_id = $1
                order by at desc
                limit $2
                """,
                workspace_id,
                _LATEST,
            )
    return [(row["actor"], row["action"]) for row in rows]
