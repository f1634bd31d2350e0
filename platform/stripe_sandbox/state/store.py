"""Where the state lives: one SQLite database, in a file or in memory, one row an object."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from stripe_sandbox.state.documents import Document
from stripe_sandbox.webhooks.delivery_queue import DeliveryQueue

_SCHEMA = """
create table if not exists accounts (
    id text primary key,
    masked_key text not null,
    created integer not null,
    settings blob not null
) without rowid;

create table if not exists objects (
    seq integer primary key autoincrement,
    account text not null,
    kind text not null,
    id text not null,
    owner text not null,
    tag text not null,
    clock text not null,
    due integer,
    rank integer not null,
    created integer not null,
    document blob not null
);
create unique index if not exists objects_by_id on objects (account, kind, id);
create index if not exists objects_by_time on objects (account, kind, created, seq);
create index if not exists objects_by_owner on objects (account, kind, owner, created, seq);
create index if not exists objects_by_tag on objects (account, kind, tag, created, seq);
create index if not exists clocks_by_status on objects (tag)
    where kind = 'test_helpers.test_clock';
create index if not exists objects_by_wall_time on objects (due)
    where clock = '' and due is not null;
create index if not exists objects_by_due on objects (account, clock, due, rank, seq)
    where due is not null;

create table if not exists answers (
    account text not null,
    key text not null,
    fingerprint text not null,
    path text not null,
    status integer not null,
    body blob not null,
    created real not null,
    primary key (account, key)
) without rowid;

create table if not exists deliveries (
    id integer primary key autoincrement,
    account text not null,
    endpoint text not null,
    event text not null,
    due real not null,
    attempts integer not null default 0
);
create index if not exists deliveries_by_due on deliveries (due);
"""


class Placement(NamedTuple):
    """By what an object is found besides its id, and when it next has something to do."""

    owner: str = ""
    tag: str = ""
    clock: str = ""
    due: int | None = None
    rank: int = 0
    created: int = 0


class Position(NamedTuple):
    """An object's place in lists: by its time, then by which of one second came first."""

    created: int
    seq: int


class Store:
    """The database. Every method runs inside the transaction that the caller opened."""

    def __init__(self, path: Path | None) -> None:
        self.sql = sqlite3.connect(path or ":memory:", isolation_level=None)
        # Events and invoices have some 4 kB: on SQLite's usual pages each would spill into a chain
        # of others. Measured on a year of 400 customers: a quarter less time.
        self.sql.execute("pragma page_size = 16384")
        # Two programs on one file would not see each other: the second one is turned away.
        self.sql.execute("pragma locking_mode = exclusive")
        # A killed process loses nothing under WAL: what was committed is in the kernel's hands.
        self.sql.execute("pragma journal_mode = wal")
        self.sql.execute("pragma synchronous = normal")
        self.sql.execute("pragma cache_size = -65536")
        self.sql.execute("pragma wal_autocheckpoint = 8000")
        self.sql.executescript(_SCHEMA)
        self.queue = DeliveryQueue(self.sql)
        self._decoder = msgspec.json.Decoder(dict)

    def close(self) -> None:
        """Flush and close the file."""
        self.sql.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing of it."""
        self.sql.execute("begin immediate")
        try:
            yield
        except BaseException:
            self.sql.execute("rollback")
            raise
        self.sql.execute("commit")

    def savepoint(self) -> None:
        """Remember this state inside the transaction."""
        self.sql.execute("savepoint attempt")

    def return_to_savepoint(self) -> None:
        """Undo everything since the savepoint."""
        self.sql.execute("rollback to attempt")
        self.sql.execute("release attempt")

    def forget_savepoint(self) -> None:
        """Keep everything since the savepoint."""
        self.sql.execute("release attempt")

    def decode(self, document: bytes) -> Document:
        """A document from its bytes."""
        return self._decoder.decode(document)

    def read(self, account: str, kind: str, identifier: str) -> bytes | None:
        """The bytes of one object."""
        row = self.sql.execute(
            "select document from objects where account = ? and kind = ? and id = ?",
            (account, kind, identifier),
        ).fetchone()
        return row[0] if row else None

    def write(
        self, account: str, kind: str, identifier: str, document: bytes, at: Placement
    ) -> None:
        """Insert or replace one object; its place in lists stays."""
        self.sql.execute(
            """insert into objects
                (account, kind, id, owner, tag, clock, due, rank, created, document)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            on conflict (account, kind, id) do update
            set owner = excluded.owner, tag = excluded.tag, clock = excluded.clock,
                due = excluded.due, rank = excluded.rank, document = excluded.document""",
            (account, kind, identifier, *at, document),
        )

    def delete(self, account: str, kind: str, identifier: str) -> None:
        """Remove one object."""
        self.sql.execute(
            "delete from objects where account = ? and kind = ? and id = ?",
            (account, kind, identifier),
        )

    def position(self, account: str, kind: str, identifier: str) -> Position | None:
        """An object's place in lists."""
        row = self.sql.execute(
            "select created, seq from objects where account = ? and kind = ? and id = ?",
            (account, kind, identifier),
        ).fetchone()
        return Position(*row) if row else None

    def select(
        self,
        account: str,
        kind: str,
        *,
        owner: str | None = None,
        tag: str | None = None,
        before: Position | None = None,
        after: Position | None = None,
        oldest_first: bool = False,
    ) -> Iterator[bytes]:
        """The objects of a kind by their times, newest first unless asked otherwise.

        An index has the order, and a page begins at a place in it: what is added meanwhile
        neither repeats nor hides anything on the pages that follow.
        """
        where = ["account = ?", "kind = ?"]
        values: list[str | int] = [account, kind]
        # An owner has few objects, a tag such as `pending` may have very many: the sign keeps
        # SQLite from looking through those.
        by_tag = "tag" if owner is None else "+tag"
        for column, value in (("owner", owner), (by_tag, tag)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        for sign, position in (("<", before), (">", after)):
            if position is not None:
                where.append(f"(created, seq) {sign} (?, ?)")
                values.extend(position)
        order = "created, seq" if oldest_first else "created desc, seq desc"
        query = f"select document from objects where {' and '.join(where)} order by {order}"  # noqa: S608 - only the constants above
        for (document,) in self.sql.execute(query, values):
            yield document

    def next_due(self, account: str, clock: str, until: int) -> tuple[int, str, str] | None:
        """The first thing to do on a clock up to a time: its time, kind and id."""
        row: tuple[int, str, str] | None = self.sql.execute(
            """select due, kind, id from objects
            where account = ? and clock = ? and due <= ?
            order by due, rank, seq limit 1""",
            (account, clock, until),
        ).fetchone()
        return row

    def accounts_due(self, until: int) -> list[str]:
        """Accounts with something to do by the wall clock."""
        rows = self.sql.execute(
            """select distinct account from objects indexed by objects_by_wall_time
            where clock = '' and due is not null and due <= ?""",
            (until,),
        )
        return [account for (account,) in rows]

    def account(self, identifier: str) -> tuple[str, int, Document] | None:
        """An account's masked key, time of creation and settings."""
        row = self.sql.execute(
            "select masked_key, created, settings from accounts where id = ?", (identifier,)
        ).fetchone()
        return (row[0], row[1], self.decode(row[2])) if row else None

    def accounts(self) -> list[str]:
        """The ids of all accounts, oldest first."""
        rows = self.sql.execute("select id from accounts order by created, id")
        return [identifier for (identifier,) in rows]

    def add_account(
        self, identifier: str, masked_key: str, created: int, settings: Document
    ) -> None:
        """An account comes to be when its key is first used."""
        self.sql.execute(
            "insert into accounts (id, masked_key, created, settings) values (?, ?, ?, ?)",
            (identifier, masked_key, created, msgspec.json.encode(settings)),
        )

    def save_settings(self, identifier: str, settings: Document) -> None:
        """The switches of an account."""
        self.sql.execute(
            "update accounts set settings = ? where id = ?",
            (msgspec.json.encode(settings), identifier),
        )

    def clocks_under_way(self) -> list[tuple[str, str]]:
        """Account and id of every test clock that is advancing."""
        rows = self.sql.execute(
            """select account, id from objects
            where kind = 'test_helpers.test_clock' and tag = 'advancing'"""
        )
        return list(rows)

    def answer(self, account: str, key: str) -> tuple[str, str, int, bytes, float] | None:
        """The answer kept for an idempotency key: fingerprint, path, status, body and time."""
        row: tuple[str, str, int, bytes, float] | None = self.sql.execute(
            """select fingerprint, path, status, body, created from answers
            where account = ? and key = ?""",
            (account, key),
        ).fetchone()
        return row

    def keep_answer(
        self,
        account: str,
        key: str,
        fingerprint: str,
        path: str,
        status: int,
        body: bytes,
        created: float,
    ) -> None:
        """Keep an answer, in the transaction that made it."""
        self.sql.execute(
            """insert or replace into answers
            (account, key, fingerprint, path, status, body, created)
            values (?, ?, ?, ?, ?, ?, ?)""",
            (account, key, fingerprint, path, status, body, created),
        )

    def forget_answers(self, before: float) -> None:
        """Drop the answers that are too old to be replayed."""
        self.sql.execute("delete from answers where created < ?", (before,))
