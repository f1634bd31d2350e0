"""A check of one tenant's books, from beginning to end."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import get_args
from uuid import UUID

import msgspec
import structlog
from aiolimiter import AsyncLimiter
from prometheus_client import Counter

from guichet.billing.books.comparing import (
    MOST_SUSPECTS,
    Access,
    Told,
    compare,
    confirm,
    fetch_anew,
)
from guichet.billing.books.differences import Difference
from guichet.billing.books.holdings import Stretch, last_of
from guichet.billing.books.ledger import (
    list_differences,
    methods_after,
    note_failure,
    note_result,
    take_turn,
)
from guichet.billing.books.within import check_within
from guichet.billing.mirror import Kind, Reference
from guichet.db import Database
from guichet.errors import GuichetError
from guichet.payments.port import PaymentProvider

log = structlog.get_logger()

#: Requests a second: a check has all day, and takes nothing from the merchant's customers.
RATE = 10.0
#: How long a change may be on its way: to be delivered, claimed, fetched and written.
SETTLE_S = 20.0
#: From the start of one check to the next, and to the next try of one that failed.
EVERY = timedelta(days=1)
_AGAIN = timedelta(hours=1)
_SOON = timedelta(minutes=10)
#: Longer than a check may take; one that was killed is begun anew after it.
LEASE = timedelta(hours=7)
#: Rules that are broken are looked at so often before they are told.
_LOOKS = 2

_checks = Counter("guichet_book_checks_total", "Checks of tenants' books.", ["outcome"])
_found = Counter("guichet_book_differences_total", "Differences in tenants' books.", ["rule"])


class Books(msgspec.Struct, frozen=True):
    """What a check found; clean where nothing remains."""

    #: How many objects the provider lists.
    objects: int
    differences: list[Difference]
    #: Suspects beyond what one check looks at.
    unexamined: int

    @property
    def remaining(self) -> list[Difference]:
        return [it for it in self.differences if it.remedy != "fetched_anew"]

    @property
    def is_clean(self) -> bool:
        return not self.remaining and not self.unexamined


async def check_books(
    db: Database,
    provider: PaymentProvider,
    tenant_id: UUID,
    *,
    repair: bool,
    only_due: bool = False,
    rate: float = RATE,
    settle_s: float = SETTLE_S,
    methods_of: int | None = None,
    told: Told = lambda _: None,
) -> Books | None:
    """Check one tenant, write down what is found, and fetch anew what is harmless with `repair`.

    Asks the provider `rate` times a second. A change may take `settle_s` seconds to arrive, and
    nothing is told that does not outlast it. Every object of every kind is looked at, except that
    payment methods are those of `methods_of` customers, each check going on behind the last one's,
    so that after as many checks as it takes all were seen; of all where it is None. Answers
    None when the check is not yet due. Raises a `ProviderError`, which is written down too.
    """
    if not await take_turn(db, tenant_id, LEASE, only_due=only_due):
        return None
    access = Access(db, provider, tenant_id, AsyncLimiter(rate, 1))
    try:
        stretch = await _stretch(access, methods_of)
        books = await _check(access, stretch, repair, settle_s, told)
    except BaseException as error:
        _checks.labels("failed").inc()
        code, again_in = _failure(error)
        with contextlib.suppress(Exception):
            await asyncio.shield(note_failure(db, tenant_id, code, again_in))
        raise
    await note_result(
        db,
        tenant_id,
        books.objects,
        books.differences,
        books.unexamined,
        stretch.until,
        EVERY,
    )
    _checks.labels("clean" if books.is_clean else "different").inc()
    for it in books.differences:
        _found.labels(it.rule).inc()
        log.warning(
            "books_differ", tenant=str(tenant_id), code=it.rule, object=it.id, reason=it.remedy
        )
    return books


def _failure(error: BaseException) -> tuple[str, timedelta]:
    """Why a check came to no end, and when the next one is begun instead of after the lease."""
    if isinstance(error, GuichetError):
        return error.code, _AGAIN
    # A deploy ends the workers, and whatever they have in hand.
    cut_off = isinstance(error, asyncio.CancelledError | KeyboardInterrupt)
    return ("cut_off", _SOON) if cut_off else ("internal_error", _AGAIN)


async def _stretch(access: Access, methods_of: int | None) -> Stretch:
    if methods_of is None:
        return Stretch()
    after = await methods_after(access.db, access.tenant_id)
    async with access.db.unit(access.tenant_id) as unit:
        return Stretch(after, await last_of(unit, after, methods_of))


async def _check(
    access: Access, stretch: Stretch, repair: bool, settle_s: float, told: Told
) -> Books:
    compared = await compare(access, stretch, told)
    broken = await check_within(access.db, access.tenant_id)
    async with access.db.unit(access.tenant_id) as unit:
        # What was told is looked at until it is gone, also where its customer has no turn now.
        before = _objects_of(await list_differences(unit))
    suspects = sorted(compared.suspects | _objects_of(broken) | before)
    unexamined = max(0, len(suspects) - MOST_SUSPECTS)
    confirmed = await confirm(access, suspects[:MOST_SUSPECTS], settle_s)
    differences = list(confirmed.values())
    harmless = [it for it, found in confirmed.items() if found.remedy == "fetch_anew"]
    if repair and harmless:
        differences = await fetch_anew(access, differences, harmless)
    broken = [it for it in broken if it.rule != "object_missing" or _is_among(it, confirmed)]
    broken = await _outlasting(access, broken, settle_s)
    if any(it.remedy == "fetch_anew" for it in differences):
        # While something is stale it may be what breaks a rule, so it is fetched first.
        broken = [_fetched_first(it) for it in broken]
    return Books(compared.objects, differences + broken, unexamined)


def _is_among(broken: Difference, confirmed: Mapping[Reference, Difference]) -> bool:
    """Whether the provider holds what is missing here: a draft is deleted before it is seen."""
    return any((it.kind, it.id) == (broken.kind, broken.id) for it in confirmed)


def _fetched_first(broken: Difference) -> Difference:
    if broken.remedy != "tell_merchant":
        return broken
    return msgspec.structs.replace(broken, remedy="fetch_anew")


def _objects_of(broken: Iterable[Difference]) -> set[Reference]:
    return {Reference(kind, it.id) for it in broken for kind in get_args(Kind) if it.kind == kind}


async def _outlasting(
    access: Access, broken: list[Difference], settle_s: float
) -> list[Difference]:
    """What is broken still, and was so each time that somebody looked."""
    for look in range(_LOOKS):
        if not broken:
            break
        # The first look comes after the suspects were confirmed, so time has passed already.
        await asyncio.sleep(settle_s if look else 0)
        before = {it.key for it in broken}
        present = await check_within(access.db, access.tenant_id)
        broken = [it for it in present if it.key in before]
    return broken
