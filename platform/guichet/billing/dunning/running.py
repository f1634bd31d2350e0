"""Cases brought on: claimed, decided, asked of the provider and settled, a batch at a time."""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

import structlog

from guichet.billing.dunning.cases.claiming import BATCH, LEASE
from guichet.billing.dunning.steps.asking import Asker
from guichet.billing.dunning.steps.beginning import Task, begin
from guichet.db import Database
from guichet.payments.choose import Providers
from guichet.payments.errors import ProviderKeyRejected
from guichet.tenancy import Directory

log = structlog.get_logger()

#: Knocked for after the commit by whoever has woken a case; the sweep finds the others.
RUN_DUNNING = "run_dunning"

#: Then other tenants have their turn, and the rest is knocked for again.
_BATCHES = 25
#: Batches of all tenants that a process has in hand: with more, answers would wait for a busy
#: processor until they are too late. Who waits for a turn has claimed nothing yet.
_AT_ONCE = 8
#: A tenant whose provider did not look at anything that was asked is left alone so long.
_AWAY_SECONDS = 5.0
#: What would be asked later is left to whoever comes after the lease.
_LATEST_SECONDS = LEASE.total_seconds() / 3


class Runner:
    """Brings tenants' cases on; each process has one.

    Have the directory call `forget` for each tenant that changes, so that whatever keeps its
    provider away is tried again at once with what is new.
    """

    def __init__(
        self,
        db: Database,
        providers: Providers,
        directory: Directory,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._providers = providers
        self._directory = directory
        self._clock = clock
        self._paused: dict[UUID, float] = {}
        # Tenants at work in this process, and whether somebody knocked meanwhile.
        self._working: dict[UUID, bool] = {}
        # First come, first served: tenants take turns batch by batch.
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._closing = False

    def close(self) -> None:
        """Have everybody stop after the batch in hand; what is left keeps waiting in its rows."""
        self._closing = True

    def forget(self, tenant_id: UUID) -> None:
        """End the tenant's pause."""
        self._paused.pop(tenant_id, None)

    async def run(self, tenant_id: UUID) -> bool:
        """Bring on what is due, for a while; answers whether there may be more.

        Of one tenant's cases no more than a batch is under way in a process, whoever knocks.
        """
        if tenant_id in self._working:
            self._working[tenant_id] = True
            return False
        self._working[tenant_id] = True
        try:
            return await self._run(tenant_id)
        finally:
            del self._working[tenant_id]

    async def _run(self, tenant_id: UUID) -> bool:
        for _ in range(_BATCHES):
            if self._is_paused(tenant_id):
                return False
            self._working[tenant_id] = False
            async with self._turns:
                is_more = await self._run_batch(tenant_id)
            if not is_more and not self._working[tenant_id]:
                return False
        return True

    def _is_paused(self, tenant_id: UUID) -> bool:
        if self._closing or self._paused.get(tenant_id, 0.0) > self._clock():
            return True
        self._paused.pop(tenant_id, None)
        return False

    async def _run_batch(self, tenant_id: UUID) -> bool:
        """Answers whether there may be more."""
        entry = self._directory.by_id(tenant_id)
        if entry is None:
            # Not known here yet: nothing is decided by a policy that is not the tenant's own.
            return False
        published = await self._directory.published(entry)
        try:
            provider = await self._providers.client(tenant_id)
        except ProviderKeyRejected:
            return False
        began_at = self._clock()
        async with self._db.unit(tenant_id, plans_once=True) as unit:
            begun = await begin(unit, published)
        asker = Asker(self._db, tenant_id, provider, published)
        results = await asyncio.gather(
            *(self._do(asker, task, began_at) for task in begun.tasks), return_exceptions=True
        )
        # One case that cannot be settled must not hold up the others; its lease runs out.
        for task, result in zip(begun.tasks, results, strict=True):
            if isinstance(result, BaseException):
                invoice = task.loaded.case.invoice_id
                log.error("case_not_settled", invoice=invoice, step=task.step, exc_info=result)
        if results and not any(result is True for result in results):
            self._paused[tenant_id] = self._clock() + _AWAY_SECONDS
        return begun.claimed == BATCH or bool(begun.tasks)

    async def _do(self, asker: Asker, task: Task, began_at: float) -> bool:
        """A process that stood still must not ask for what somebody else looks for by now."""
        if self._clock() > began_at + _LATEST_SECONDS:
            return False
        return await asker.do(task)
