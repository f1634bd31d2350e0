"""The mirror: copies in any order end as the newest, and nothing that was known is erased."""

import asyncio
from datetime import UTC, datetime
from itertools import permutations
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from guichet.billing.mirror import Reference, draw_copy_no, write_copy, write_missing
from guichet.billing.mirror.whole import Kind
from guichet.db import Database
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
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for

_AT = datetime(2026, 3, 1, tzinfo=UTC)

CUSTOMER = CustomerCopy(
    id="cus_1",
    email="ada@example.com",
    name="Ada",
    currency="eur",
    default_payment_method_id="pm_1",
    created_at=_AT,
)
METHOD = PaymentMethodCopy(
    id="pm_1",
    customer_id="cus_1",
    type="card",
    brand="visa",
    last4="4242",
    exp_month=12,
    exp_year=2030,
    created_at=_AT,
)
PRODUCT = ProductCopy(id="prod_1", name="Lumen", description=None, active=True)
PRICE = PriceCopy(
    id="price_1",
    product_id="prod_1",
    currency="eur",
    unit_amount=1000,
    interval="month",
    interval_count=1,
    active=True,
)
SUBSCRIPTION = SubscriptionCopy(
    id="sub_1",
    customer_id="cus_1",
    status="active",
    currency="eur",
    default_payment_method_id=None,
    cancel_at_period_end=False,
    cancel_at=None,
    canceled_at=None,
    ended_at=None,
    trial_end_at=None,
    current_period_start_at=_AT,
    current_period_end_at=_AT,
    schedule_id=None,
    pending=None,
    created_at=_AT,
    items=(
        ItemCopy(id="si_1", price_id="price_1", quantity=1),
        ItemCopy(id="si_2", price_id="price_2", quantity=None),
    ),
)
INVOICE = InvoiceCopy(
    id="in_1",
    customer_id="cus_1",
    subscription_id="sub_1",
    number="A-1",
    status="open",
    currency="eur",
    total=1000,
    amount_paid=0,
    amount_remaining=1000,
    attempt_count=1,
    next_payment_attempt_at=_AT,
    due_at=None,
    created_at=_AT,
)

#: A copy of each kind, what differs in a later one, and the column that tells them apart.
_KINDS: list[tuple[Copy, dict[str, Any], str, str]] = [
    (CUSTOMER, {"email": "grace@example.com"}, "customers", "email"),
    (METHOD, {"customer_id": None}, "payment_methods", "customer_id"),
    (PRODUCT, {"name": "Lumen Pro"}, "products", "name"),
    (PRICE, {"active": False}, "prices", "active"),
    (SUBSCRIPTION, {"status": "past_due"}, "subscriptions", "status"),
    (INVOICE, {"status": "paid"}, "invoices", "status"),
]


@pytest.fixture
async def tenant(database_urls: DatabaseUrls, db: Database) -> UUID:
    return (await add_merchant(registry_for(database_urls, db))).id


async def _write(db: Database, tenant: UUID, copy: Copy, copy_no: int) -> bool:
    async with db.unit(tenant) as unit:
        return await write_copy(unit, copy, copy_no)


async def _row(db: Database, tenant: UUID, table: str) -> asyncpg.Record:
    async with db.unit(tenant) as unit:
        [row] = await unit.fetch(f"select * from {table}")
    return row


@pytest.mark.parametrize(("copy", "later", "table", "column"), _KINDS, ids=lambda it: str(it)[:12])
async def test_copies_in_any_order_end_as_the_newest(
    db: Database, tenant: UUID, copy: Copy, later: dict[str, Any], table: str, column: str
) -> None:
    newest = msgspec.structs.replace(copy, **later)
    copies = [(copy, 1), (copy, 2), (newest, 3)]
    expected = getattr(newest, column)
    for turn, order in enumerate(permutations(copies)):
        for each, number in order:
            await _write(db, tenant, each, turn * 10 + number)
        row = await _row(db, tenant, table)
        assert (row[column], row["copy_no"]) == (expected, turn * 10 + 3)


async def test_whether_a_copy_was_written_is_answered(db: Database, tenant: UUID) -> None:
    assert await _write(db, tenant, SUBSCRIPTION, 2)
    assert not await _write(db, tenant, SUBSCRIPTION, 2)
    assert not await _write(db, tenant, SUBSCRIPTION, 1)
    assert await _write(db, tenant, SUBSCRIPTION, 3)


async def _items(db: Database, tenant: UUID) -> list[tuple[Any, ...]]:
    async with db.unit(tenant) as unit:
        rows = await unit.fetch(
            "select id, position, price_id, quantity from subscription_items order by position"
        )
    return [tuple(row) for row in rows]


async def test_a_subscription_s_items_are_replaced_whole(db: Database, tenant: UUID) -> None:
    await _write(db, tenant, SUBSCRIPTION, 1)
    assert await _items(db, tenant) == [("si_1", 1, "price_1", 1), ("si_2", 2, "price_2", None)]
    changed = (
        ItemCopy(id="si_3", price_id="price_3", quantity=5),
        ItemCopy(id="si_1", price_id="price_9", quantity=2),
    )
    await _write(db, tenant, msgspec.structs.replace(SUBSCRIPTION, items=changed), 2)
    assert await _items(db, tenant) == [("si_3", 1, "price_3", 5), ("si_1", 2, "price_9", 2)]
    await _write(db, tenant, SUBSCRIPTION, 1)
    assert await _items(db, tenant) == [("si_3", 1, "price_3", 5), ("si_1", 2, "price_9", 2)]
    await _write(db, tenant, msgspec.structs.replace(SUBSCRIPTION, items=()), 3)
    assert await _items(db, tenant) == []


async def test_a_writer_that_waited_for_another_removes_its_items_too(
    db: Database, tenant: UUID
) -> None:
    first = SUBSCRIPTION.items[0]
    await _write(db, tenant, msgspec.structs.replace(SUBSCRIPTION, items=(first,)), 1)
    async with db.unit(tenant) as unit:
        await write_copy(unit, SUBSCRIPTION, 2)
        later = msgspec.structs.replace(SUBSCRIPTION, items=(first,))
        waiting = asyncio.create_task(_write(db, tenant, later, 3))
        while not await unit.fetchval("select exists (select from pg_locks where not granted)"):
            await asyncio.sleep(0.01)
    assert await waiting
    assert [row[0] for row in await _items(db, tenant)] == [first.id]


async def test_a_pending_change_comes_and_goes(db: Database, tenant: UUID) -> None:
    pending = PendingCopy(at=_AT, price_id="price_2", quantity=3)
    scheduled = msgspec.structs.replace(SUBSCRIPTION, schedule_id="sub_sched_1", pending=pending)
    await _write(db, tenant, scheduled, 1)
    row = await _row(db, tenant, "subscriptions")
    assert (row["pending_price_id"], row["pending_quantity"]) == ("price_2", 3)
    assert (row["pending_at"], row["schedule_id"]) == (_AT, "sub_sched_1")
    await _write(db, tenant, SUBSCRIPTION, 2)
    row = await _row(db, tenant, "subscriptions")
    assert (row["pending_price_id"], row["pending_at"], row["schedule_id"]) == (None, None, None)


async def test_a_deleted_customer_keeps_what_was_known(db: Database, tenant: UUID) -> None:
    await _write(db, tenant, CUSTOMER, 1)
    await _write(db, tenant, CustomerCopy(id="cus_1", deleted=True), 2)
    row = await _row(db, tenant, "customers")
    assert (row["deleted"], row["email"], row["created_at"]) == (True, "ada@example.com", _AT)


async def test_an_older_copy_does_not_revive_a_deleted_customer(db: Database, tenant: UUID) -> None:
    await _write(db, tenant, CustomerCopy(id="cus_1", deleted=True), 2)
    assert not await _write(db, tenant, CUSTOMER, 1)
    assert (await _row(db, tenant, "customers"))["deleted"]


@pytest.mark.parametrize(
    ("copy", "kind", "table", "column", "left"),
    [
        (CUSTOMER, "customer", "customers", "deleted", True),
        (METHOD, "payment_method", "payment_methods", "customer_id", None),
        (PRODUCT, "product", "products", "active", False),
        (PRICE, "price", "prices", "active", False),
        (SUBSCRIPTION, "subscription", "subscriptions", "status", "active"),
        (INVOICE, "invoice", "invoices", "status", "open"),
        (
            msgspec.structs.replace(INVOICE, status="draft", number=None),
            "invoice",
            "invoices",
            "status",
            "void",
        ),
    ],
    ids=lambda it: str(it)[:12],
)
async def test_what_the_provider_no_longer_knows_is_noted_and_not_erased(
    db: Database, tenant: UUID, copy: Copy, kind: Kind, table: str, column: str, left: object
) -> None:
    await _write(db, tenant, copy, 2)
    async with db.unit(tenant) as unit:
        assert not await write_missing(unit, Reference(kind, copy.id), 1)
        await write_missing(unit, Reference(kind, copy.id), 3)
    assert (await _row(db, tenant, table))[column] == left


async def test_numbers_grow(db: Database, tenant: UUID) -> None:
    async with db.unit(tenant) as unit:
        first = await draw_copy_no(unit)
        assert await draw_copy_no(unit.connection) > first


async def test_the_same_ids_of_two_tenants_are_two_objects(
    database_urls: DatabaseUrls, db: Database, tenant: UUID
) -> None:
    other = (await add_merchant(registry_for(database_urls, db), "volta", "Volta")).id
    await _write(db, tenant, SUBSCRIPTION, 5)
    theirs = msgspec.structs.replace(SUBSCRIPTION, status="canceled", items=())
    assert await _write(db, other, theirs, 1)
    assert (await _row(db, tenant, "subscriptions"))["status"] == "active"
    assert len(await _items(db, tenant)) == 2
