"""How the tenants' books stand, for the doctor."""

from datetime import UTC, datetime, timedelta

from guichet.billing.books import TenantBooks, list_books
from guichet.cli.checks import Finding
from guichet.db import LOST, connect
from guichet.settings import Settings

_MOST_TENANTS = 1000
#: Each tenant is checked once a day, and a check of a large account takes hours.
_OLD = timedelta(days=2)


async def check_book_results(settings: Settings) -> list[Finding]:
    """Of those tenants that were checked, none differs, and no check is long ago."""
    try:
        async with (
            connect(settings.database_url, connections=1) as db,
            db.system() as connection,
        ):
            books = await list_books(connection, limit=_MOST_TENANTS)
    except (OSError, ValueError, *LOST):
        # The check of the database has said why.
        return []
    faults = [fault for fault in map(_fault, books) if fault]
    checked = sum(it.finished_at is not None for it in books)
    return faults or [Finding("books", f"{checked} tenants checked, none differs")]


def _fault(books: TenantBooks) -> Finding | None:
    subject, check = f"books of {books.slug}", f"guichet books --tenant {books.slug}"
    if books.differences:
        return Finding(
            subject,
            f"{books.differences} differences, checked {books.finished_at:%Y-%m-%d %H:%M} UTC",
            f"See what they are: {check}; mend the harmless ones: {check} --repair",
        )
    if books.finished_at and books.finished_at < datetime.now(UTC) - _OLD:
        reason = f": {books.failure}" if books.failure else ""
        return Finding(
            subject,
            f"not checked since {books.finished_at:%Y-%m-%d %H:%M} UTC{reason}",
            f"See that a worker runs: guichet worker; or check them now: {check}",
        )
    return None
