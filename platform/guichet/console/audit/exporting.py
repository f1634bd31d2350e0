"""An audit log as a CSV file, read in batches and sent while it is read."""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from datetime import UTC
from uuid import UUID

from guichet.console.audit.reading import Entry, Filters, read_entries
from guichet.db import Database
from tenants.staff import Kind

#: The newest rows that a file has at most.
MOST_ROWS = 100_000
_BATCH = 1000
_HEADS = ("at", "actor_kind", "actor", "action", "object", "details", "request_id")
#: What spreadsheets take for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


async def export(
    db: Database, kind: Kind, workspace_id: UUID, filters: Filters, most: int = MOST_ROWS
) -> AsyncIterator[bytes]:
    """The file in pieces; each batch is a transaction of its own, so nothing is held for long."""
    yield _lines([_HEADS])
    after, left = "", most
    while left > 0:
        size = min(_BATCH, left)
        entries = await read_entries(db, kind, workspace_id, filters, after, size)
        if entries:
            yield _lines(_row(entry) for entry in entries)
            after = entries[-1].key
        left = left - size if len(entries) == size else 0


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        entry.at.astimezone(UTC).isoformat(),
        entry.actor_kind,
        entry.actor,
        entry.action,
        entry.object,
        entry.details,
        entry.request_id or "",
    )


def _lines(rows: Iterable[tuple[str, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _harmless(cell: str) -> str:
    """With an apostrophe before what would be a formula where the file is opened."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
