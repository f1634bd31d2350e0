"""The mirror beside what the provider holds, object by object."""

from typing import Any
from uuid import UUID

from guichet.db import Database, Unit
from guichet.payments.copies import (
    Copy,
    CustomerCopy,
    InvoiceCopy,
    ItemCopy,
    PaymentMethodCopy,
    PendingCopy,
    PriceCopy,
    ProductCopy,
    SubscriptionCopy,
)
from guichet.payments.port import PaymentProvider


async def held(provider: PaymentProvider) -> dict[str, Copy]:
    """Everything that the provider lists, by id."""
    copies: dict[str, Copy] = {}
    async for product in provider.list_products():
        copies[product.id] = product
    async for price in provider.list_prices():
        copies[price.id] = price
    async for customer in provider.list_customers():
        copies[customer.id] = customer
        async for method in provider.list_payment_methods(customer.id):
            copies[method.id] = method
    async for subscription in provider.list_subscriptions():
        copies[subscription.id] = subscription
    async for invoice in provider.list_invoices():
        copies[invoice.id] = invoice
    return copies


async def mirrored(db: Database, tenant: UUID) -> dict[str, Copy]:
    """Everything that the mirror holds of a tenant, by id, as copies."""
    async with db.unit(tenant) as unit:
        copies: list[Copy] = [
            *[CustomerCopy(**row) for row in await _rows(unit, "customers")],
            *[PaymentMethodCopy(**row) for row in await _rows(unit, "payment_methods")],
            *[ProductCopy(**row) for row in await _rows(unit, "products")],
            *[PriceCopy(**row) for row in await _rows(unit, "prices")],
            *[InvoiceCopy(**row) for row in await _rows(unit, "invoices")],
            *await _subscriptions(unit),
        ]
    return {copy.id: copy for copy in copies}


async def _subscriptions(unit: Unit) -> list[SubscriptionCopy]:
    items: dict[str, list[ItemCopy]] = {}
    for row in sorted(await _rows(unit, "subscription_items"), key=lambda it: it.pop("position")):
        items.setdefault(row.pop("subscription_id"), []).append(ItemCopy(**row))
    return [
        SubscriptionCopy(**_pending(row), items=tuple(items.get(row["id"], ())))
        for row in await _rows(unit, "subscriptions")
    ]


def _pending(row: dict[str, Any]) -> dict[str, Any]:
    at, price = row.pop("pending_at"), row.pop("pending_price_id")
    quantity = row.pop("pending_quantity")
    pending = PendingCopy(at=at, price_id=price, quantity=quantity) if at else None
    return {**row, "pending": pending}


async def _rows(unit: Unit, table: str) -> list[dict[str, Any]]:
    rows = [dict(row) for row in await unit.fetch(f"select * from {table}")]
    for row in rows:
        row.pop("tenant_id")
        row.pop("copy_no", None)
    return rows
