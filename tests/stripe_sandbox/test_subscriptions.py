"""Subscriptions: how they begin, are paid, fall behind, recover and end."""

import pytest
import stripe

from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import DAY, START, open_shop


async def test_a_subscription_is_charged_when_it_begins(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000), quantity=2)
    assert subscription.status == "active"
    (charge,) = await account.charges()
    assert (charge["amount"], charge["status"]) == (2_000, "succeeded")
    (invoice,) = await shop.invoices()
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == (
        "paid", 2_000, "subscription_create",
    )  # fmt: skip
    item = subscription.items.data[0]
    assert (item.current_period_start, item.current_period_end) == (START, START + 28 * DAY)


async def test_a_renewal_is_drafted_for_an_hour_and_then_charged(account: Account) -> None:
    shop = await open_shop(account)
    await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + 28 * DAY)
    newest = (await shop.invoices())[0]
    assert (newest.status, newest.billing_reason) == ("draft", "subscription_cycle")
    await shop.advance(START + 28 * DAY + 3_600)
    assert (await shop.invoices())[0].status == "paid"
    assert len(await account.charges()) == 2


async def test_a_trial_is_free_and_then_charged(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000), trial_period_days=14)
    assert (subscription.status, subscription.trial_end) == ("trialing", START + 14 * DAY)
    assert await account.charges() == []
    await shop.advance(START + 15 * DAY)
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert (found.status, found.billing_cycle_anchor) == ("active", START + 14 * DAY)
    assert len(await account.charges()) == 1
    assert len(await shop.events("customer.subscription.trial_will_end")) == 1


@pytest.mark.parametrize(("behavior", "status"), [("cancel", "canceled"), ("pause", "paused")])
async def test_a_trial_without_a_card_ends_as_it_is_told(
    account: Account, behavior: str, status: str
) -> None:
    shop = await open_shop(account)
    customers = account.v1.customers
    await customers.update_async(
        shop.customer, {"invoice_settings": {"default_payment_method": ""}}
    )
    subscription = await shop.subscribe(
        await shop.price(1_000),
        trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": behavior}},
    )
    await shop.advance(START + 40 * DAY)
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert found.status == status
    assert await account.charges() == []


async def test_a_refused_first_payment_leaves_it_incomplete_and_then_expires(
    account: Account,
) -> None:
    shop = await open_shop(account, card="pm_card_chargeCustomerFail")
    subscription = await shop.subscribe(await shop.price(1_000))
    assert subscription.status == "incomplete"
    await shop.advance(START + DAY)
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert found.status == "incomplete_expired"
    assert (await shop.invoices())[0].status == "void"


async def test_error_if_incomplete_leaves_nothing_behind(account: Account) -> None:
    shop = await open_shop(account, card="pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError) as refused:
        await shop.subscribe(await shop.price(1_000), payment_behavior="error_if_incomplete")
    assert refused.value.code == "card_declined"
    assert await shop.invoices() == []


async def test_a_failed_renewal_is_retried_and_then_stays_past_due(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.refuse_card("insufficient_funds")
    await shop.advance(START + 29 * DAY)
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert found.status == "past_due"
    invoice = (await shop.invoices())[0]
    first_try = START + 28 * DAY + 3_600
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    assert invoice.next_payment_attempt == first_try + 3 * DAY
    await shop.advance(START + 28 * DAY + 20 * DAY)
    invoice = (await shop.invoices())[0]
    assert (invoice.attempt_count, invoice.next_payment_attempt) == (4, None)
    failed = [charge for charge in await account.charges() if charge["status"] == "failed"]
    assert {charge["outcome"]["network_advice_code"] for charge in failed} == {"02"}
    await account.set(declines={})
    paid = await account.v1.invoices.pay_async(invoice.id)
    assert paid.status == "paid"
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert found.status == "active"


async def test_a_hard_decline_is_not_retried(account: Account) -> None:
    shop = await open_shop(account)
    await shop.subscribe(await shop.price(1_000))
    await shop.refuse_card("stolen_card")
    await shop.advance(START + 50 * DAY)
    invoice = (await shop.invoices())[0]
    assert (invoice.attempt_count, invoice.next_payment_attempt) == (1, None)


@pytest.mark.parametrize(("setting", "status"), [("unpaid", "unpaid"), ("cancel", "canceled")])
async def test_the_last_retry_ends_as_the_account_says(
    account: Account, setting: str, status: str
) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await account.set(retry_days=[1], after_retries=setting)
    await shop.refuse_card("insufficient_funds")
    await shop.advance(START + 31 * DAY)
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert found.status == status


async def test_what_is_unpaid_is_active_again_once_its_debt_is_paid(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await account.set(retry_days=[1], after_retries="unpaid")
    await shop.refuse_card("insufficient_funds")
    await shop.advance(START + 31 * DAY)
    debt = (await shop.invoices())[0]
    before = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert (debt.status, before.status) == ("open", "unpaid")
    await account.set(declines={})
    paid = await account.v1.invoices.pay_async(debt.id)
    assert paid.status == "paid"
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert found.status == "active"


async def test_cancelling_at_period_end_can_be_undone(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    v1 = account.v1.subscriptions
    ending = await v1.update_async(subscription.id, {"cancel_at_period_end": True})
    assert ending.cancel_at == START + 28 * DAY
    undone = await v1.update_async(subscription.id, {"cancel_at_period_end": False})
    assert (undone.cancel_at, undone.canceled_at) == (None, None)
    await v1.update_async(subscription.id, {"cancel_at_period_end": True})
    await shop.advance(START + 60 * DAY)
    ended = await v1.retrieve_async(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", START + 28 * DAY)
    assert len(await account.charges()) == 1


async def test_cancelling_now_with_proration_credits_the_unused_time(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(2_800))
    await shop.advance(START + 14 * DAY)
    await account.v1.subscriptions.cancel_async(
        subscription.id, {"prorate": True, "invoice_now": True}
    )
    assert (await shop.invoices())[0].total == -1_400
    customer = await account.v1.customers.retrieve_async(shop.customer)
    assert customer.balance == -1_400


async def test_a_coupon_is_taken_off_for_as_long_as_it_lasts(account: Account) -> None:
    shop = await open_shop(account)
    coupon = await account.v1.coupons.create_async(
        {"percent_off": 50, "duration": "repeating", "duration_in_months": 2}
    )
    await shop.subscribe(await shop.price(1_001), discounts=[{"coupon": coupon.id}])
    await shop.advance(START + 100 * DAY)
    totals = [invoice.total for invoice in await shop.invoices()]
    assert totals == [1_001, 1_001, 500, 500]


async def test_a_preview_leaves_out_a_discount_that_is_over_by_then(account: Account) -> None:
    shop = await open_shop(account)
    coupon = await account.v1.coupons.create_async(
        {"percent_off": 50, "duration": "repeating", "duration_in_months": 2}
    )
    subscription = await shop.subscribe(
        await shop.price(1_001, interval="year"), discounts=[{"coupon": coupon.id}]
    )
    preview = await account.v1.invoices.create_preview_async({"subscription": subscription.id})
    assert preview.total == 1_001


async def test_yen_have_no_cents(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000, currency="jpy"))
    invoice = (await shop.invoices())[0]
    assert (subscription.currency, invoice.amount_paid) == ("jpy", 1_000)
    assert "¥1,000 / month" in str(invoice.lines.data[0].description)
