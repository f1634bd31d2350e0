"""Whether the mirror keeps up with the providers, for the doctor."""

import asyncpg

from guichet.billing.lag import measure_lag
from guichet.cli.checks import Finding
from guichet.db import connect
from guichet.settings import Settings

#: Lists are read every five minutes, and events applied within seconds.
_UNREAD_SECONDS = 30 * 60
_WAITING_SECONDS = 5 * 60
_WORKER = "See that a worker runs: guichet worker"


async def check_lag(settings: Settings) -> list[Finding]:
    """Each tenant's list of events was read of late, and no event waits for long."""
    try:
        async with (
            connect(settings.database_url, connections=1) as db,
            db.system() as connection,
        ):
            lag = await measure_lag(connection)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError):
        # The check of the database has said why.
        return []
    unread = f"all were read within {_minutes(lag.unread_seconds)}"
    remedy = ""
    if lag.unread_seconds > _UNREAD_SECONDS:
        unread = f"that of {lag.tenant} was read {_minutes(lag.unread_seconds)} ago"
        remedy = f"{_WORKER}, or read it now: guichet sync {lag.tenant}"
    waiting = f"{lag.waiting} wait"
    if lag.waiting:
        waiting += f", the oldest for {_minutes(lag.waiting_seconds)}"
    return [
        Finding("lists of events", unread, remedy),
        Finding("events", waiting, _WORKER if lag.waiting_seconds > _WAITING_SECONDS else ""),
    ]


def _minutes(seconds: float) -> str:
    minutes = -int(-seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
