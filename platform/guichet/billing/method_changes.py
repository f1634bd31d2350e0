"""Customers' changes of their payment methods, one at a time for each customer.

Every change may be made again: a form that is sent twice, or a call whose answer was lost, ends
where the first one would have. So nothing is written down before the provider is asked.
"""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Literal
from uuid import UUID, uuid4

import msgspec

from guichet.audit import record
from guichet.billing.mirror import draw_copy_no, write_copy
from guichet.billing.payment_methods import MethodBook, changing_methods
from guichet.db import Database
from guichet.errors import Conflict, NotFound
from guichet.payments.copies import Copy
from guichet.payments.port import PaymentProvider

#: Where a method goes in the order: first, one place, last of the order, or out of it.
Place = Literal["default", "up", "down", "backup", "unused"]

#: As the provider keeps: the default and what is tried after it.
_MOST = 15


class LastMethod(Conflict):
    """Your subscription is paid with this, and there is nothing else. Add another one first."""

    title = "This one is still needed"
    code = "last_method"


class TooManyMethods(Conflict):
    """No more than 15 payment methods can be tried in turn. Take one out first."""

    code = "too_many_methods"


class MethodChange(msgspec.Struct, frozen=True, kw_only=True):
    """Who changes what; everything that the changes below have in common."""

    db: Database
    provider: PaymentProvider
    tenant_id: UUID
    customer_id: str
    request_id: str

    async def add(self, method_id: str) -> None:
        """Make a method that the customer left at the provider's page the default.

        What was the default becomes the first that is tried after it. One that has its place in
        the order already keeps it: whoever opens the page again changes nothing.
        """
        async with self._changing() as book:
            is_done = method_id != book.first or not book.is_pinned_elsewhere
            if method_id in book.order and is_done:
                return
            async with self._written("added", method_id) as writing:
                attached = await self.provider.fetch_payment_method(method_id)
                if attached is None or attached.customer_id != self.customer_id:
                    raise NotFound
                writing.keep(attached)
                await self._order(book, (method_id, *book.order)[:_MOST], writing)

    async def place(self, method_id: str, place: Place) -> None:
        """Give a method another place; raises `NotFound`, `LastMethod` or `TooManyMethods`."""
        async with self._changing() as book:
            book.find(method_id)
            order = moved(book.order, method_id, place)
            if len(order) > _MOST:
                raise TooManyMethods
            if not order and book.has_live_subscription:
                raise LastMethod
            if order == book.order and not (place == "default" and book.is_pinned_elsewhere):
                return
            async with self._written("ordered", method_id) as writing:
                await self._order(book, order, writing)

    async def remove(self, method_id: str) -> None:
        """Take a method away for good; raises `NotFound` or `LastMethod`.

        Where it was all that is charged without asking, the newest of the others takes its place.
        """
        async with self._changing() as book:
            book.find(method_id)
            left = [method.id for method in book.all if method.id != method_id]
            if not left and book.has_live_subscription:
                raise LastMethod
            async with self._written("removed", method_id) as writing:
                order = tuple(each for each in book.order if each != method_id) or tuple(left[:1])
                await self._order(book, order, writing)
                writing.keep(await self.provider.detach_payment_method(method_id, _key("remove")))

    async def _order(self, book: MethodBook, order: tuple[str, ...], writing: "_Writing") -> None:
        """Write the order, and have every subscription charged by it.

        The provider's pages pin a subscription to the method that it was bought with, which
        customers never see: without this, what they make the default would not be charged.
        """
        writing.keep(
            await self.provider.order_payment_methods(self.customer_id, order, _key("order"))
        )
        first = order[0] if order else None
        for method_id, subscriptions in book.pinned.items():
            if method_id == first:
                continue
            for subscription_id in subscriptions:
                writing.keep(
                    await self.provider.use_payment_method(subscription_id, None, _key("use"))
                )

    def _changing(self) -> AbstractAsyncContextManager[MethodBook]:
        return changing_methods(self.db, self.tenant_id, self.customer_id)

    @contextlib.asynccontextmanager
    async def _written(self, done: str, method_id: str) -> AsyncIterator["_Writing"]:
        """Collect the provider's answers, and write them with the audit row.

        What was answered before a call fails is written too: it was changed.
        """
        async with self.db.unit(self.tenant_id) as unit:
            writing = _Writing(await draw_copy_no(unit))
        finished = False
        try:
            yield writing
            finished = True
        finally:
            if writing.copies:
                await self._write(writing, done if finished else f"{done} in part", method_id)

    async def _write(self, writing: "_Writing", done: str, method_id: str) -> None:
        async with self.db.unit(self.tenant_id) as unit:
            for copy in writing.copies:
                await write_copy(unit, copy, writing.copy_no)
            await record(
                unit,
                "customer",
                self.customer_id,
                f"payment_method.{done.replace(' ', '_')}",
                method_id,
                {},
                self.request_id,
            )


class _Writing:
    """The provider's answers of one change, the last one of each object."""

    def __init__(self, copy_no: int) -> None:
        self.copy_no = copy_no
        self._copies: dict[str, Copy] = {}

    @property
    def copies(self) -> list[Copy]:
        return list(self._copies.values())

    def keep(self, copy: Copy) -> None:
        self._copies[copy.id] = copy


def moved(order: tuple[str, ...], method_id: str, place: Place) -> tuple[str, ...]:
    """The order after a method was given another place."""
    rest = [each for each in order if each != method_id]
    at = order.index(method_id) if method_id in order else len(rest)
    match place:
        case "default":
            at = 0
        case "up":
            at = max(at - 1, 0)
        case "down":
            at += 1
        case "backup":
            pass
        case "unused":
            return tuple(rest)
    rest.insert(at, method_id)
    return tuple(rest)


def _key(act: str) -> str:
    # Of a single call: what is asked for again is decided anew.
    return f"guichet-{act}-{uuid4()}"
