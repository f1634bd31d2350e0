"""Figures are counted when news say so, by one worker at a time, and are what a recount says."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from msgspec.structs import replace

from guichet.metrics.counting import count_past_months, count_today, month_starts
from guichet.metrics.earning import revenue_at, revenue_now
from guichet.metrics.figures import (
    Figures,
    count_figures,
    due_tenants,
    make_figures_due,
    read_figures,
)
from tests.billing.following import (
    ACTIVE,
    CARD,
    DAY,
    DUE,
    NOW,
    PAID,
    PERSON,
    PLAN,
    REFUSED,
    Merchant,
)
from tests.portal.shop import Shop

_PRICE = replace(PLAN[1], unit_amount=1000, unit_amount_exact=None)


async def _read(merchant: Merchant) -> Figures | None:
    async with merchant.db.unit(merchant.tenant_id) as unit:
        return await read_figures(unit)


async def _make_due(merchant: Merchant) -> None:
    await merchant.execute(
        "update tenant_figures set begun_at = now() - interval '1 hour' where tenant_id = $1"
    )
    async with merchant.db.unit(merchant.tenant_id) as unit:
        await make_figures_due(unit)


async def _is_due(merchant: Merchant) -> bool:
    async with merchant.db.system() as connection:
        return merchant.tenant_id in await due_tenants(connection, 10)


async def test_a_new_merchant_is_due_at_once_and_counted_once(merchant: Merchant) -> None:
    assert await _read(merchant) is None
    assert await _is_due(merchant)
    assert await count_figures(merchant.db, merchant.tenant_id)
    assert not await _is_due(merchant)
    assert not await count_figures(merchant.db, merchant.tenant_id)
    figures = await _read(merchant)
    assert figures is not None
    assert figures.today.mrr == {}
    assert len(figures.months) == 13


async def test_of_two_workers_one_counts(merchant: Merchant) -> None:
    counted = await asyncio.gather(
        *(count_figures(merchant.db, merchant.tenant_id) for _ in range(2))
    )
    assert sorted(counted) == [False, True]


async def test_news_make_figures_due_once_a_minute_and_not_more_often(merchant: Merchant) -> None:
    await count_figures(merchant.db, merchant.tenant_id)
    async with merchant.db.unit(merchant.tenant_id) as unit:
        await make_figures_due(unit)
        waits = await unit.fetchval(
            "select due_at - begun_at from tenant_figures where tenant_id = $1", merchant.tenant_id
        )
    assert waits == timedelta(minutes=1)
    assert not await _is_due(merchant)
    await _make_due(merchant)
    assert await _is_due(merchant)


async def test_news_that_come_while_somebody_counts_are_counted_next(merchant: Merchant) -> None:
    await count_figures(merchant.db, merchant.tenant_id)
    await _make_due(merchant)
    async with merchant.db.unit(merchant.tenant_id) as unit:
        # Somebody has begun, and has a lease.
        await unit.execute(
            """
            update tenant_figures
            set begun_at = now(), due_at = now() + interval '5 minutes'
            where tenant_id = $1
            """,
            merchant.tenant_id,
        )
        await make_figures_due(unit)
        waits = await unit.fetchval(
            "select due_at - begun_at from tenant_figures where tenant_id = $1", merchant.tenant_id
        )
    assert waits == timedelta(minutes=1)


async def test_figures_say_what_the_mirror_holds(merchant: Merchant) -> None:
    failed = replace(PAID, id="in_1", created_at=NOW - DAY, paid_at=NOW)
    await merchant.write(
        PERSON,
        CARD,
        PLAN[0],
        _PRICE,
        replace(ACTIVE, created_at=NOW - DAY),
        replace(ACTIVE, id="sub_2", status="past_due"),
        replace(ACTIVE, id="sub_3", status="trialing"),
        replace(ACTIVE, id="sub_4", status="canceled", ended_at=NOW - DAY),
        replace(ACTIVE, id="sub_5", status="incomplete"),
        failed,
        replace(REFUSED, created_at=NOW - DAY),
    )
    await count_figures(merchant.db, merchant.tenant_id)
    figures = await _read(merchant)
    assert figures is not None
    today = figures.today
    assert (today.customers, today.active, today.past_due, today.trialing) == (1, 1, 1, 1)
    assert (today.started, today.ended, today.failed, today.recovered) == (1, 1, 1, 1)
    # Two of ten euros each, for those who are active or past due.
    assert today.mrr == {"eur": 4000}
    assert figures.months[-1].mrr == today.mrr


async def test_kept_figures_are_those_of_a_whole_recount(shop: Shop) -> None:
    db, tenant = shop.deployment.db, shop.tenant_id
    await count_figures(db, tenant)
    async with db.unit(tenant) as unit:
        kept = await read_figures(unit)
        assert kept is not None
        assert kept.today == await count_today(unit)
        assert kept.months[:-1] == await count_past_months(unit, kept.computed_at)
        now = datetime.now(UTC)
        # What invoices were written for is what subscriptions are.
        assert await revenue_at(unit, now) == await revenue_now(unit) != {}
    assert kept.today.active >= 1
    assert [month.name for month in kept.months] == [f"{it:%Y-%m}" for it in month_starts(now)]


async def test_a_year_at_the_sandbox_is_told_month_by_month(shop: Shop) -> None:
    db, tenant = shop.deployment.db, shop.tenant_id
    await count_figures(db, tenant)
    async with db.unit(tenant) as unit:
        kept = await read_figures(unit)
        assert kept is not None
        expected = {}
        for start in month_starts(kept.computed_at)[1:]:
            expected[start] = await _recount(shop, start)
    told = [month.mrr for month in kept.months[:-1]]
    assert told == list(expected.values())
    assert sum(month.started for month in kept.months) >= 4
    assert sum(month.ended for month in kept.months) >= 1
    assert sum(month.failed for month in kept.months) == 1


async def _recount(shop: Shop, moment: datetime) -> dict[str, int]:
    """The revenue at a moment by the provider's own subscriptions, of which none was changed."""
    total: dict[str, float] = {}
    listed = await shop.stripe.v1.subscriptions.list_async({"status": "all", "limit": 100})
    for it in listed.data:
        (item,) = it.items.data if hasattr(it.items, "data") else it["items"].data
        began = max(it.created, it.trial_end or 0)
        ended = it.ended_at or 2**40
        if not began <= moment.timestamp() < ended:
            continue
        recurring = item.price.recurring
        assert recurring is not None
        pace = {"month": 1.0, "year": 1 / 12, "week": 52 / 12}[recurring.interval]
        value = (item.price.unit_amount or 0) * (item.quantity or 0) * pace
        total[it.currency] = total.get(it.currency, 0) + value
    return {currency: int(value + 0.5) for currency, value in total.items()}


async def test_a_change_in_the_middle_of_a_month_counts_from_then_on(merchant: Merchant) -> None:
    """The line of the old plan still runs, but a later one says what the item is."""
    larger = replace(_PRICE, id="price_9", unit_amount=3000)
    line = replace(
        DUE.lines[0],
        id="il_a",
        amount=1000,
        quantity=1,
        price_id="price_1",
        subscription_item_id="si_2",
        period_start_at=NOW - 20 * DAY,
        period_end_at=NOW + 10 * DAY,
    )
    credit = replace(line, id="il_b", amount=-500, proration=True, period_start_at=NOW - 5 * DAY)
    rest = replace(credit, id="il_c", amount=1500, price_id="price_9")
    await merchant.write(
        PERSON,
        PLAN[0],
        _PRICE,
        larger,
        ACTIVE,
        replace(PAID, id="in_1", lines=(line,)),
        replace(PAID, id="in_2", lines=(credit, rest)),
    )
    async with merchant.db.unit(merchant.tenant_id) as unit:
        assert await revenue_at(unit, NOW - 6 * DAY) == {"eur": 1000}
        assert await revenue_at(unit, NOW - 4 * DAY) == {"eur": 3000}
        assert await revenue_at(unit, NOW - 30 * DAY) == {}


async def test_an_item_that_was_removed_counts_no_longer(merchant: Merchant) -> None:
    line = replace(
        DUE.lines[0],
        id="il_a",
        quantity=1,
        subscription_item_id="si_2",
        period_start_at=NOW - 20 * DAY,
        period_end_at=NOW + 10 * DAY,
    )
    credit = replace(line, id="il_b", amount=-500, proration=True, period_start_at=NOW - 5 * DAY)
    await merchant.write(PERSON, PLAN[0], _PRICE, ACTIVE, replace(PAID, lines=(line, credit)))
    async with merchant.db.unit(merchant.tenant_id) as unit:
        assert await revenue_at(unit, NOW - 6 * DAY) == {"eur": 1000}
        assert await revenue_at(unit, NOW - 4 * DAY) == {}


async def test_an_agency_reads_the_figures_of_its_own_merchants_alone(merchant: Merchant) -> None:
    await count_figures(merchant.db, merchant.tenant_id)
    async with merchant.db.system() as connection:
        agency, other = (
            await connection.fetchval("select id from agencies"),
            await connection.fetchval(
                "insert into agencies (slug, name) values ('forge', 'Forge') returning id"
            ),
        )
    for reader, count in ((agency, 1), (other, 0)):
        async with merchant.db.agency(reader) as connection:
            rows = await connection.fetch("select tenant_id, mrr from tenant_figures")
            assert len(rows) == count
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with merchant.db.system() as connection:
            await connection.fetch("select mrr from tenant_figures")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with merchant.db.agency(agency) as connection:
            await connection.fetch("select id from customers")
