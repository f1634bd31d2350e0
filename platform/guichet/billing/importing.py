"""A tenant's whole account copied into the mirror, for a new tenant or after long silence.

It holds a page of the provider's lists at a time, and asks for pages at a bounded rate, so that it
takes nothing from what the merchant's customers are doing meanwhile.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import timedelta
from typing import get_args
from uuid import UUID

import structlog
from aiolimiter import AsyncLimiter

from guichet.billing.fetching import fetch_all
from guichet.billing.imports import Import, Step, release_import, save_import, take_import
from guichet.billing.mirror import UNWRITABLE, Reference, reference_to, write_copies, write_singly
from guichet.billing.unlisted import find_unlisted
from guichet.db import Database
from guichet.payments.copies import Copy, CustomerCopy, PaymentMethodCopy
from guichet.payments.errors import ProviderBusy, ProviderRefused
from guichet.payments.port import PaymentProvider

log = structlog.get_logger()

STEPS: tuple[Step, ...] = get_args(Step)
#: Requests a second to one account; Stripe allows 100 in live mode and 25 in test mode.
RATE = 20.0

#: Copies written in one transaction: a page of the provider's lists.
_PAGE = 100
#: Customers whose payment methods are listed at the same time.
_AT_ONCE = 10
_SHORTEST_LEASE = 60.0
#: Seconds before a question is asked again that the provider is too busy for; together they are
#: shorter than the lease.
_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)

Told = Callable[[Import], None]


async def import_tenant(
    db: Database,
    provider: PaymentProvider,
    tenant_id: UUID,
    *,
    rate: float = RATE,
    pauses: Sequence[float] = _PAUSES,
    told: Told = lambda _: None,
) -> Import:
    """Read every list of the provider into the mirror, or go on where an import was cut off.

    Asks for `rate` pages a second, one at least; the lines of long invoices come on top. A provider
    that is too busy is asked again after each of `pauses`, in seconds. What it refuses to show, and
    what cannot be written, is left out and counted as `not_written`. `told` is called after each
    page. Raises `ImportAtWork` or a `ProviderError`. May be repeated at any time.
    """
    # A page of customers costs a request for each, and may have to wait for a slow provider.
    lease = timedelta(seconds=max(_SHORTEST_LEASE, 3 * _PAGE / rate))
    work = await take_import(db, tenant_id, lease)
    try:
        await _Importer(db, provider, work, AsyncLimiter(rate, 1), pauses, told).run()
    except BaseException:
        # Whoever comes next goes on with it at once, and not when the lease has run out.
        with contextlib.suppress(Exception):
            await asyncio.shield(release_import(db, work, done=False))
        raise
    await release_import(db, work, done=True)
    return work


class _Importer:
    def __init__(
        self,
        db: Database,
        provider: PaymentProvider,
        work: Import,
        pace: AsyncLimiter,
        pauses: Sequence[float],
        told: Told,
    ) -> None:
        self._db = db
        self._provider = provider
        self._work = work
        self._pace = pace
        self._pauses = pauses
        self._told = told

    async def run(self) -> None:
        # Names first, so that a page never shows a subscription whose plan is unknown.
        for step in STEPS[STEPS.index(self._work.step) :]:
            self._work.enter(step)
            if step == "unlisted":
                await self._look_up_unlisted()
            else:
                await self._read(step)

    async def _read(self, step: Step) -> None:
        """Read the rest of a list; from its start, where what we stopped at is there no more."""
        pauses = iter(self._pauses)
        while True:
            resumed = self._work.after
            try:
                return await self._read_pages(step)
            except ProviderBusy as busy:
                if self._work.after != resumed:
                    pauses = iter(self._pauses)
                await _wait(pauses, busy)
            except ProviderRefused:
                if resumed is None:
                    raise
                if self._work.after == resumed:
                    self._work.start_over()

    async def _read_pages(self, step: Step) -> None:
        async for page in self._pages(self._list(step)):
            copies = page
            if step == "customers":
                copies = [*page, *await self._payment_methods(page), *await self._clocks(page)]
            self._work.count(step, len(page))
            self._work.after = page[-1].id
            await self._write(copies)

    def _list(self, step: Step) -> AsyncIterator[Copy]:
        after = self._work.after
        match step:
            case "products":
                return self._provider.list_products(after)
            case "prices":
                return self._provider.list_prices(after)
            case "customers":
                return self._provider.list_customers(after)
            case "subscriptions":
                return self._provider.list_subscriptions(after)
            case "invoices":
                return self._provider.list_invoices(after)
            case "attempts":
                return self._provider.list_attempts(after)
            case "unlisted":
                raise ValueError(step)

    async def _pages(self, listed: AsyncIterator[Copy]) -> AsyncIterator[list[Copy]]:
        """The list as the provider sends it, a page for each request."""
        page: list[Copy] = []
        await self._pace.acquire()
        async for copy in listed:
            page.append(copy)
            if len(page) == _PAGE:
                yield page
                page = []
                await self._pace.acquire()
        if page:
            yield page

    async def _payment_methods(self, customers: Sequence[Copy]) -> list[PaymentMethodCopy]:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def take(customer_id: str) -> list[PaymentMethodCopy]:
            async with gate:
                return await self._methods_of(customer_id)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(take(customer.id))
                    for customer in customers
                    if isinstance(customer, CustomerCopy)
                ]
        except ExceptionGroup as failed:
            # What one customer failed with; it has ended the others.
            raise failed.exceptions[0] from None
        methods = [method for task in tasks for method in task.result()]
        self._work.count("payment_methods", len(methods))
        return methods

    async def _methods_of(self, customer_id: str) -> list[PaymentMethodCopy]:
        pauses = iter(self._pauses)
        while True:
            await self._pace.acquire()
            try:
                return [it async for it in self._provider.list_payment_methods(customer_id)]
            except ProviderBusy as busy:
                await _wait(pauses, busy)
            except ProviderRefused:
                # A customer may be deleted between the two lists.
                self._leave_out(customer_id)
                return []

    async def _clocks(self, customers: Sequence[Copy]) -> list[Copy]:
        """The test clocks that customers live by; no list of a live key shows any."""
        named = {
            Reference("test_clock", customer.test_clock_id)
            for customer in customers
            if isinstance(customer, CustomerCopy) and customer.test_clock_id
        }
        return [copy for copy in (await self._fetch(sorted(named))).values() if copy is not None]

    async def _look_up_unlisted(self) -> None:
        """Ask for each object that is as it was before the import: the lists omit deleted ones."""
        after: Reference | None = None
        while True:
            async with self._db.unit(self._work.tenant_id) as unit:
                references = await find_unlisted(unit, self._work.copy_no, after, _PAGE)
            if not references:
                return
            after = references[-1]
            fetched = await self._fetch(references)
            self._work.count("looked_up", len(references))
            present = [copy for copy in fetched.values() if copy is not None]
            missing = [each for each, copy in fetched.items() if copy is None]
            await self._write(present, missing)

    async def _fetch(self, references: Sequence[Reference]) -> dict[Reference, Copy | None]:
        """What the provider holds of each; raises the first error that is not of one object."""
        found: dict[Reference, Copy | None] = {}
        pauses = iter(self._pauses)
        while references:
            seconds = self._work.lease.total_seconds()
            fetched = await fetch_all(self._provider, references, seconds, self._pace)
            found |= fetched.copies
            busy: list[Reference] = []
            for each, error in fetched.errors.items():
                if isinstance(error, ProviderBusy):
                    busy.append(each)
                elif isinstance(error, ProviderRefused):
                    self._leave_out(each.id)
                else:
                    raise error
            if busy:
                await _wait(pauses, fetched.errors[busy[0]])
            references = busy
        return found

    def _leave_out(self, identifier: str) -> None:
        log.warning("not_imported", tenant=str(self._work.tenant_id), object=identifier)
        self._work.count("not_written", 1)

    async def _write(self, copies: Sequence[Copy], missing: Sequence[Reference] = ()) -> None:
        try:
            async with self._db.unit(self._work.tenant_id) as unit:
                await save_import(unit, self._work)
                await write_copies(unit, copies, self._work.copy_no, missing)
        except UNWRITABLE:
            await self._write_singly(copies, missing)
        self._told(self._work)

    async def _write_singly(self, copies: Sequence[Copy], missing: Sequence[Reference]) -> None:
        """Go on without what cannot be written: books tell of it, and events try it again."""
        each: dict[Reference, Copy | None] = {reference_to(copy): copy for copy in copies}
        each.update(dict.fromkeys(missing))
        failed = await write_singly(self._db, self._work.tenant_id, each, self._work.copy_no)
        if failed:
            self._work.count("not_written", len(failed))
        async with self._db.unit(self._work.tenant_id) as unit:
            await save_import(unit, self._work)


async def _wait(pauses: Iterator[float], busy: Exception) -> None:
    """Sleep for the next pause; raises what was answered where none is left."""
    pause = next(pauses, None)
    if pause is None:
        raise busy
    await asyncio.sleep(pause)
