"""Events applied: the mirror becomes what the provider holds, whatever the events say."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from guichet.billing.subscriptions import Subscription
from guichet.db import Database
from guichet.payments.choose import SECRET_KEY, Providers
from guichet.payments.orders import Cancellation
from guichet.settings import Settings
from guichet.webhooks.apply import Applier
from guichet.webhooks.storing import EventStore, StoredEvent
from tests.deliveries import event
from tests.payments.clocks import add_clock, advance
from tests.shops import Shop, set_secret

_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def applier(db: Database, providers: Providers) -> Applier:
    return Applier(db, providers)


async def _store(db: Database, tenant: UUID, *events: dict[str, Any]) -> None:
    store = EventStore(db, lambda _: None)
    for each in events:
        subject = each["data"]["object"]
        await store.store(
            StoredEvent(
                tenant,
                each["id"],
                each["type"],
                str(subject.get("id")),
                datetime.fromtimestamp(each["created"], UTC),
                msgspec.json.encode(each),
            )
        )


async def _rows(db: Database, tenant: UUID) -> dict[str, asyncpg.Record]:
    async with db.unit(tenant) as unit:
        rows = await unit.fetch(
            """
            select id, handled_at, claimed_until, tries, failure
            from provider_events
            where tenant_id = $1
            """,
            tenant,
        )
    return {row["id"]: row for row in rows}


async def _subscription(db: Database, tenant: UUID, subscription_id: str) -> Subscription:
    async with db.unit(tenant) as unit:
        document = await unit.fetchval(
            """
            select document::text
            from subscription_documents
            where tenant_id = $1
            and id = $2
            """,
            tenant,
            subscription_id,
        )
    return msgspec.json.decode(document, type=Subscription)


async def _ripen(db: Database, tenant: UUID) -> None:
    """Let the time that failed events wait for pass."""
    async with db.unit(tenant) as unit:
        await unit.execute(
            "update provider_events set claimed_until = null where tenant_id = $1", tenant
        )


def _about(number: int, kind: str, identifier: str) -> dict[str, Any]:
    return event(number, f"{kind}.updated", id=identifier, object=kind)


async def test_one_event_brings_all_that_a_page_shows_beside_it(
    applier: Applier, db: Database, tenant: UUID, shop: Shop
) -> None:
    subscription = await shop.subscribe(await shop.add_customer())
    await _store(db, tenant, _about(1, "subscription", subscription.id))
    await applier.handle_events(tenant)
    mirrored = await _subscription(db, tenant, subscription.id)
    price = mirrored.items[0].price
    assert price is not None
    assert (price.product, price.amount and price.amount.amount) == ("Lumen", 1000)
    async with db.unit(tenant) as unit:
        email = await unit.fetchval("select email from customers where tenant_id = $1", tenant)
    assert email == "ada@example.com"
    assert (await _rows(db, tenant))["evt_000001"]["handled_at"] is not None


async def test_a_customer_brings_the_clock_they_live_by_and_its_events_move_it(
    applier: Applier, db: Database, tenant: UUID, shop: Shop
) -> None:
    clock = await add_clock(shop, _NOON)
    customer = await shop.add_customer(clock=clock)

    async def lives_at() -> datetime | None:
        async with db.unit(tenant) as unit:
            at: datetime | None = await unit.fetchval(
                """
                select clock.frozen_at
                from customers as customer
                join test_clocks as clock
                  on clock.tenant_id = $1
                  and clock.id = customer.test_clock_id
                where customer.tenant_id = $1
                and customer.id = $2
                """,
                tenant,
                customer,
            )
        return at

    await _store(db, tenant, _about(1, "customer", customer))
    await applier.handle_events(tenant)
    assert await lives_at() == _NOON
    await advance(shop, clock, _NOON + timedelta(days=1))
    await _store(db, tenant, _about(2, "test_helpers.test_clock", clock))
    await applier.handle_events(tenant)
    assert await lives_at() == _NOON + timedelta(days=1)


async def test_with_a_clock_go_those_who_live_by_it(
    applier: Applier, db: Database, tenant: UUID, shop: Shop
) -> None:
    clock = await add_clock(shop, _NOON)
    customer, other = await shop.add_customer(clock=clock), await shop.add_customer()
    await _store(db, tenant, _about(1, "customer", customer), _about(2, "customer", other))
    await applier.handle_events(tenant)
    await shop.sdk.test_helpers.test_clocks.delete_async(clock)
    await _store(db, tenant, _about(3, "test_helpers.test_clock", clock))
    await applier.handle_events(tenant)
    async with db.unit(tenant) as unit:
        rows = await unit.fetch("select id from customers where deleted")
    assert [row["id"] for row in rows] == [customer]


async def test_the_event_s_own_copy_is_not_believed(
    applier: Applier, db: Database, tenant: UUID, shop: Shop
) -> None:
    subscription = await shop.subscribe(await shop.add_customer())
    stale = _about(1, "subscription", subscription.id)
    stale["data"]["object"]["status"] = "canceled"
    await _store(db, tenant, stale)
    await applier.handle_events(tenant)
    assert (await _subscription(db, tenant, subscription.id)).status == "active"


async def test_a_schedule_s_event_brings_its_subscription(
    applier: Applier, db: Database, tenant: UUID, shop: Shop
) -> None:
    subscription = await shop.subscribe(await shop.add_customer())
    schedule = event(
        1,
        "subscription_schedule.released",
        id="sub_sched_1",
        object="subscription_schedule",
        subscription=None,
        released_subscription=subscription.id,
    )
    await _store(db, tenant, schedule)
    await applier.handle_events(tenant)
    assert (await _subscription(db, tenant, subscription.id)).id == subscription.id


@pytest.mark.parametrize(
    "unknown",
    [
        event(1, "treasury.moved", id="obj_1", object="treasury"),
        event(1, "invoice.upcoming", object="invoice"),
        event(1, "customer.updated", id=7, object="customer"),
        event(1, "strange", object=["customer"]),
        event(1, "product.deleted", id="prod_gone", object="product"),
    ],
    ids=lambda it: str(it["type"]),
)
async def test_what_touches_nothing_is_stamped_and_does_no_harm(
    applier: Applier, db: Database, tenant: UUID, shop: Shop, unknown: dict[str, Any]
) -> None:
    assert shop.key
    await _store(db, tenant, unknown)
    await applier.handle_events(tenant)
    row = (await _rows(db, tenant))["evt_000001"]
    assert row["handled_at"] is not None
    assert row["failure"] is None


async def test_a_poisonous_event_holds_up_nobody_else_s(
    applier: Applier, db: Database, tenant: UUID, shop: Shop
) -> None:
    customers = [await shop.add_customer(f"{n}@example.com") for n in range(3)]
    path = f"/v1/customers/{customers[0]}"
    await shop.set(
        fail_next_requests=[{"mode": "error", "status": 400, "path": path, "count": 100}]
    )
    await _store(db, tenant, *(_about(n, "customer", it) for n, it in enumerate(customers)))
    await applier.handle_events(tenant)
    rows = await _rows(db, tenant)
    assert rows["evt_000000"]["handled_at"] is None
    assert rows["evt_000000"]["failure"] == "provider_refused"
    assert rows["evt_000000"]["claimed_until"] is not None
    assert rows["evt_000001"]["handled_at"] is not None
    assert rows["evt_000002"]["handled_at"] is not None


async def test_a_value_that_our_tables_do_not_take_holds_up_its_own_event_only(
    applier: Applier, db: Database, tenant: UUID, shop: Shop
) -> None:
    good = await shop.add_customer()
    # PostgreSQL stores no NUL: it stands for all that nobody thought of.
    bad = await shop.sdk.customers.create_async({"name": "nul \x00 nul"})
    await _store(db, tenant, _about(1, "customer", bad.id), _about(2, "customer", good))
    await applier.handle_events(tenant)
    rows = await _rows(db, tenant)
    assert rows["evt_000001"]["failure"] == "not_applicable"
    assert rows["evt_000002"]["handled_at"] is not None


async def test_an_event_waits_longer_each_time_and_is_applied_in_the_end(
    applier: Applier, db: Database, tenant: UUID, shop: Shop
) -> None:
    customer = await shop.add_customer()
    await shop.set(
        fail_next_requests=[{"mode": "error", "status": 400, "path": "/v1/customers/", "count": 2}]
    )
    await _store(db, tenant, _about(1, "customer", customer))
    waits = []
    for _ in range(2):
        await applier.handle_events(tenant)
        row = (await _rows(db, tenant))["evt_000001"]
        async with db.unit(tenant) as unit:
            waits.append(await unit.fetchval("select $1 - now()", row["claimed_until"]))
        await _ripen(db, tenant)
    assert waits[1] > 1.5 * waits[0]
    await applier.handle_events(tenant)
    row = (await _rows(db, tenant))["evt_000001"]
    assert (row["handled_at"] is not None, row["tries"], row["failure"]) == (True, 3, None)


async def test_a_rejected_key_stops_a_tenant_until_it_is_replaced(
    db: Database, providers: Providers, settings: Settings, tenant: UUID, shop: Shop
) -> None:
    applier = Applier(db, providers)
    customer = await shop.add_customer()
    await shop.set(revoked=True)
    await _store(db, tenant, _about(1, "customer", customer))
    for _ in range(5):
        await applier.handle_events(tenant)
        await _ripen(db, tenant)
    row = (await _rows(db, tenant))["evt_000001"]
    assert (row["tries"], row["failure"]) == (1, "provider_key_rejected")

    await shop.set(revoked=False)
    await set_secret(settings, db, tenant, SECRET_KEY, shop.key)
    providers.forget(tenant)
    applier.forget(tenant)
    await applier.handle_events(tenant)
    assert (await _rows(db, tenant))["evt_000001"]["handled_at"] is not None


async def test_an_outage_pauses_a_tenant_and_is_over_when_the_provider_is_back(
    db: Database, providers: Providers, tenant: UUID, shop: Shop
) -> None:
    now = [100.0]
    applier = Applier(db, providers, clock=lambda: now[0])
    customer = await shop.add_customer()
    await shop.set(fail_next_requests=[{"mode": "refused", "count": 2}])
    await _store(db, tenant, _about(1, "customer", customer))
    for _ in range(3):
        await applier.handle_events(tenant)
        await _ripen(db, tenant)
    assert (await _rows(db, tenant))["evt_000001"]["tries"] == 1
    now[0] += 5
    await applier.handle_events(tenant)
    assert (await _rows(db, tenant))["evt_000001"]["handled_at"] is not None


async def test_a_tenant_without_a_key_keeps_its_events(
    db: Database, providers: Providers, shop: Shop
) -> None:
    nobody = UUID(int=9)
    assert shop.key
    await _store(db, nobody, _about(1, "customer", "cus_1"))
    await Applier(db, providers).handle_events(nobody)
    row = (await _rows(db, nobody))["evt_000001"]
    assert (row["handled_at"], row["failure"]) == (None, "provider_key_rejected")


async def test_many_events_about_one_object_fetch_it_once(
    applier: Applier, db: Database, tenant: UUID, shop: Shop
) -> None:
    customer = await shop.add_customer()
    # Only the first question fails: whoever asked a second time would be answered.
    await shop.set(
        fail_next_requests=[{"mode": "error", "status": 400, "path": "/v1/customers/", "count": 1}]
    )
    await _store(db, tenant, *(_about(n, "customer", customer) for n in range(30)))
    await applier.handle_events(tenant)
    rows = await _rows(db, tenant)
    assert [row["failure"] for row in rows.values()] == ["provider_refused"] * 30


async def test_events_in_any_order_and_number_end_where_the_provider_is(
    db: Database, providers: Providers, tenant: UUID, shop: Shop
) -> None:
    subscription = await shop.subscribe(await shop.add_customer())
    await shop.sdk.subscriptions.update_async(
        subscription.id,
        {"items": [{"id": subscription.items.data[0].id, "price": shop.larger, "quantity": 4}]},
    )
    ending = Cancellation(subscription_id=subscription.id, when="period_end")
    await shop.port.cancel(ending, "key")
    since = datetime.now(UTC) - timedelta(hours=1)
    listed = [msgspec.json.decode(it.body) async for it in shop.port.list_events(since)]
    order = random.Random(7)
    order.shuffle(listed)
    for number, each in enumerate(listed):
        await _store(db, tenant, *[each] * order.randint(1, 3))
        if number % 7 == 0:
            await Applier(db, providers).handle_events(tenant)
    await Applier(db, providers).handle_events(tenant)
    mirrored = await _subscription(db, tenant, subscription.id)
    truth = await shop.port.fetch_subscription(subscription.id)
    assert truth is not None
    assert mirrored.cancel_at_period_end
    assert mirrored.cancel_at == truth.cancel_at
    assert [(item.id, item.quantity) for item in mirrored.items] == [
        (item.id, item.quantity) for item in truth.items
    ]
