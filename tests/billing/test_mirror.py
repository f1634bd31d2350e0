"""The mirror: copies in any order end as the newest, and nothing that was known is erased."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guichet.billing.mirror import (
    Reference,
    draw_copy_no,
    held_copies,
    reference_to,
    write_copies,
    write_copy,
)
from guichet.db import Database
from guichet.payments.copies import Copy, CustomerCopy
from tests.billing.samples import (
    AT,
    CLOCK,
    CUSTOMER,
    INVOICE,
    LATER,
    METHOD,
    PRICE,
    PRODUCT,
    SUBSCRIPTION,
    bare,
)
from tests.billing.samples import WHOLE as COPIES
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for


@pytest.fixture
async def tenant(database_urls: DatabaseUrls, db: Database) -> UUID:
    return (await add_merchant(registry_for(database_urls, db))).id


async def _write(db: Database, tenant: UUID, copy: Copy, copy_no: int) -> bool:
    async with db.unit(tenant) as unit:
        return await write_copy(unit, copy, copy_no)


async def _held(db: Database, tenant: UUID, reference: Reference) -> Copy | None:
    async with db.unit(tenant) as unit:
        return (await held_copies(unit, reference.kind, [reference.id])).get(reference.id)


async def _row(db: Database, tenant: UUID, table: str) -> asyncpg.Record:
    async with db.unit(tenant) as unit:
        [row] = await unit.fetch(f"select * from {table}")
    return row


def _name(copy: object) -> str:
    return type(copy).__name__


@pytest.mark.parametrize("copy", COPIES, ids=_name)
async def test_what_is_written_is_held_field_by_field(
    db: Database, tenant: UUID, copy: Copy
) -> None:
    assert await _write(db, tenant, copy, 1)
    assert await _held(db, tenant, reference_to(copy)) == copy
    assert (bare(copy) == copy) == (copy is CLOCK)
    assert await _write(db, tenant, bare(copy), 2)
    assert await _held(db, tenant, reference_to(copy)) == bare(copy)
    assert await _write(db, tenant, copy, 3)
    assert await _held(db, tenant, reference_to(copy)) == copy


async def test_copies_of_all_kinds_are_written_at_once(db: Database, tenant: UUID) -> None:
    async with db.unit(tenant) as unit:
        written = await write_copies(unit, COPIES, 1)
        assert written == {reference_to(copy) for copy in COPIES}
        assert await write_copies(unit, COPIES, 1) == set()
        newer = [msgspec.structs.replace(PRODUCT, id="prod_2"), PRODUCT]
        assert await write_copies(unit, newer, 1) == {Reference("product", "prod_2")}


async def test_whether_a_copy_was_written_is_answered(db: Database, tenant: UUID) -> None:
    assert await _write(db, tenant, SUBSCRIPTION, 2)
    assert not await _write(db, tenant, SUBSCRIPTION, 2)
    assert not await _write(db, tenant, SUBSCRIPTION, 1)
    assert await _write(db, tenant, SUBSCRIPTION, 3)


async def test_nothing_is_held_of_what_was_never_seen(db: Database, tenant: UUID) -> None:
    assert await _held(db, tenant, reference_to(CUSTOMER)) is None


def _version(copy: Copy, copy_no: int) -> Copy:
    """A copy that differs from those with other numbers, in its children too."""
    whole = copy if copy_no % 3 else bare(copy)
    changed: dict[str, object] = {}
    for field in ("items", "lines", "payments"):
        children = getattr(whole, field, ())
        if children:
            extra = msgspec.structs.replace(children[0], id=f"extra_{copy_no % 2}")
            changed[field] = (extra, *children[copy_no % 2 :])
    if isinstance(whole, CustomerCopy) and copy_no % 5 == 4:
        return CustomerCopy(id=copy.id, deleted=True)
    return msgspec.structs.replace(whole, **changed)


_BATCHES = st.lists(st.sets(st.sampled_from(range(len(COPIES))), min_size=1), max_size=6)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(batches=_BATCHES, together=st.booleans(), data=st.data())
async def test_copies_in_any_order_end_as_the_newest(
    db: Database, tenant: UUID, batches: list[set[int]], together: bool, data: st.DataObject
) -> None:
    mark = uuid4().hex
    objects = [msgspec.structs.replace(copy, id=f"{mark}_{copy.id}") for copy in COPIES]
    numbered = [
        (number, [_version(objects[place], number) for place in sorted(places)])
        for number, places in enumerate(batches, 1)
    ]
    newest = {reference_to(copy): copy for _, copies in numbered for copy in copies}

    async def write(copy_no: int, copies: Sequence[Copy]) -> None:
        async with db.unit(tenant) as unit:
            await write_copies(unit, copies, copy_no)

    order = data.draw(st.permutations(numbered))
    if together:
        await asyncio.gather(*(write(*batch) for batch in order))
    else:
        for batch in order:
            await write(*batch)
    assert {it: await _held(db, tenant, it) for it in newest} == newest


async def test_a_writer_that_waited_for_another_removes_its_items_too(
    db: Database, tenant: UUID
) -> None:
    first = SUBSCRIPTION.items[0]
    later = msgspec.structs.replace(SUBSCRIPTION, items=(first,))
    await _write(db, tenant, later, 1)
    async with db.unit(tenant) as unit:
        await write_copy(unit, SUBSCRIPTION, 2)
        waiting = asyncio.create_task(_write(db, tenant, later, 3))
        while not await unit.fetchval("select exists (select from pg_locks where not granted)"):
            await asyncio.sleep(0.01)
    assert await waiting
    assert await _held(db, tenant, reference_to(later)) == later


async def test_a_clock_never_goes_back(db: Database, tenant: UUID) -> None:
    later = msgspec.structs.replace(CLOCK, frozen_at=LATER)
    assert await _write(db, tenant, CLOCK, 2)
    assert await _write(db, tenant, later, 1)
    assert await _held(db, tenant, reference_to(CLOCK)) == later
    assert (await _row(db, tenant, "test_clocks"))["copy_no"] == 2
    assert await _write(db, tenant, CLOCK, 3)
    assert await _held(db, tenant, reference_to(CLOCK)) == later
    assert not await _write(db, tenant, CLOCK, 1)


async def test_a_clock_that_is_gone_is_left_as_it_was(db: Database, tenant: UUID) -> None:
    await _write(db, tenant, CLOCK, 1)
    async with db.unit(tenant) as unit:
        assert not await write_copies(unit, [], 2, missing=[reference_to(CLOCK)])
    assert await _held(db, tenant, reference_to(CLOCK)) == CLOCK


async def test_a_deleted_customer_keeps_what_was_known(db: Database, tenant: UUID) -> None:
    gone = CustomerCopy(id="cus_1", deleted=True)
    await _write(db, tenant, CUSTOMER, 1)
    await _write(db, tenant, gone, 2)
    row = await _row(db, tenant, "customers")
    assert (row["deleted"], row["email"], row["created_at"]) == (True, "ada@example.com", AT)
    assert await _held(db, tenant, reference_to(gone)) == gone


async def test_an_older_copy_does_not_revive_a_deleted_customer(db: Database, tenant: UUID) -> None:
    await _write(db, tenant, CustomerCopy(id="cus_1", deleted=True), 2)
    assert not await _write(db, tenant, CUSTOMER, 1)
    assert (await _row(db, tenant, "customers"))["deleted"]


@pytest.mark.parametrize(
    ("copy", "table", "column", "left"),
    [
        (CUSTOMER, "customers", "deleted", True),
        (METHOD, "payment_methods", "customer_id", None),
        (PRODUCT, "products", "active", False),
        (PRICE, "prices", "active", False),
        (SUBSCRIPTION, "subscriptions", "status", "active"),
        (INVOICE, "invoices", "status", "open"),
        (msgspec.structs.replace(INVOICE, status="draft"), "invoices", "status", "void"),
    ],
    ids=_name,
)
async def test_what_the_provider_no_longer_knows_is_noted_and_not_erased(
    db: Database, tenant: UUID, copy: Copy, table: str, column: str, left: object
) -> None:
    await _write(db, tenant, copy, 2)
    async with db.unit(tenant) as unit:
        assert not await write_copies(unit, [], 1, missing=[reference_to(copy)])
        await write_copies(unit, [], 3, missing=[reference_to(copy)])
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
    assert await _held(db, tenant, reference_to(SUBSCRIPTION)) == SUBSCRIPTION
    assert await _held(db, other, reference_to(theirs)) == theirs


@pytest.mark.parametrize("copy", [CUSTOMER, METHOD, PRICE, PRODUCT], ids=_name)
async def test_two_writers_wait_for_each_other_whatever_becomes_of_each_object(
    db: Database, tenant: UUID, copy: Copy
) -> None:
    # In the order of a language, the one with the capital letter would be the later one.
    first, last = (msgspec.structs.replace(copy, id=f"{copy.id}_{end}") for end in "Ba")

    async def write(living: Copy, missing: Copy, copy_no: int) -> None:
        async with db.unit(tenant) as unit:
            await write_copies(unit, [living], copy_no, [reference_to(missing)])

    async with db.unit(tenant) as unit:
        await write_copies(unit, [first, last], 1)
    async with db.unit(tenant) as unit:
        await write_copies(unit, [first, last], 2)
        crossed = asyncio.gather(write(last, first, 3), write(first, last, 4))
        waiting = "select count(1) from pg_locks where not granted"
        while await unit.fetchval(waiting) < 2:
            await asyncio.sleep(0.01)
    await crossed
    assert await _held(db, tenant, reference_to(first)) == first
    assert await _held(db, tenant, reference_to(last)) != last
