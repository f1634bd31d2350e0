"""The mirror beside what the provider holds, field by field.

The provider's lists are read page by page, and what differs is only suspected: a change may be on
its way. A suspect is fetched once more, and is a difference when, after the time that a change may
take to arrive, the mirror still holds an older copy that is not equal.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import NamedTuple, get_args
from uuid import UUID

import msgspec
import structlog
from aiolimiter import AsyncLimiter

from guichet.billing.books.differences import Difference
from guichet.billing.books.holdings import Stretch, copy_numbers, living, methods_of
from guichet.billing.books.telling import describe, not_shown
from guichet.billing.fetching import fetch_all
from guichet.billing.mirror import (
    UNWRITABLE,
    Kind,
    Reference,
    draw_copy_no,
    held_copies,
    reference_to,
    write_copies,
    write_singly,
)
from guichet.db import Database
from guichet.payments.copies import (
    Copy,
    CustomerCopy,
    InvoiceCopy,
    PaymentMethodCopy,
    PriceCopy,
    ProductCopy,
    TestClockCopy,
)
from guichet.payments.errors import ProviderRefused, ProviderUnreachable
from guichet.payments.port import PaymentProvider

log = structlog.get_logger()

_PAGE = 100
#: How often a suspect is looked at that somebody writes anew each time.
_LOOKS = 3
#: Beyond so many suspects it costs less to import everything.
MOST_SUSPECTS = 1000

#: Called with how many objects were compared so far.
Told = Callable[[int], None]


class Access(NamedTuple):
    """One tenant's mirror and provider, and the pace at which the provider is asked."""

    db: Database
    provider: PaymentProvider
    tenant_id: UUID
    pace: AsyncLimiter
    #: The longest that a page of objects may take to be fetched one by one.
    patience_s: float = 120.0


class Compared(NamedTuple):
    """How many objects the provider has, and which of all are not as they are here."""

    objects: int
    suspects: set[Reference]


async def compare(access: Access, stretch: Stretch, told: Told = lambda _: None) -> Compared:
    """Read every list of the provider; raises a `ProviderError`.

    Payment methods are listed for the customers of `stretch`, and of those who are not as they are
    here. Of each kind the ids of all objects are in memory, one kind at a time.
    """
    objects, suspects = 0, set[Reference]()
    for kind in get_args(Kind):
        if kind == "payment_method":
            # They come with their customers.
            continue
        if kind == "test_clock":
            # A live key may list none; those that living customers name are few.
            clocks = await _unlisted(access, kind, set())
            suspects |= clocks
            objects += len(clocks)
            continue
        listed: set[str] = set()
        async for page in _pages(access, _list(access.provider, kind)):
            listed |= {copy.id for copy in page}
            unequal = await _unequal(access, page)
            objects += len(page)
            if kind == "customer":
                owners = [it.id for it in page if it.id in stretch or reference_to(it) in unequal]
                methods = await _methods(access, owners)
                unequal |= await _unequal(access, methods)
                unequal |= await _detached(access, owners, {it.id for it in methods})
                objects += len(methods)
            suspects |= unequal
            told(objects)
        unlisted = await _unlisted(access, kind, listed)
        suspects |= unlisted
        if kind == "customer":
            suspects |= await _detached(access, [it.id for it in unlisted], set())
    return Compared(objects, suspects)


def _list(provider: PaymentProvider, kind: Kind) -> AsyncIterator[Copy]:
    match kind:
        case "attempt":
            return provider.list_attempts()
        case "customer":
            return provider.list_customers()
        case "invoice":
            return provider.list_invoices()
        case "price":
            return provider.list_prices()
        case "product":
            return provider.list_products()
        case "subscription":
            return provider.list_subscriptions()
        case "payment_method" | "test_clock":
            raise ValueError(kind)


async def _pages(access: Access, listed: AsyncIterator[Copy]) -> AsyncIterator[list[Copy]]:
    page: list[Copy] = []
    await access.pace.acquire()
    async for copy in listed:
        page.append(copy)
        if len(page) == _PAGE:
            yield page
            page = []
            await access.pace.acquire()
    if page:
        yield page


async def _methods(access: Access, customer_ids: Sequence[str]) -> list[Copy]:
    found: list[Copy] = []
    for customer_id in customer_ids:
        await access.pace.acquire()
        found += [copy async for copy in access.provider.list_payment_methods(customer_id)]
    return found


async def _detached(
    access: Access, customer_ids: Sequence[str], listed: set[str]
) -> set[Reference]:
    """Payment methods that the mirror holds as these customers' and no list has shown."""
    async with access.db.unit(access.tenant_id) as unit:
        held = await methods_of(unit, customer_ids)
    return {Reference("payment_method", each) for each in held if each not in listed}


async def _unequal(access: Access, copies: Sequence[Copy]) -> set[Reference]:
    listed = {reference_to(copy): copy for copy in copies}
    held = await _held(access, listed)
    return {each for each, copy in listed.items() if held.get(each) != copy}


async def _unlisted(access: Access, kind: Kind, listed: set[str]) -> set[Reference]:
    """What the mirror holds as living and no list has shown."""
    unlisted: set[Reference] = set()
    after = ""
    while True:
        async with access.db.unit(access.tenant_id) as unit:
            ids = await living(unit, kind, after, 10 * _PAGE)
        if not ids:
            return unlisted
        after = ids[-1]
        unlisted |= {Reference(kind, each) for each in ids if each not in listed}


async def _held(access: Access, references: Iterable[Reference]) -> dict[Reference, Copy]:
    found: dict[Reference, Copy] = {}
    async with access.db.unit(access.tenant_id) as unit:
        for kind, ids in _by_kind(references).items():
            for identifier, copy in (await held_copies(unit, kind, ids)).items():
                found[Reference(kind, identifier)] = copy
    return found


async def _numbers(access: Access, references: Iterable[Reference]) -> dict[Reference, int]:
    found: dict[Reference, int] = {}
    async with access.db.unit(access.tenant_id) as unit:
        for kind, ids in _by_kind(references).items():
            for identifier, number in (await copy_numbers(unit, kind, ids)).items():
                found[Reference(kind, identifier)] = number
    return found


def _by_kind(references: Iterable[Reference]) -> dict[Kind, list[str]]:
    sorted_out: dict[Kind, list[str]] = {}
    for reference in references:
        sorted_out.setdefault(reference.kind, []).append(reference.id)
    return sorted_out


async def confirm(
    access: Access, suspects: Iterable[Reference], settle_s: float
) -> dict[Reference, Difference]:
    """Those suspects that are differences, `settle_s` seconds after they were fetched anew.

    One that was written meanwhile from a later copy is looked at again, and is none when somebody
    keeps writing it. Raises a `ProviderError`.
    """
    confirmed: dict[Reference, Difference] = {}
    left = list(suspects)
    for _ in range(_LOOKS):
        if not left:
            break
        number, fetched = await _fetch(access, left)
        confirmed |= {it: not_shown(it) for it in left if it not in fetched}
        left = [it for it in left if it in fetched]
        await asyncio.sleep(settle_s)
        # The numbers first: what is written in between is only looked at once more.
        numbers = await _numbers(access, left)
        held = await _held(access, left)
        left, unequal = [], [it for it in left if not _is_same(held.get(it), fetched[it])]
        for each in unequal:
            if numbers.get(each, 0) > number:
                left.append(each)
            else:
                confirmed[each] = describe(each, held.get(each), fetched[each])
    return confirmed


async def fetch_anew(
    access: Access, differences: Iterable[Difference], references: Iterable[Reference]
) -> list[Difference]:
    """Write what the provider holds now over these; answers the differences as they are then."""
    wanted = list(references)
    number, fetched = await _fetch(access, wanted)
    wanted = list(fetched)
    present = [copy for copy in fetched.values() if copy is not None]
    missing = [each for each, copy in fetched.items() if copy is None]
    for start in range(0, max(len(present), 1), _PAGE):
        page, first = present[start : start + _PAGE], missing if start == 0 else ()
        try:
            async with access.db.unit(access.tenant_id) as unit:
                await write_copies(unit, page, number, first)
        except UNWRITABLE:
            each = {it: fetched[it] for it in (*map(reference_to, page), *first)}
            await write_singly(access.db, access.tenant_id, each, number)
    held = await _held(access, wanted)
    same = {each for each in wanted if _is_same(held.get(each), fetched[each])}
    # What has a higher number was written meanwhile from a copy that is later still.
    same |= {each for each, no in (await _numbers(access, wanted)).items() if no > number}
    mended = {(each.kind, each.id) for each in same}
    return [
        msgspec.structs.replace(it, remedy="fetched_anew") if (it.kind, it.id) in mended else it
        for it in differences
    ]


async def _fetch(
    access: Access, references: Sequence[Reference]
) -> tuple[int, dict[Reference, Copy | None]]:
    async with access.db.unit(access.tenant_id) as unit:
        number = await draw_copy_no(unit)
    copies: dict[Reference, Copy | None] = {}
    for start in range(0, len(references), _PAGE):
        batch = references[start : start + _PAGE]
        fetched = await fetch_all(access.provider, batch, access.patience_s, access.pace)
        for reference, error in fetched.errors.items():
            if isinstance(error, TimeoutError):
                raise ProviderUnreachable from error
            # One object that the provider never shows must not keep the others from being checked.
            if not isinstance(error, ProviderRefused):
                raise error
            log.warning("not_compared", tenant=str(access.tenant_id), object=reference.id)
        copies |= fetched.copies
    return number, copies


def _is_same(held: Copy | None, fetched: Copy | None) -> bool:
    if held == fetched:
        return True
    if fetched is None or (isinstance(fetched, CustomerCopy) and fetched.deleted):
        return held is None or _is_gone(held)
    return False


def _is_gone(held: Copy) -> bool:
    """Whether the mirror holds something as no longer there, as far as it can."""
    match held:
        case CustomerCopy():
            return held.deleted
        case PaymentMethodCopy():
            return held.customer_id is None
        case PriceCopy() | ProductCopy():
            return not held.active
        case InvoiceCopy():
            return held.status == "void"
        case TestClockCopy():
            # It went with its customers, and nobody lives by it any more.
            return True
        case _:
            return False
