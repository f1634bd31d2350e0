"""Pauses: of the collection, of the subscription, and their ends."""

from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.annotations import problems
from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import DAY, START, Shop, open_shop

_HOUR = 3_600
_LATER = START + 40 * DAY


async def test_a_paused_subscription_is_not_charged_until_it_resumes(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await account.v1.subscriptions.update_async(
        subscription.id,
        {"pause_collection": {"behavior": "void", "resumes_at": START + 80 * DAY}},
    )
    await shop.advance(START + 95 * DAY)
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert found.pause_collection is None
    statuses = [invoice.status for invoice in await shop.invoices()]
    assert statuses == ["paid", "void", "void", "paid"]


async def test_drafts_of_a_pause_stay_drafts(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await account.v1.subscriptions.update_async(
        subscription.id, {"pause_collection": {"behavior": "keep_as_draft"}}
    )
    await shop.advance(START + 40 * DAY)
    statuses = [invoice.status for invoice in await shop.invoices()]
    assert statuses == ["draft", "paid"]
    resumed = await account.v1.subscriptions.update_async(subscription.id, {"pause_collection": ""})
    assert resumed.pause_collection is None
    await shop.advance(START + 70 * DAY)
    statuses = [invoice.status for invoice in await shop.invoices()]
    assert statuses == ["paid", "draft", "paid"]


async def _paused_trial(shop: Shop) -> stripe.Subscription:
    """A trial that ended without a card."""
    v1 = shop.account.v1
    await v1.customers.update_async(
        shop.customer, {"invoice_settings": {"default_payment_method": ""}}
    )
    subscription = await shop.subscribe(
        await shop.price(1_000),
        trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": "pause"}},
    )
    await shop.advance(_LATER)
    return await v1.subscriptions.retrieve_async(subscription.id)


async def _give_card(shop: Shop, subscription: str, card: str) -> None:
    method = await shop.account.v1.payment_methods.attach_async(card, {"customer": shop.customer})
    await shop.account.v1.subscriptions.update_async(
        subscription, {"default_payment_method": method.id}
    )


async def test_a_pause_tells_since_when_and_why(account: Account) -> None:
    shop = await open_shop(account)
    paused = await _paused_trial(shop)
    assert paused.status_details
    details = paused.status_details.paused
    assert details.subscription.type == "trial_end_without_payment_method"
    assert details.transitioned_at == START + 7 * DAY
    assert problems(paused.to_dict(for_json=True)) == []


async def test_a_paused_trial_is_active_once_its_resumption_is_paid(account: Account) -> None:
    shop = await open_shop(account)
    paused = await _paused_trial(shop)
    await _give_card(shop, paused.id, "pm_card_visa")
    waiting = await account.v1.subscriptions.resume_async(paused.id)
    assert (waiting.status, await account.charges()) == ("paused", [])
    await account.v1.invoices.pay_async(str(waiting.latest_invoice))
    resumed = await account.v1.subscriptions.retrieve_async(paused.id)
    assert (resumed.status, resumed.billing_cycle_anchor) == ("active", _LATER)
    assert resumed.status_details is None
    assert [charge["amount"] for charge in await account.charges()] == [1_000]
    assert len(await shop.events("customer.subscription.resumed")) == 1


@pytest.mark.parametrize(
    ("behavior", "card", "status"),
    [
        ("resume_on_payment_success", "pm_card_visa", "active"),
        ("resume_on_payment_success", "pm_card_chargeCustomerFail", "paused"),
        ("resume_on_payment_attempt", "pm_card_chargeCustomerFail", "past_due"),
    ],
)
async def test_a_resumption_follows_its_payment(
    account: Account, behavior: Any, card: str, status: str
) -> None:
    shop = await open_shop(account)
    paused = await _paused_trial(shop)
    await _give_card(shop, paused.id, card)
    waiting = await account.v1.subscriptions.resume_async(paused.id, {"payment_behavior": behavior})
    if behavior == "resume_on_payment_attempt":
        with pytest.raises(stripe.CardError):
            await account.v1.invoices.pay_async(str(waiting.latest_invoice))
    found = await account.v1.subscriptions.retrieve_async(paused.id)
    assert found.status == status


async def test_an_unpaid_resumption_is_voided_after_a_day(account: Account) -> None:
    shop = await open_shop(account)
    paused = await _paused_trial(shop)
    await account.v1.subscriptions.resume_async(paused.id)
    await shop.advance(_LATER + 23 * _HOUR)
    found = await account.v1.subscriptions.retrieve_async(paused.id)
    assert (found.status, (await shop.invoices())[0].status) == ("paused", "void")


@pytest.mark.parametrize(
    ("since", "credit"), [("now", -500), ("item_current_period_start", -1_000), ("none", 0)]
)
async def test_a_pause_gives_unused_time_back(account: Account, since: Any, credit: int) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + 14 * DAY)
    paused = await account.v1.subscriptions.pause_async(
        subscription.id,
        {"bill_for": {"unused_time_from": {"type": since}}, "invoicing_behavior": "invoice"},
    )
    assert paused.status == "paused"
    totals = [invoice.total for invoice in await shop.invoices()]
    assert totals == ([credit, 1_000] if credit else [1_000])
    await shop.advance(START + 100 * DAY)
    assert len(await shop.invoices()) == len(totals)


@pytest.mark.parametrize(
    ("behavior", "totals", "pending"),
    [
        ("always_invoice", [500, 1_000], []),
        ("create_prorations", [1_000], [500]),
        ("none", [1_000], []),
    ],
)
async def test_resuming_within_the_period_bills_its_rest(
    account: Account, behavior: Any, totals: list[int], pending: list[int]
) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    v1 = account.v1.subscriptions
    await v1.pause_async(subscription.id, {"bill_for": {"unused_time_from": {"type": "none"}}})
    await shop.advance(START + 14 * DAY)
    resumed = await v1.resume_async(
        subscription.id,
        {
            "billing_cycle_anchor": {"type": "unchanged"},
            "proration_behavior": behavior,
            "payment_behavior": "resume_on_payment_success",
        },
    )
    assert (resumed.status, resumed.billing_cycle_anchor) == ("active", START)
    assert [invoice.total for invoice in await shop.invoices()] == totals
    waiting = await account.v1.invoice_items.list_async(
        {"customer": shop.customer, "pending": True}
    )
    assert [item.amount for item in waiting.data] == pending
