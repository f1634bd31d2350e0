"""Ends of subscriptions: at once, at a period's end, in the middle of one, and taken back."""

from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import DAY, START, Shop, open_shop

_HOUR = 3_600
_MIDDLE = START + 14 * DAY
_END = START + 28 * DAY


async def _pending(shop: Shop) -> list[int]:
    found = await shop.account.v1.invoice_items.list_async(
        {"customer": shop.customer, "pending": True}
    )
    return [item.amount for item in found.data]


async def test_an_end_within_the_period_gives_the_rest_back(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(2_800))
    await shop.advance(START + DAY)
    ending = await account.v1.subscriptions.update_async(subscription.id, {"cancel_at": _MIDDLE})
    assert (ending.cancel_at, ending.cancel_at_period_end) == (_MIDDLE, False)
    assert ending.items.data[0].current_period_end == _MIDDLE
    assert await _pending(shop) == [-1_400]
    await shop.advance(_END)
    ended = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", _MIDDLE)
    assert [invoice.total for invoice in await shop.invoices()] == [-1_400, 2_800]
    customer = await account.v1.customers.retrieve_async(shop.customer)
    assert customer.balance == -1_400


async def test_without_proration_an_early_end_gives_nothing_back(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(2_800))
    await account.v1.subscriptions.update_async(
        subscription.id, {"cancel_at": _MIDDLE, "proration_behavior": "none"}
    )
    await shop.advance(_END)
    assert [invoice.total for invoice in await shop.invoices()] == [2_800]


async def test_taking_an_early_end_back_costs_what_it_gave(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(2_801))
    change = account.v1.subscriptions.update_async
    await change(subscription.id, {"cancel_at": _MIDDLE + 1})
    undone = await change(subscription.id, {"cancel_at": ""})
    assert (undone.cancel_at, undone.items.data[0].current_period_end) == (None, _END)
    assert sum(await _pending(shop)) == 0
    await shop.advance(_END + _HOUR)
    assert [invoice.total for invoice in await shop.invoices()] == [2_801, 2_801]


async def test_an_early_end_can_be_settled_at_once(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(2_800))
    details: Any = {"cancel_at": _MIDDLE, "proration_behavior": "always_invoice"}
    preview = await account.v1.invoices.create_preview_async(
        {"subscription": subscription.id, "subscription_details": details}
    )
    await account.v1.subscriptions.update_async(subscription.id, details)
    assert [invoice.total for invoice in await shop.invoices()] == [preview.total, 2_800]
    assert preview.total == -1_400


async def test_a_period_that_an_end_cuts_off_is_billed_in_part(account: Account) -> None:
    shop = await open_shop(account)
    price = await shop.price(2_800)
    await shop.subscribe(price, cancel_at=_MIDDLE)
    (first,) = await shop.invoices()
    assert (first.total, first.lines.data[0].period.end) == (1_400, _MIDDLE)
    subscription = await shop.subscribe(await shop.price(3_100))
    later = _END + 10 * DAY
    await account.v1.subscriptions.update_async(subscription.id, {"cancel_at": later})
    await shop.advance(_END + 40 * DAY)
    assert [invoice.total for invoice in await shop.invoices()] == [1_000, 3_100, 1_400]


@pytest.mark.parametrize(
    ("word", "end"),
    [("min_period_end", START + 7 * DAY), ("max_period_end", _END), ("max_billed_until", _END)],
)
async def test_an_end_may_name_the_first_or_the_last_period(
    account: Account, word: Any, end: int
) -> None:
    shop = await open_shop(account)
    prices = [await shop.price(2_800), await shop.price(700, "week")]
    subscription = await account.v1.subscriptions.create_async(
        {"customer": shop.customer, "items": [{"price": price} for price in prices]}
    )
    ending = await account.v1.subscriptions.update_async(subscription.id, {"cancel_at": word})
    assert ending.cancel_at == end
    assert await _pending(shop) == ([-2_100] if word == "min_period_end" else [])


async def test_a_cancellation_keeps_its_reasons(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    ended = await account.v1.subscriptions.cancel_async(
        subscription.id,
        {"cancellation_details": {"comment": "Too much", "feedback": "too_expensive"}},
    )
    details = ended.cancellation_details
    assert details
    assert (details.comment, details.feedback, details.reason) == (
        "Too much", "too_expensive", "cancellation_requested",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("invoice_now", "prorate", "totals", "pending"),
    [
        (False, False, [2_800], []),
        (False, True, [2_800], [-1_400]),
        (True, False, [2_800], []),
        (True, True, [-1_400, 2_800], []),
    ],
)
async def test_cancelling_now_settles_what_it_is_told_to(
    account: Account, invoice_now: bool, prorate: bool, totals: list[int], pending: list[int]
) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(2_800))
    await shop.advance(_MIDDLE)
    await account.v1.subscriptions.cancel_async(
        subscription.id, {"invoice_now": invoice_now, "prorate": prorate}
    )
    assert [invoice.total for invoice in await shop.invoices()] == totals
    assert await _pending(shop) == pending


async def test_prorations_are_net_of_lasting_discounts(account: Account) -> None:
    shop = await open_shop(account)
    coupon = await account.v1.coupons.create_async({"percent_off": 50, "duration": "forever"})
    subscription = await shop.subscribe(await shop.price(2_800), discounts=[{"coupon": coupon.id}])
    await shop.advance(_MIDDLE)
    for price in (await shop.price(5_600), subscription.items.data[0].price.id):
        await account.v1.subscriptions.update_async(
            subscription.id, {"items": [{"id": subscription.items.data[0].id, "price": price}]}
        )
    assert await _pending(shop) == [700, -1_400, 1_400, -700]


async def test_an_ended_subscription_is_not_cancelled_again(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await account.v1.subscriptions.cancel_async(subscription.id)
    with pytest.raises(stripe.InvalidRequestError):
        await account.v1.subscriptions.cancel_async(subscription.id)
