"""A tenant's whole account copied into the mirror, for a new tenant or after long silence."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import msgspec

from guichet.billing.fetching import fetch_all
from guichet.billing.mirror import Reference, draw_copy_no, write_copies
from guichet.db import Database, Unit
from guichet.payments.copies import Copy, CustomerCopy, PaymentMethodCopy
from guichet.payments.port import PaymentProvider

#: Copies written in one transaction: a page of the provider's lists.
_BATCH = 100
#: Customers whose payment methods are listed at the same time.
_AT_ONCE = 4
_FETCH_SECONDS = 60.0


class Imported(msgspec.Struct):
    """How many objects were read from the provider."""

    products: int = 0
    prices: int = 0
    customers: int = 0
    payment_methods: int = 0
    subscriptions: int = 0
    invoices: int = 0
    attempts: int = 0
    #: Mirrored objects that no list showed any more, so each was asked for by its id.
    looked_up: int = 0


async def import_tenant(db: Database, provider: PaymentProvider, tenant_id: UUID) -> Imported:
    """Read every list of the provider into the mirror; raises a `ProviderError`.

    All copies share a number that is drawn before the first is read, so whatever an event brings
    meanwhile stands. May be repeated at any time, and picks up nothing from a run that was cut off.
    """
    async with db.unit(tenant_id) as unit:
        copy_no = await draw_copy_no(unit)
    done = Imported()
    # Names first, so that a page never shows a subscription whose plan is unknown.
    done.products = await _take_in(db, tenant_id, provider.list_products(), copy_no)
    done.prices = await _take_in(db, tenant_id, provider.list_prices(), copy_no)
    async for customers in _batches(provider.list_customers()):
        done.customers += len(customers)
        await _write(db, tenant_id, customers, copy_no)
        methods = await _payment_methods(provider, customers)
        done.payment_methods += len(methods)
        await _write(db, tenant_id, methods, copy_no)
    done.subscriptions = await _take_in(db, tenant_id, provider.list_subscriptions(), copy_no)
    done.invoices = await _take_in(db, tenant_id, provider.list_invoices(), copy_no)
    done.attempts = await _take_in(db, tenant_id, provider.list_attempts(), copy_no)
    done.looked_up = await _look_up_unlisted(db, provider, tenant_id, copy_no)
    return done


async def _take_in(db: Database, tenant_id: UUID, listed: AsyncIterator[Copy], copy_no: int) -> int:
    count = 0
    async for batch in _batches(listed):
        count += len(batch)
        await _write(db, tenant_id, batch, copy_no)
    return count


async def _batches(listed: AsyncIterator[Copy]) -> AsyncIterator[list[Copy]]:
    batch: list[Copy] = []
    async for copy in listed:
        batch.append(copy)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _write(db: Database, tenant_id: UUID, copies: Sequence[Copy], copy_no: int) -> None:
    async with db.unit(tenant_id) as unit:
        await write_copies(unit, copies, copy_no)


async def _payment_methods(
    provider: PaymentProvider, customers: Sequence[Copy]
) -> list[PaymentMethodCopy]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def take(customer_id: str) -> list[PaymentMethodCopy]:
        async with gate:
            return [method async for method in provider.list_payment_methods(customer_id)]

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
    return [method for task in tasks for method in task.result()]


async def _look_up_unlisted(
    db: Database, provider: PaymentProvider, tenant_id: UUID, copy_no: int
) -> int:
    """Ask for each object that is as it was before the import: the lists omit deleted ones.

    Raises the first error, for an import that says it is done must be.
    """
    async with db.unit(tenant_id) as unit:
        references = await _unlisted(unit, copy_no)
    for start in range(0, len(references), _BATCH):
        batch = references[start : start + _BATCH]
        fetched = await fetch_all(provider, batch, _FETCH_SECONDS)
        for error in fetched.errors.values():
            raise error
        present = [copy for copy in fetched.copies.values() if copy is not None]
        missing = [each for each, copy in fetched.copies.items() if copy is None]
        async with db.unit(tenant_id) as unit:
            await write_copies(unit, present, copy_no, missing)
    return len(references)


async def _unlisted(unit: Unit, copy_no: int) -> list[Reference]:
    """What may still change at the provider and was not seen since the number was drawn."""
    rows = await unit.fetch(
        """
        select 'customer' as kind, id
        from customers
        where tenant_id = $1
        and copy_no < $2
        and not deleted
        union all
        select 'payment_method', id
        from payment_methods
        where tenant_id = $1
        and copy_no < $2
        and customer_id is not null
        union all
        select 'product', id
        from products
        where tenant_id = $1
        and copy_no < $2
        and active
        union all
        select 'price', id
        from prices
        where tenant_id = $1
        and copy_no < $2
        and active
        union all
        select 'invoice', id
        from invoices
        where tenant_id = $1
        and copy_no < $2
        and status = 'draft'
        """,
        unit.tenant_id,
        copy_no,
    )
    return [Reference(row["kind"], row["id"]) for row in rows]
