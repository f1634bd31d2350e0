"""What customers are reminded of before it happens: trials that end, renewals, cards that expire.

Nothing notes how far the reminding has come: who is within reach and was not told yet is told, each
thing once by its message's key. So a beat that is missed is made up for by the next one.
"""

from collections.abc import Collection
from uuid import UUID

from guichet.billing.mails import queue_mails
from guichet.billing.reminders import cards, renewals, trials
from guichet.billing.reminders.reach import START, Find, Time, read_times
from guichet.db import Database
from tenants.mails import Mails

__all__ = ["REMIND", "remind"]

#: The job that reminds one tenant's customers.
REMIND = "remind"

_FIND: tuple[Find, ...] = (trials.find, renewals.find, cards.find)


async def remind(
    db: Database, tenant_id: UUID, rules: Mails, test_clocks: Collection[str] | None = None
) -> int:
    """Queue what is due for a tenant's customers, of these test clocks or all; answers how much."""
    async with db.unit(tenant_id) as unit:
        times = await read_times(unit, test_clocks)
    queued = 0
    for time in times:
        for find in _FIND:
            queued += await _remind_of(db, tenant_id, rules, time, find)
    return queued


async def _remind_of(db: Database, tenant_id: UUID, rules: Mails, time: Time, find: Find) -> int:
    queued, after = 0, START
    while True:
        async with db.unit(tenant_id) as unit:
            batch = await find(unit, time, rules, after)
            queued += await queue_mails(unit, batch.mails, rules)
        if batch.after is None:
            return queued
        after = batch.after
