"""The mirror beside what the provider holds, object by object."""

from collections.abc import AsyncIterator
from uuid import UUID

from guichet.billing.mirror import Kind, Reference, held_copies, reference_to
from guichet.db import Database, Unit
from guichet.payments.copies import Copy
from guichet.payments.port import PaymentProvider

_TABLES: dict[Kind, str] = {
    "attempt": "payment_attempts",
    "customer": "customers",
    "invoice": "invoices",
    "payment_method": "payment_methods",
    "price": "prices",
    "product": "products",
    "subscription": "subscriptions",
    "test_clock": "test_clocks",
}


async def held(provider: PaymentProvider) -> dict[Reference, Copy]:
    """Everything that the provider lists."""
    return {reference_to(copy): copy async for copy in _listed(provider)}


async def _listed(provider: PaymentProvider) -> AsyncIterator[Copy]:
    async for product in provider.list_products():
        yield product
    async for price in provider.list_prices():
        yield price
    async for customer in provider.list_customers():
        yield customer
        if customer.test_clock_id:
            clock = await provider.fetch_test_clock(customer.test_clock_id)
            assert clock is not None
            yield clock
        async for method in provider.list_payment_methods(customer.id):
            yield method
    async for subscription in provider.list_subscriptions():
        yield subscription
    async for invoice in provider.list_invoices():
        yield invoice
    async for attempt in provider.list_attempts():
        yield attempt


async def mirrored(db: Database, tenant: UUID) -> dict[Reference, Copy]:
    """Everything that the mirror holds of a tenant."""
    async with db.unit(tenant) as unit:
        return {
            Reference(kind, id_): copy
            for kind, table in _TABLES.items()
            for id_, copy in (await held_copies(unit, kind, await _ids(unit, table))).items()
        }


async def _ids(unit: Unit, table: str) -> list[str]:
    return [row["id"] for row in await unit.fetch(f"select id from {table}")]
