"""The terms of a subscription: its billing days, one-off charges, notices and due dates."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.annotations import problems
from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import DAY, START, Shop, open_shop

_HOUR = 3_600


def _moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


async def _setup_fee(shop: Shop, amount: int = 500) -> str:
    price = await shop.account.v1.prices.create_async(
        {"product": shop.product, "currency": "usd", "unit_amount": amount}
    )
    return price.id


@pytest.mark.parametrize(
    ("config", "anchor"),
    [
        ({"day_of_month": 15}, "2026-02-15T09:30:00"),
        ({"day_of_month": 31, "hour": 8, "minute": 0, "second": 0}, "2026-03-31T08:00:00"),
        ({"day_of_month": 1, "month": 7, "hour": 0}, "2026-07-01T00:30:00"),
    ],
)
async def test_an_anchor_can_be_described(account: Account, config: Any, anchor: str) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(
        await shop.price(12_000, "year"), billing_cycle_anchor_config=config
    )
    assert subscription.billing_cycle_anchor == _moment(anchor)
    assert problems(subscription.to_dict(for_json=True)) == []


async def test_a_described_day_returns_after_shorter_months(account: Account) -> None:
    shop = await open_shop(account)
    config = {"day_of_month": 31, "hour": 8, "minute": 0, "second": 0}
    await shop.subscribe(await shop.price(1_000), billing_cycle_anchor_config=config)
    await shop.advance(START + 100 * DAY)
    starts = [each.lines.data[0].period.start for each in await shop.invoices()][::-1]
    days = ("2026-02-28T08:00:00", "2026-03-31T08:00:00", "2026-04-30T08:00:00")
    assert starts == [START, *map(_moment, days)]


async def test_a_weekly_price_has_no_day_of_the_month(account: Account) -> None:
    shop = await open_shop(account)
    with pytest.raises(stripe.InvalidRequestError, match="monthly and yearly"):
        await shop.subscribe(
            await shop.price(1_000, "week"), billing_cycle_anchor_config={"day_of_month": 1}
        )


async def test_the_first_invoice_takes_one_off_charges_along(account: Account) -> None:
    shop = await open_shop(account)
    fee = await _setup_fee(shop)
    await shop.subscribe(await shop.price(1_000), add_invoice_items=[{"price": fee, "quantity": 2}])
    (first,) = await shop.invoices()
    assert [line.amount for line in first.lines.data] == [1_000, 1_000]
    assert [line.quantity for line in first.lines.data] == [2, 1]
    await shop.advance(START + 28 * DAY + _HOUR)
    assert [invoice.total for invoice in await shop.invoices()] == [1_000, 2_000]


@pytest.mark.parametrize(
    ("mode", "changes_price", "totals"),
    [
        ("flexible", False, [1_000]),
        ("flexible", True, [1_500, 1_000]),
        ("classic", False, [500, 1_000]),
    ],
)
async def test_a_later_one_off_charge_waits_for_an_invoice(
    account: Account, mode: str, changes_price: bool, totals: list[int]
) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000), billing_mode={"type": mode})
    price = await shop.price(2_000) if changes_price else subscription.items.data[0].price.id
    await account.v1.subscriptions.update_async(
        subscription.id,
        {
            "items": [{"id": subscription.items.data[0].id, "price": price}],
            "add_invoice_items": [{"price": await _setup_fee(shop)}],
            "proration_behavior": "always_invoice",
        },
    )
    assert [invoice.total for invoice in await shop.invoices()] == totals


async def test_a_recurring_price_is_no_one_off_charge(account: Account) -> None:
    shop = await open_shop(account)
    price = await shop.price(1_000)
    with pytest.raises(stripe.InvalidRequestError, match="type=one_time"):
        await shop.subscribe(price, add_invoice_items=[{"price": price}])


async def test_a_renewal_is_announced_a_week_before(account: Account) -> None:
    shop = await open_shop(account)
    await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + 21 * DAY - 1)
    assert await shop.events("invoice.upcoming") == []
    await shop.advance(START + 28 * DAY + _HOUR)
    (event,) = await shop.events("invoice.upcoming")
    upcoming: Any = event.data.object
    assert event.created == START + 21 * DAY
    assert (upcoming["amount_due"], upcoming["created"]) == (1_000, START + 28 * DAY)
    assert problems(event.to_dict(for_json=True)["data"]["object"]) == []
    assert len(await shop.invoices()) == 2


async def test_a_renewal_is_announced_as_early_as_the_account_says(account: Account) -> None:
    shop = await open_shop(account)
    await account.set(upcoming_days=3)
    ending = await shop.subscribe(await shop.price(1_000))
    await shop.subscribe(await shop.price(700, "day"))
    await account.v1.subscriptions.update_async(ending.id, {"cancel_at_period_end": True})
    await shop.subscribe(await shop.price(900))
    await shop.advance(START + 28 * DAY)
    assert [each.created for each in await shop.events("invoice.upcoming")] == [START + 25 * DAY]


async def test_an_invoice_that_is_sent_is_due_in_the_days_given(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(
        await shop.price(1_000), collection_method="send_invoice", days_until_due=10
    )
    (first,) = await shop.invoices()
    assert (subscription.status, first.status) == ("active", "open")
    await shop.advance(START + 28 * DAY + _HOUR)
    renewal, first = await shop.invoices()
    assert (first.status, first.due_date) == ("open", START + 10 * DAY)
    assert renewal.due_date == START + 38 * DAY
    assert await account.charges() == []


async def test_an_anchor_may_outlast_a_trial(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(
        await shop.price(2_800),
        trial_period_days=14,
        trial_settings={
            "end_behavior": {
                "billing_cycle_anchor": "unchanged",
                "missing_payment_method": "create_invoice",
            }
        },
    )
    assert subscription.billing_cycle_anchor == START
    await shop.advance(START + 28 * DAY + _HOUR)
    invoices = await shop.invoices()
    # The rest of the first month, then the second one.
    assert [invoice.total for invoice in invoices] == [2_800, 1_400, 0]
    assert invoices[1].lines.data[0].period.start == START + 14 * DAY
