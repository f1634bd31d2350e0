"""The queue of deliveries: which event still has to reach which endpoint, and when."""

import sqlite3


class DeliveryQueue:
    """Rows of the store's database; every change runs inside the caller's transaction."""

    def __init__(self, sql: sqlite3.Connection) -> None:
        self.sql = sql

    def add(self, account: str, endpoint: str, event: str, due: float) -> None:
        """An event waits to be delivered to an endpoint."""
        self.sql.execute(
            "insert into deliveries (account, endpoint, event, due) values (?, ?, ?, ?)",
            (account, endpoint, event, due),
        )

    def due(self, until: float, most: int) -> list[tuple[int, str, str, str, int]]:
        """Deliveries whose time has come: id, account, endpoint, event, attempts so far."""
        rows = self.sql.execute(
            """select id, account, endpoint, event, attempts from deliveries
            where due <= ? order by due, id limit ?""",
            (until, most),
        )
        return list(rows)

    def first(self, most: int) -> list[tuple[int, float]]:
        """The deliveries that are due first: id and time."""
        rows = self.sql.execute("select id, due from deliveries order by due, id limit ?", (most,))
        return list(rows)

    def postpone(self, identifier: int, due: float, attempts: int) -> None:
        """Try again later."""
        self.sql.execute(
            "update deliveries set due = ?, attempts = ? where id = ?",
            (due, attempts, identifier),
        )

    def drop(self, identifier: int) -> None:
        """Delivered, given up, or nowhere to go."""
        self.sql.execute("delete from deliveries where id = ?", (identifier,))

    def waiting(self, account: str) -> int:
        """How many deliveries an account still has to make."""
        row = self.sql.execute(
            "select count(id) from deliveries where account = ?", (account,)
        ).fetchone()
        return int(row[0])

    def attempts_by_event(self, account: str) -> dict[str, int]:
        """The events that wait, with the attempts made so far at their most tried endpoint."""
        rows = self.sql.execute(
            "select event, max(attempts) from deliveries where account = ? group by event",
            (account,),
        )
        return dict(rows)
