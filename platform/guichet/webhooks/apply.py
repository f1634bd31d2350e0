"""Stored events applied to the mirror, in any order, any number of times.

An event is a hint that an object changed; the truth is fetched from the provider. So a batch is
reduced to the objects it speaks of, each is fetched once as it is now, and everything is written
and stamped in one unit. Duplicates, reordering and unknown types do no harm.
"""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

import structlog
from prometheus_client import Counter

from guichet.billing.fetching import Fetched, fetch_all, neighbours, not_mirrored
from guichet.billing.mirror import UNWRITABLE, Reference, write_copies, write_singly
from guichet.billing.news import FOLLOW_NEWS, has_news
from guichet.db import Database, Unit
from guichet.errors import GuichetError
from guichet.outbox import Outbox
from guichet.payments.choose import Providers
from guichet.payments.copies import Copy
from guichet.payments.errors import (
    ProviderBusy,
    ProviderKeyRejected,
    ProviderUnreachable,
)
from guichet.payments.port import PaymentProvider
from guichet.webhooks.claiming import BATCH, Batch, Failure, claim, put_off, stamp_handled
from guichet.webhooks.references import reference_of

log = structlog.get_logger()

#: Together below the lease: what the events speak of, then what stands beside it.
_FETCH_SECONDS = 8.0
_NEIGHBOUR_SECONDS = 2.0
#: From a subscription over its prices to their products.
_NEIGHBOUR_ROUNDS = 2
#: A tenant whose provider is away is left alone so long. Where its key is rejected nothing can be
#: claimed until the provider lets us in again.
_AWAY_SECONDS = 2.0

_handled = Counter("guichet_events_handled_total", "Events applied to the mirror.")
_failed = Counter("guichet_events_failed_total", "Events put off, by reason.", ["reason"])

_OUTAGE = (ProviderBusy, ProviderUnreachable, TimeoutError)


class Applier:
    """Applies tenants' waiting events; each process has one.

    With an outbox it knocks for whoever follows what changed, which a sweep finds otherwise. Have
    the directory call `forget` for each tenant that changes, so that whatever keeps its provider
    away is tried again at once with what is new.
    """

    def __init__(
        self,
        db: Database,
        providers: Providers,
        clock: Callable[[], float] = time.monotonic,
        outbox: Outbox | None = None,
    ) -> None:
        self._db = db
        self._providers = providers
        self._outbox = outbox
        self._clock = clock
        self._paused: dict[UUID, float] = {}
        # Tenants at work in this process, and whether somebody knocked meanwhile.
        self._working: dict[UUID, bool] = {}
        self._closing = False

    def close(self) -> None:
        """Have everybody stop after the batch in hand; what is left keeps waiting in its rows."""
        self._closing = True

    def forget(self, tenant_id: UUID) -> None:
        """End the tenant's pause."""
        self._paused.pop(tenant_id, None)

    async def handle_events(self, tenant_id: UUID) -> None:
        """Apply what waits for a tenant until nothing is left or its provider is away."""
        if tenant_id in self._working:
            self._working[tenant_id] = True
            return
        self._working[tenant_id] = True
        try:
            while self._working[tenant_id] and not self._is_paused(tenant_id):
                self._working[tenant_id] = False
                while await self._handle_batch(tenant_id) == BATCH:
                    if self._is_paused(tenant_id):
                        break
        finally:
            del self._working[tenant_id]

    def _is_paused(self, tenant_id: UUID) -> bool:
        if self._closing or self._paused.get(tenant_id, 0.0) > self._clock():
            return True
        self._paused.pop(tenant_id, None)
        return False

    async def _handle_batch(self, tenant_id: UUID) -> int:
        """Claim and apply up to `BATCH` events; answers how many were claimed."""
        batch = await claim(self._db, tenant_id)
        if not batch.events:
            return 0
        touched = {event.id: reference_of(event.body) for event in batch.events}
        fetched = await self._fetch(tenant_id, {it for it in touched.values() if it})
        await self._write(tenant_id, batch, touched, fetched)
        return len(batch.events)

    async def _fetch(self, tenant_id: UUID, references: set[Reference]) -> Fetched:
        if not references:
            return Fetched({}, {})
        try:
            provider = await self._providers.client(tenant_id)
        except ProviderKeyRejected as error:
            fetched = Fetched({}, dict.fromkeys(references, error))
        else:
            fetched = await fetch_all(provider, references, _FETCH_SECONDS)
            await self._fetch_neighbours(tenant_id, provider, fetched)
        self._pause_for(tenant_id, fetched)
        return fetched

    async def _fetch_neighbours(
        self, tenant_id: UUID, provider: PaymentProvider, fetched: Fetched
    ) -> None:
        """Fetch too what pages show beside the fetched objects and the mirror has never seen.

        What fails here fails no event: the row is written, and its neighbour comes with the next.
        """
        for _ in range(_NEIGHBOUR_ROUNDS):
            beside = {it for copy in fetched.copies.values() if copy for it in neighbours(copy)}
            beside -= fetched.copies.keys()
            if not beside:
                return
            async with self._db.unit(tenant_id) as unit:
                unseen = await not_mirrored(unit, beside)
            if not unseen:
                return
            found = await fetch_all(provider, unseen, _NEIGHBOUR_SECONDS)
            fetched.copies.update(found.copies)

    def _pause_for(self, tenant_id: UUID, fetched: Fetched) -> None:
        """Leave a tenant alone when it is the provider that fails, and not an event."""
        errors = fetched.errors.values()
        if not fetched.copies and all(isinstance(error, _OUTAGE) for error in errors):
            self._paused[tenant_id] = self._clock() + _AWAY_SECONDS

    async def _write(
        self,
        tenant_id: UUID,
        batch: Batch,
        touched: Mapping[str, Reference | None],
        fetched: Fetched,
    ) -> None:
        try:
            async with self._db.unit(tenant_id) as unit:
                await _write_all(unit, fetched.copies, batch.copy_no)
                await _finish(unit, batch, touched, fetched.errors)
                await self._knock_for_news(unit)
        except UNWRITABLE as error:
            log.warning("batch_not_written", tenant=str(tenant_id), reason=type(error).__name__)
            # So that what cannot be written holds up its own events only.
            failed = await write_singly(self._db, tenant_id, fetched.copies, batch.copy_no)
            async with self._db.unit(tenant_id) as unit:
                await _finish(unit, batch, touched, {**fetched.errors, **failed})
                await self._knock_for_news(unit)

    async def _knock_for_news(self, unit: Unit) -> None:
        if self._outbox is not None and await has_news(unit):
            self._outbox.knock_after_commit(unit, FOLLOW_NEWS)


async def _write_all(unit: Unit, copies: Mapping[Reference, Copy | None], copy_no: int) -> None:
    present = [copy for copy in copies.values() if copy is not None]
    missing = [reference for reference, copy in copies.items() if copy is None]
    await write_copies(unit, present, copy_no, missing)


async def _finish(
    unit: Unit,
    batch: Batch,
    touched: Mapping[str, Reference | None],
    errors: Mapping[Reference, Exception],
) -> None:
    """Stamp what was applied and put off what was not, in the unit that wrote the copies."""
    failures: dict[str, Failure] = {}
    for event in batch.events:
        reference = touched[event.id]
        if reference is not None and reference in errors:
            failures[event.id] = _failure(errors[reference], event.tries)
    handled = [event.id for event in batch.events if event.id not in failures]
    if handled:
        await stamp_handled(unit, handled)
        _handled.inc(len(handled))
    if failures:
        await put_off(unit, failures)
        for failure in failures.values():
            _failed.labels(failure.code).inc()


def _failure(error: Exception, tries: int) -> Failure:
    """Why, and how long an event waits: briefly in an outage, else ever longer.

    A rejected key waits hardly at all, for the tenant as a whole waits until its provider lets us
    in again. Where the key may not read this one object only, it is tried ever more rarely too.
    """
    doubled = 2 ** min(tries, 12)
    if isinstance(error, ProviderKeyRejected) and not error.known:
        return Failure(error.code, timedelta(seconds=1))
    if isinstance(error, _OUTAGE):
        code = error.code if isinstance(error, GuichetError) else "timed_out"
        return Failure(code, timedelta(seconds=min(doubled, 15)))
    code = error.code if isinstance(error, GuichetError) else "not_applicable"
    return Failure(code, timedelta(seconds=min(5 * doubled, 3600)))
