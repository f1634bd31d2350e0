"""Rows that break a rule, as a statement answers them: an id, and what is held as JSON."""

from collections.abc import Sequence

import asyncpg
import msgspec

from guichet.billing.books.differences import Difference, Remedy, Subject

#: So many of each rule are told at a time; where there are more, they are alike.
MOST = 100


def breaches(
    rule: str,
    kind: Subject,
    rows: Sequence[asyncpg.Record],
    remedy: Remedy = "tell_merchant",
) -> list[Difference]:
    """A difference for each row of `id` and `held`."""
    return [
        Difference(rule, kind, row["id"], msgspec.json.decode(row["held"]), None, remedy)
        for row in rows
    ]
