"""Scenarios of a subscription's life: trials, renewals, failures, pauses and ends."""

from typing import Any

from tests.stripe_sandbox.scenarios.scenario import (
    HALF,
    HOUR,
    MONTH,
    START,
    Scenario,
    Steps,
    code_of,
    refusal,
    status,
    statuses,
    totals,
)
from tests.stripe_sandbox.shop import DAY, Shop

_OVERVIEW = "https://docs.stripe.com/billing/subscriptions/overview"
_TRIALS = "https://docs.stripe.com/billing/subscriptions/trials"
_PAUSES = "https://docs.stripe.com/billing/subscriptions/pause-payment"
_CANCEL = "https://docs.stripe.com/billing/subscriptions/cancel"
_RETRIES = "https://docs.stripe.com/billing/revenue-recovery/smart-retries"


async def _trial(shop: Shop) -> Any:
    subscription = await shop.subscribe(await shop.price(1_000), trial_period_days=14)
    begun = subscription.status, await totals(shop)
    await shop.advance(START + 11 * DAY)
    notice = await shop.events("customer.subscription.trial_will_end")
    await shop.advance(START + 14 * DAY + 2 * HOUR)
    return begun, len(notice), await status(shop, subscription.id), await totals(shop)


async def _trial_ended_now(shop: Shop) -> Any:
    subscription = await shop.subscribe(await shop.price(1_000), trial_period_days=14)
    await shop.account.v1.subscriptions.update_async(subscription.id, {"trial_end": "now"})
    return await status(shop, subscription.id), await totals(shop)


def _trial_without_card(behavior: str) -> Steps:
    """What becomes of a trial whose customer left no card."""

    async def steps(shop: Shop) -> Any:
        await shop.account.v1.customers.update_async(
            shop.customer, {"invoice_settings": {"default_payment_method": ""}}
        )
        subscription = await shop.subscribe(
            await shop.price(1_000),
            trial_period_days=7,
            trial_settings={"end_behavior": {"missing_payment_method": behavior}},
        )
        await shop.advance(START + 8 * DAY)
        return await status(shop, subscription.id)

    return steps


async def _renewal(shop: Shop) -> Any:
    await shop.subscribe(await shop.price(1_000))
    seen = []
    for seconds in (1, HOUR - 1, HOUR + 1):
        await shop.advance(MONTH + seconds)
        seen.append((await statuses(shop))[0])
    return seen


async def _recovered(shop: Shop) -> Any:
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.refuse_card("insufficient_funds")
    await shop.advance(MONTH + 2 * HOUR)
    before = await status(shop, subscription.id), (await statuses(shop))[0]
    await shop.account.set(declines={})
    await shop.account.v1.invoices.pay_async((await shop.invoices())[0].id)
    return before, (await status(shop, subscription.id), (await statuses(shop))[0])


async def _expired(shop: Shop) -> Any:
    await shop.refuse_card("generic_decline")
    subscription = await shop.subscribe(
        await shop.price(1_000), payment_behavior="allow_incomplete"
    )
    seen = [subscription.status]
    for hours in (22, 23):
        await shop.advance(START + hours * HOUR)
        seen.append(await status(shop, subscription.id))
    return seen, await statuses(shop)


async def _default_incomplete(shop: Shop) -> Any:
    subscription = await shop.subscribe(
        await shop.price(1_000), payment_behavior="default_incomplete"
    )
    charges = len(await shop.account.charges())
    await shop.account.v1.invoices.pay_async(str(subscription.latest_invoice))
    return subscription.status, charges, await status(shop, subscription.id)


async def _error_if_incomplete(shop: Shop) -> Any:
    await shop.refuse_card("generic_decline")
    price = await shop.price(1_000)
    error = await refusal(shop.subscribe(price, payment_behavior="error_if_incomplete"))
    left = await shop.account.v1.subscriptions.list_async({"status": "all"})
    return error.http_status, code_of(error), left.data


def _dunning(final: str) -> Steps:
    """What a subscription is after all retries have failed."""

    async def steps(shop: Shop) -> Any:
        await shop.account.set(after_retries=final)
        subscription = await shop.subscribe(await shop.price(1_000))
        await shop.refuse_card("insufficient_funds")
        await shop.advance(MONTH + 25 * DAY)
        attempts = (await shop.invoices())[0].attempt_count
        return await status(shop, subscription.id), attempts

    return steps


def _paused(behavior: Any) -> Steps:
    """What the invoices of a paused collection become, and the subscription."""

    async def steps(shop: Shop) -> Any:
        subscription = await shop.subscribe(await shop.price(1_000))
        await shop.account.v1.subscriptions.update_async(
            subscription.id, {"pause_collection": {"behavior": behavior}}
        )
        await shop.advance(MONTH + 2 * HOUR)
        return (await statuses(shop))[0], await status(shop, subscription.id)

    return steps


async def _resumed(shop: Shop) -> Any:
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.account.v1.subscriptions.update_async(
        subscription.id,
        {"pause_collection": {"behavior": "void", "resumes_at": MONTH + DAY}},
    )
    await shop.advance(MONTH + 32 * DAY)
    return (await statuses(shop))[::-1]


async def _cancelled_now(shop: Shop) -> Any:
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.advance(HALF)
    await shop.account.v1.subscriptions.cancel_async(subscription.id)
    await shop.advance(MONTH + DAY)
    customer = await shop.account.v1.customers.retrieve_async(shop.customer)
    return await status(shop, subscription.id), await totals(shop), customer.balance


async def _cancelled_with_credit(shop: Shop) -> Any:
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.advance(HALF)
    await shop.account.v1.subscriptions.cancel_async(
        subscription.id, {"prorate": True, "invoice_now": True}
    )
    customer = await shop.account.v1.customers.retrieve_async(shop.customer)
    return await totals(shop), customer.balance


async def _cancelled_later(shop: Shop) -> Any:
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.account.v1.subscriptions.update_async(
        subscription.id, {"cancel_at_period_end": True}
    )
    seen = []
    for when in (MONTH - 1, MONTH):
        await shop.advance(when)
        seen.append(await status(shop, subscription.id))
    return seen, await totals(shop)


async def _reactivated(shop: Shop) -> Any:
    v1 = shop.account.v1.subscriptions
    subscription = await shop.subscribe(await shop.price(1_000))
    await v1.update_async(subscription.id, {"cancel_at_period_end": True})
    await v1.update_async(subscription.id, {"cancel_at_period_end": False})
    await shop.advance(MONTH + 2 * HOUR)
    return await status(shop, subscription.id), await statuses(shop)


async def _announced(shop: Shop) -> Any:
    await shop.subscribe(await shop.price(1_000))
    seen = []
    for days in (8, 7):
        await shop.advance(MONTH - days * DAY)
        seen.append(len(await shop.events("invoice.upcoming")))
    return seen


async def _renewed_while_away(shop: Shop) -> Any:
    subscription = await shop.subscribe(await shop.price(1_000))
    always = await shop.account.v1.payment_methods.attach_async(
        "pm_card_authenticationRequired", {"customer": shop.customer}
    )
    await shop.account.v1.subscriptions.update_async(
        subscription.id, {"default_payment_method": always.id}
    )
    await shop.advance(MONTH + 2 * HOUR)
    asked = await shop.events("invoice.payment_action_required")
    return await status(shop, subscription.id), len(asked)


async def _paused_whole(shop: Shop) -> Any:
    subscription = await shop.subscribe(await shop.price(1_000))
    v1 = shop.account.v1.subscriptions
    await v1.pause_async(subscription.id, {"type": "subscription"})
    await shop.advance(MONTH + 2 * HOUR)
    return await status(shop, subscription.id), len(await shop.invoices())


async def _begun_by_schedule(shop: Shop) -> Any:
    phases: Any = [{"items": [{"price": await shop.price(1_000), "quantity": 1}]}]
    made = await shop.account.v1.subscription_schedules.create_async(
        {"customer": shop.customer, "start_date": HALF, "phases": phases}
    )
    before = made.status, made.subscription
    await shop.advance(HALF + 2 * HOUR)
    found = await shop.account.v1.subscription_schedules.retrieve_async(made.id)
    return before, found.status, await status(shop, str(found.subscription)), await totals(shop)


async def _customer_deleted(shop: Shop) -> Any:
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.account.v1.customers.delete_async(shop.customer)
    return await status(shop, subscription.id)


ROWS = [
    Scenario("A trial is free, announced three days before its end, and then charged", _TRIALS,
             _trial, (("trialing", [0]), 1, "active", [1_000, 0]), figures=True),
    Scenario("A trial that is ended now is charged now", _TRIALS,
             _trial_ended_now, ("active", [1_000, 0])),
    Scenario("A trial without a card is canceled if it is to be", _TRIALS,
             _trial_without_card("cancel"), "canceled"),
    Scenario("A trial without a card is paused if it is to be", _TRIALS,
             _trial_without_card("pause"), "paused"),
    Scenario("A renewal's invoice is a draft for an hour",
             "https://docs.stripe.com/billing/invoices/subscription",
             _renewal, ["draft", "draft", "paid"], figures=True),
    Scenario("A failed renewal is past due until its invoice is paid", _OVERVIEW,
             _recovered, (("past_due", "open"), ("active", "paid"))),
    Scenario("A first payment that fails expires after 23 hours", _OVERVIEW,
             _expired, (["incomplete", "incomplete", "incomplete_expired"], ["void"]),
             figures=True),
    Scenario("With default_incomplete the first payment is the customer's to make", _OVERVIEW,
             _default_incomplete, ("incomplete", 0, "active")),
    Scenario("With error_if_incomplete a refused card leaves no subscription",
             "https://docs.stripe.com/api/subscriptions/create#create_subscription-payment_behavior",
             _error_if_incomplete, (402, "generic_decline", [])),
    Scenario("After the last retry a subscription stays past due", _RETRIES,
             _dunning("past_due"), ("past_due", 4)),
    Scenario("After the last retry a subscription is unpaid if so set", _RETRIES,
             _dunning("unpaid"), ("unpaid", 4)),
    Scenario("After the last retry a subscription is canceled if so set", _RETRIES,
             _dunning("cancel"), ("canceled", 4)),
    Scenario("A paused collection voids invoices", _PAUSES, _paused("void"), ("void", "active")),
    Scenario("A paused collection gives invoices up", _PAUSES,
             _paused("mark_uncollectible"), ("uncollectible", "active")),
    Scenario("A paused collection keeps drafts", _PAUSES,
             _paused("keep_as_draft"), ("draft", "active")),
    Scenario("A pause ends when it is to resume", _PAUSES, _resumed, ["paid", "void", "paid"]),
    Scenario("Cancelling at once gives nothing back of itself", _CANCEL,
             _cancelled_now, ("canceled", [1_000], 0)),
    Scenario("Cancelling with a proration credits the unused time", _CANCEL,
             _cancelled_with_credit, ([-500, 1_000], -500)),
    Scenario("Cancelling at the period's end lets the period be used", _CANCEL,
             _cancelled_later, (["active", "canceled"], [1_000])),
    Scenario("A cancellation to come can be taken back", _CANCEL,
             _reactivated, ("active", ["paid", "paid"])),
    Scenario("A renewal is announced seven days before",
             "https://docs.stripe.com/billing/subscriptions/webhooks", _announced, [0, 1]),
    Scenario("A renewal whose bank asks fails while the customer is away",
             "https://docs.stripe.com/billing/subscriptions/overview#requires-action",
             _renewed_while_away, ("past_due", 1)),
    Scenario("A paused subscription makes no invoices",
             "https://docs.stripe.com/billing/subscriptions/pause",
             _paused_whole, ("paused", 1)),
    Scenario("A schedule begins its subscription when it says",
             "https://docs.stripe.com/billing/subscriptions/subscription-schedules",
             _begun_by_schedule, (("not_started", None), "active", "active", [1_000])),
    Scenario("Deleting a customer cancels their subscriptions",
             "https://docs.stripe.com/api/customers/delete", _customer_deleted, "canceled"),
]  # fmt: skip
