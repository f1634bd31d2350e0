"""What a soak looks with can see: each kind of difference, and what explains it."""

from random import Random
from uuid import UUID

import pytest

from guichet.billing.importing import import_tenant
from guichet.billing.mirror import Reference, draw_copy_no, write_copy
from guichet.db import Database
from tests.shops import Shop, open_shop
from tests.soak import equality
from tests.soak.account import Account


@pytest.fixture
async def account(shop: Shop, tenant: UUID, db: Database) -> Account:
    """One with a customer who pays every month, and a mirror that is complete."""
    await shop.subscribe(await shop.add_customer())
    await import_tenant(db, shop.port, tenant)
    return Account(shop, tenant, db, Random(1))


async def test_a_complete_mirror_does_not_differ(account: Account) -> None:
    compared = await equality.compare(account)
    assert compared.objects >= 8
    assert compared.differences == []


async def test_a_change_that_nobody_told_of_is_seen_and_explained(account: Account) -> None:
    [customer] = (await account.sdk.customers.list_async()).data
    before = {event["id"] for event in await equality.everything(account, "events")}
    await account.sdk.customers.update_async(customer.id, {"name": "Grace"})
    [difference] = (await equality.compare(account)).differences
    assert equality.fields(difference) == {"name": ("Ada", "Grace")}
    events = await equality.everything(account, "events")
    stored = await equality.stored_events(account)
    [missed] = equality.missed(events, stored, before)
    assert missed.reference == difference.reference == Reference("customer", customer.id)


@pytest.mark.parametrize(
    ("kind", "field", "statement"),
    [
        ("invoice", "lines", "delete from invoice_lines where tenant_id = $1"),
        ("invoice", "payments", "delete from invoice_payments where tenant_id = $1"),
        (
            "subscription",
            "items",
            "delete from subscription_items where tenant_id = $1",
        ),
        ("attempt", "amount", "update payment_attempts set amount = 1 where tenant_id = $1"),
    ],
)
async def test_a_part_that_is_not_as_it_was_is_seen(
    account: Account, kind: str, field: str, statement: str
) -> None:
    async with account.db.unit(account.tenant_id) as unit:
        await unit.execute(statement, account.tenant_id)
    [difference] = (await equality.compare(account)).differences
    assert difference.reference.kind == kind
    assert list(equality.fields(difference)) == [field]


async def test_what_belongs_to_another_account_is_seen(account: Account, sandbox: str) -> None:
    async with open_shop(sandbox, f"{account.shop.key}_stranger") as stranger:
        product = await stranger.port.fetch_product(stranger.product)
    assert product is not None
    async with account.db.unit(account.tenant_id) as unit:
        await write_copy(unit, product, await draw_copy_no(unit))
    [difference] = (await equality.compare(account)).differences
    assert difference.reference == Reference("product", product.id)
    assert difference.theirs is None


async def test_a_renamed_coupon_is_told_from_another_discount(account: Account) -> None:
    [subscription] = (await account.sdk.subscriptions.list_async()).data
    coupon = await account.sdk.coupons.create_async({"percent_off": 10, "name": "Spring"})
    update = account.sdk.subscriptions.update_async
    await update(subscription.id, {"discounts": [{"coupon": coupon.id}]})
    [added] = (await equality.compare(account)).differences
    assert not equality.is_of_coupon(added)
    copy = await account.port.fetch_subscription(subscription.id)
    assert copy is not None
    async with account.db.unit(account.tenant_id) as unit:
        await write_copy(unit, copy, await draw_copy_no(unit))
    await account.sdk.coupons.update_async(coupon.id, {"name": "Summer"})
    [renamed] = (await equality.compare(account)).differences
    assert equality.is_of_coupon(renamed)
    await update(subscription.id, {"cancel_at_period_end": True})
    [more] = (await equality.compare(account)).differences
    assert not equality.is_of_coupon(more)
