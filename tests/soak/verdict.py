"""What is found after a soak: at rest, after reconciliation, and after the books.

A difference must be explained each time: by an event about that object which never arrived. Of
those, reconciliation leaves the ones that it says it cannot see: of test clocks in the past. And no
event tells which subscriptions show a coupon that was renamed or deleted: the books find them.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from guichet.billing.books import Books, check_books
from guichet.billing.mirror import Reference
from tests.soak import equality
from tests.soak.account import Account
from tests.soak.equality import Missed
from tests.soak.stage import Stage

_Answer = TypeVar("_Answer")
#: Tenants that are looked at at the same time.
_AT_ONCE = 5
#: The books' pace: no customers are waiting, and nothing is on its way.
_RATE = 1000.0
_SETTLE_S = 1.0


class Verdict:
    """Everything that is wrong, in words, and the figures beside it."""

    def __init__(self, stage: Stage, before: dict[Account, set[str]]) -> None:
        self.stage = stage
        self.wrong: list[str] = []
        self.figures: dict[str, object] = {}
        self._before = before

    async def at_rest(self) -> None:
        """Nothing differs but what no delivery told of."""
        missed, stale = await self._stale()
        self.figures["events that never arrived"] = missed
        self.figures["objects that differed"] = stale

    async def after_reconciliation(self, horizons: dict[Account, datetime]) -> None:
        """Only what happened before the list was read is missing."""

        async def look(account: Account) -> None:
            for it in await self._missed(account):
                if it.at >= horizons[account]:
                    self._tell(account, f"reconciliation did not find {it}")

        await self._of_each(look)
        missed, stale = await self._stale()
        self.figures["of clocks in the past, unseen by reconciliation"] = missed
        self.figures["objects that differed still"] = stale

    async def books(self) -> None:
        """The books tell of every difference, mend all, and then find nothing."""

        async def look(account: Account) -> int:
            compared = await equality.compare(account)
            different = {it.reference for it in compared.differences}
            books = await _check(account, repair=True)
            told = {(it.kind, it.id) for it in books.differences if it.remedy == "fetched_anew"}
            if not different <= told <= different | compared.excused:
                self._tell(account, f"the books tell of {told}, and {different} differ")
            books = await _check(account, repair=False)
            for it in books.differences:
                self._tell(account, f"the books say {it}")
            return len(told)

        self.figures["objects that the books found and mended"] = sum(await self._of_each(look))

    async def in_the_end(self) -> None:
        """Both sides are the same, every event was handled, and nothing was charged twice."""

        async def look(account: Account) -> tuple[int, int]:
            compared = await equality.compare(account)
            for it in compared.differences:
                self._tell(account, f"{it.reference} differs: {equality.fields(it)}")
            for event in await _unhandled(account):
                self._tell(account, f"{event} was not handled")
            for each in await _charged_twice(account):
                self._tell(account, f"{each} was charged twice")
            return compared.objects, len(await equality.stored_events(account))

        counts = await self._of_each(look)
        self.figures["objects compared"] = sum(objects for objects, _ in counts)
        self.figures["events applied"] = sum(events for _, events in counts)

    async def _stale(self) -> tuple[int, int]:
        """How many events are missing, and how many objects differ; the others are told."""

        async def look(account: Account) -> tuple[int, int]:
            missed = await self._missed(account)
            explained: set[Reference | None] = {it.reference for it in missed}
            compared = await equality.compare(account)
            for it in compared.differences:
                if it.reference not in explained and not equality.is_of_coupon(it):
                    self._tell(account, f"{it.reference} differs: {equality.fields(it)}")
            return len(missed), len(compared.differences)

        counts = await self._of_each(look)
        return sum(missed for missed, _ in counts), sum(stale for _, stale in counts)

    async def _missed(self, account: Account) -> list[Missed]:
        events = await equality.everything(account, "events")
        stored = await equality.stored_events(account)
        if strangers := stored - {event["id"] for event in events}:
            self._tell(account, f"it has events of others: {sorted(strangers)}")
        return equality.missed(events, stored, self._before[account])

    async def _of_each(self, look: Callable[[Account], Awaitable[_Answer]]) -> list[_Answer]:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(account: Account) -> _Answer:
            async with gate:
                return await look(account)

        return await asyncio.gather(*(one(account) for account in self.stage.accounts))

    def _tell(self, account: Account, what: str) -> None:
        self.wrong.append(f"{account.shop.key}: {what}")


async def _check(account: Account, *, repair: bool) -> Books:
    books = await check_books(
        account.db,
        account.port,
        account.tenant_id,
        repair=repair,
        rate=_RATE,
        settle_s=_SETTLE_S,
    )
    assert books is not None
    return books


async def _charged_twice(account: Account) -> list[str]:
    """Payments and invoices that more than one charge has paid, as the sandbox knows it."""
    charges = await equality.everything(account, "charges")
    paid = Counter(it["payment_intent"] for it in charges if it["status"] == "succeeded")
    invoices: Counter[str] = Counter()
    async for invoice in account.port.list_invoices():
        for payment in invoice.payments:
            invoices[invoice.id] += paid[payment.payment_intent_id]
    return [it for it, count in (invoices + paid).items() if it and count > 1]


async def _unhandled(account: Account) -> list[str]:
    async with account.db.unit(account.tenant_id) as unit:
        rows = await unit.fetch(
            """
            select id
            from provider_events
            where tenant_id = $1
            and (handled_at is null or failure is not null)
            """,
            account.tenant_id,
        )
    return [row["id"] for row in rows]
