"""The mirror beside the provider: what differs is told, and mended by fetching it anew."""

import asyncio
from uuid import UUID

import msgspec
import pytest
from aiolimiter import AsyncLimiter

from guichet.billing.books import list_differences, read_check
from guichet.billing.books.comparing import Access, confirm
from guichet.billing.mirror import Reference
from guichet.db import Database
from guichet.payments.errors import ProviderKeyRejected, ProviderUnreachable
from tests.billing.books.conftest import Check
from tests.mirrors import held, mirrored
from tests.shops import Shop


async def _break(db: Database, tenant: UUID, statement: str) -> None:
    async with db.unit(tenant) as unit:
        await unit.execute(statement, tenant)


async def test_books_that_are_in_order_say_nothing(check: Check, shop: Shop) -> None:
    books = await check()
    assert books.differences == []
    assert books.is_clean
    assert books.objects == len(await held(shop.port))


_FIELDS = {
    "customer": ("customers", "name = 'Somebody else'"),
    "invoice": ("invoices", "number = 'X'"),
    "payment_method": ("payment_methods", "last4 = '0000'"),
    "price": ("prices", "nickname = 'X'"),
    "product": ("products", "name = 'X'"),
    "subscription": ("subscriptions", "cancel_at_period_end = not cancel_at_period_end"),
    "attempt": ("payment_attempts", "network = 'X'"),
    "test_clock": ("test_clocks", "frozen_at = 'epoch'"),
}


@pytest.mark.parametrize("kind", _FIELDS)
async def test_a_field_that_differs_is_told_with_both_and_mended(
    db: Database, tenant: UUID, check: Check, shop: Shop, kind: str
) -> None:
    table, change = _FIELDS[kind]
    await _break(
        db,
        tenant,
        f"""
        update {table}
        set {change}
        where tenant_id = $1
        and id = (select max(id) from {table} where tenant_id = $1)
        """,
    )
    (told,) = (await check()).differences
    assert (told.rule, told.kind, told.remedy) == ("differs", kind, "fetch_anew")
    (name,) = told.held or {}
    assert (told.held == told.provider) == (kind in ("customer", "payment_method"))
    assert change.startswith(name)
    mended = await check(repair=True)
    assert [it.remedy for it in mended.differences] == ["fetched_anew"]
    assert mended.is_clean
    assert (await check()).differences == []
    assert await mirrored(db, tenant) == await held(shop.port)


async def test_nothing_that_is_personal_is_told_or_kept(
    db: Database, tenant: UUID, check: Check, shop: Shop
) -> None:
    dropped = await shop.sdk.customers.create_async(
        {
            "email": "dropped@example.com",
            "name": "Dropped",
            "phone": "+41440000000",
            "address": {"line1": "Lane 1", "city": "Chur"},
            "shipping": {"name": "Dropped", "address": {"line1": "Lane 1"}},
            "balance": -500,
        }
    )
    await _break(db, tenant, "update customers set email = 'ours@example.com' where tenant_id = $1")
    books = await check()
    async with db.unit(tenant) as unit:
        kept = await list_differences(unit)
    assert kept == sorted(books.differences, key=lambda it: it.key)
    assert {name for it in kept if it.rule == "differs" for name in it.held or {}} == {"email"}
    (new,) = (it.provider for it in kept if it.id == dropped.id)
    assert new is not None
    assert new["balance"] == -500
    text = msgspec.json.encode(kept).decode()
    assert not [it for it in ("example.com", "Dropped", "+4144", "Lane", "Chur") if it in text]


async def test_what_was_never_delivered_is_found_and_fetched(
    db: Database, tenant: UUID, check: Check, shop: Shop
) -> None:
    await shop.subscribe(await shop.add_customer("dropped@example.com"))
    books = await check()
    assert {(it.rule, it.kind) for it in books.differences} == {
        ("not_here", kind)
        for kind in ("attempt", "customer", "invoice", "payment_method", "subscription")
    }
    assert not books.is_clean
    assert (await check(repair=True)).is_clean
    assert await mirrored(db, tenant) == await held(shop.port)


async def test_what_was_deleted_unheard_is_found_and_noted(
    db: Database, tenant: UUID, check: Check, shop: Shop
) -> None:
    gone = await shop.add_customer("gone@example.com")
    assert (await check(repair=True)).is_clean
    await shop.sdk.customers.delete_async(gone)
    books = await check()
    assert {it.id for it in books.differences} >= {gone}
    assert {it.remedy for it in books.differences} == {"fetch_anew"}
    assert (await check(repair=True)).is_clean
    assert (await check()).differences == []


async def test_what_cannot_be_deleted_and_is_not_there_is_for_the_merchant_to_know(
    db: Database, tenant: UUID, check: Check
) -> None:
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            insert into payment_attempts (
              tenant_id, id, status, currency, amount, amount_refunded, created_at, copy_no
            )
            values ($1, 'ch_of_another', 'failed', 'eur', 100, 0, now(), 1)
            """,
            tenant,
        )
    for repair in (False, True):
        (told,) = (await check(repair=repair)).differences
        assert (told.rule, told.id, told.remedy) == (
            "not_there",
            "ch_of_another",
            "tell_merchant",
        )


async def test_the_last_check_is_kept_and_a_difference_keeps_its_time(
    db: Database, tenant: UUID, check: Check
) -> None:
    async def found_at() -> object:
        async with db.unit(tenant) as unit:
            return await unit.fetchval(
                "select found_at from book_differences where tenant_id = $1", tenant
            )

    await _break(db, tenant, "update products set name = 'X' where tenant_id = $1")
    books = await check()
    first = await found_at()
    await check()
    assert await found_at() == first
    async with db.unit(tenant) as unit:
        assert await list_differences(unit) == books.differences
        kept = await read_check(unit)
    assert kept is not None
    assert (kept.objects, kept.differences, kept.repaired) == (books.objects, 1, 0)
    await check(repair=True)
    await check()
    assert await found_at() is None


async def test_a_check_that_comes_to_no_end_says_why(
    db: Database, tenant: UUID, check: Check, shop: Shop
) -> None:
    await check()
    await shop.set(revoked=True)
    with pytest.raises(ProviderKeyRejected):
        await check()
    async with db.unit(tenant) as unit:
        kept = await read_check(unit)
    assert kept is not None
    assert kept.failure == "provider_key_rejected"
    assert kept.finished_at is not None


async def test_an_object_that_the_provider_never_shows_does_not_hold_up_the_others(
    db: Database, tenant: UUID, check: Check, shop: Shop
) -> None:
    await _break(db, tenant, "update customers set name = 'X' where tenant_id = $1")
    customers = sorted(it.id for it in await held(shop.port) if it.kind == "customer")
    path = f"/v1/customers/{customers[0]}"
    await shop.set(
        fail_next_requests=[
            {"mode": "error", "status": 400, "method": "GET", "path": path, "count": 50}
        ]
    )
    told = {it.id: it.rule for it in (await check()).differences}
    assert told == {customers[0]: "not_shown"} | dict.fromkeys(customers[1:], "differs")


async def test_payment_methods_are_looked_at_a_few_customers_at_a_time(
    db: Database, tenant: UUID, check: Check
) -> None:
    await _break(db, tenant, "update payment_methods set last4 = '0000' where tenant_id = $1")
    every = {it.id for it in (await check()).differences}
    await _break(db, tenant, "delete from book_differences where tenant_id = $1")
    first = {it.id for it in (await check(methods_of=1)).differences}
    assert 0 < len(first) < len(every)
    # What was told is told until it is mended, whoever has the turn.
    assert {it.id for it in (await check(methods_of=1)).differences} == every
    await check(methods_of=1)
    assert (await check(repair=True, methods_of=1)).is_clean
    assert (await check()).differences == []


async def test_a_provider_that_is_too_slow_is_named_as_that(
    db: Database, tenant: UUID, shop: Shop
) -> None:
    suspect = Reference("product", shop.product)
    await shop.set(latency_ms=2000)
    access = Access(db, shop.port, tenant, AsyncLimiter(10, 1), patience_s=0.05)
    with pytest.raises(ProviderUnreachable):
        await confirm(access, [suspect], 0)


@pytest.mark.slow
async def test_a_check_that_is_cut_off_is_soon_begun_anew(
    db: Database, tenant: UUID, check: Check, shop: Shop
) -> None:
    await shop.set(latency_ms=300)
    checking = asyncio.ensure_future(check())
    await asyncio.sleep(0.5)
    checking.cancel()
    await asyncio.gather(checking, return_exceptions=True)
    async with db.unit(tenant) as unit:
        row = await unit.fetchrow(
            """
            select failure, due_at < now() + interval '1 hour' as soon
            from book_checks
            where tenant_id = $1
            """,
            tenant,
        )
    assert row is not None
    assert tuple(row) == ("cut_off", True)
