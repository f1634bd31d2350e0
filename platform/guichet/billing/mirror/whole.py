"""Any copies into the mirror, in few statements, and what becomes of what no longer exists."""

import itertools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

from guichet.billing.mirror.attempts import write_attempts
from guichet.billing.mirror.clocks import write_test_clocks
from guichet.billing.mirror.invoices import write_invoices
from guichet.billing.mirror.kinds import Kind, Reference, reference_to
from guichet.billing.mirror.missing import (
    detach_payment_methods,
    note_deleted_clocks,
    note_deleted_customers,
    take_prices_off_sale,
    take_products_off_sale,
    void_drafts,
)
from guichet.billing.mirror.people import write_customers, write_payment_methods
from guichet.billing.mirror.plans import write_prices, write_products
from guichet.billing.mirror.subscriptions import write_subscriptions
from guichet.db import Connection, Unit
from guichet.payments.copies import Copy, CustomerCopy

_Write = Callable[[Unit, Sequence[Any], int], Awaitable[set[str]]]
_Note = Callable[[Unit, Sequence[str], int], Awaitable[set[str]]]


class _Shelf(NamedTuple):
    write: _Write
    #: None where an absence means that the key now belongs to another account of the provider:
    #: neither subscriptions nor charges can be deleted there. They are left as they are.
    note_missing: _Note | None


_SHELVES: dict[Kind, _Shelf] = {
    "attempt": _Shelf(write_attempts, None),
    "customer": _Shelf(write_customers, note_deleted_customers),
    "invoice": _Shelf(write_invoices, void_drafts),
    "payment_method": _Shelf(write_payment_methods, detach_payment_methods),
    "price": _Shelf(write_prices, take_prices_off_sale),
    "product": _Shelf(write_products, take_products_off_sale),
    "subscription": _Shelf(write_subscriptions, None),
    "test_clock": _Shelf(write_test_clocks, note_deleted_clocks),
}


async def draw_copy_no(source: Unit | Connection) -> int:
    """The next number for copies; all that is fetched after it may share it.

    Draw it before a fetch begins, and before a call of our own: an answer may arrive late, and what
    was fetched meanwhile is newer.
    """
    number: int = await source.fetchval("select nextval('mirror_copies')")
    return number


async def write_copies(
    unit: Unit, copies: Iterable[Copy], copy_no: int, missing: Iterable[Reference] = ()
) -> set[Reference]:
    """Write copies of any kinds, and note what is missing, with a few statements for each kind.

    Everybody writes in the order of kinds and ids, whatever becomes of each object, so that two
    writers of the same objects wait for each other and do not deadlock. Answers what was written or
    noted: all of which the mirror had no newer copy.
    """
    present = {reference_to(copy): copy for copy in copies}
    gone = set(missing) - present.keys()
    gone |= {it for it, copy in present.items() if isinstance(copy, CustomerCopy) and copy.deleted}
    written: set[Reference] = set()
    runs = itertools.groupby(sorted(present.keys() | gone), lambda it: (it.kind, it in gone))
    for (kind, is_gone), run in runs:
        newer: set[str] = set()
        if not is_gone:
            newer = await _SHELVES[kind].write(unit, [present[it] for it in run], copy_no)
        elif note_missing := _SHELVES[kind].note_missing:
            newer = await note_missing(unit, [it.id for it in run], copy_no)
        written |= {Reference(kind, each) for each in newer}
    return written


async def write_copy(unit: Unit, copy: Copy, copy_no: int) -> bool:
    """Write one copy of any kind; answers False when a newer one is there."""
    return bool(await write_copies(unit, [copy], copy_no))
