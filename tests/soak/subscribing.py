"""What a merchant does to subscriptions, past us."""

import time
from typing import Any

from tests.soak.account import Account

_DAY = 86_400


async def subscribe(account: Account) -> None:
    chance = account.chance
    person = account.pick(account.people)
    prices = chance.sample(account.prices, k=min(len(account.prices), chance.choice([1, 1, 1, 2])))
    wanted: Any = {
        "customer": person.id,
        "items": [{"price": each, "quantity": chance.randint(1, 9)} for each in prices],
        "payment_behavior": chance.choice(["allow_incomplete", "default_incomplete"]),
    }
    match chance.randrange(6):
        case 0:
            wanted["trial_period_days"] = chance.choice([3, 14])
        case 1:
            wanted |= {"collection_method": "send_invoice", "days_until_due": 10}
        case 2 if account.codes:
            wanted["discounts"] = [{"promotion_code": account.pick(account.codes)}]
    made = await account.sdk.subscriptions.create_async(wanted)
    account.add_subscription(made.id, person.id)


async def change_subscription(account: Account) -> None:
    chance = account.chance
    subscription = await account.subscription()
    item = chance.choice(subscription.items)
    changed: Any = {"id": item.id, "quantity": chance.randint(1, 9)}
    if chance.random() < 0.4:
        changed["price"] = account.pick(account.prices)
    behaviors = ["create_prorations", "always_invoice", "none"]
    payment = ["allow_incomplete", "pending_if_incomplete", "error_if_incomplete"]
    wanted: Any = {
        "items": [changed],
        "proration_behavior": chance.choice(behaviors),
        "payment_behavior": chance.choice(payment),
    }
    await account.sdk.subscriptions.update_async(subscription.id, wanted)


async def mark_subscription(account: Account) -> None:
    """What touches no price: metadata, an end, a card of its own, a pause."""
    chance = account.chance
    subscription = await account.subscription()
    match chance.randrange(5):
        case 0:
            change: Any = {"metadata": {"note": account.word()}}
        case 1:
            change = {"cancel_at_period_end": chance.random() < 0.6}
        case 2:
            change = {"default_payment_method": await account.card(subscription.customer_id)}
        case 3:
            behavior = chance.choice(["void", "keep_as_draft", "mark_uncollectible"])
            change = {"pause_collection": {"behavior": behavior}}
        case _:
            change = {"pause_collection": ""}
    await account.sdk.subscriptions.update_async(subscription.id, change)


async def end_subscription(account: Account) -> None:
    subscription = await account.subscription()
    ending: Any = {"invoice_now": account.chance.random() < 0.3, "prorate": True}
    await account.sdk.subscriptions.cancel_async(subscription.id, ending)


async def plan_subscription(account: Account) -> None:
    """A schedule of the merchant's own, which is released or cancelled later."""
    service = account.sdk.subscription_schedules
    listed = await service.list_async({"limit": 10})
    active = [it.id for it in listed.data if it.status in ("active", "not_started")]
    if active and account.chance.random() < 0.5:
        schedule = account.chance.choice(active)
        end = service.release_async if account.chance.random() < 0.8 else service.cancel_async
        await end(schedule)
        return
    subscription = await account.subscription()
    await service.create_async({"from_subscription": subscription.id})


async def begin_later(account: Account) -> None:
    """A schedule that begins a subscription by itself."""
    person = account.pick(account.people)
    now = int(time.time())
    if person.clock:
        clock = await account.sdk.test_helpers.test_clocks.retrieve_async(person.clock)
        now = clock.frozen_time
    phase = {
        "items": [{"price": account.pick(account.prices), "quantity": 2}],
        "duration": {"interval": "month", "interval_count": 2},
    }
    wanted: Any = {
        "customer": person.id,
        "start_date": now + 5 * _DAY if account.chance.random() < 0.5 else "now",
        "phases": [phase],
        "end_behavior": account.chance.choice(["release", "cancel"]),
    }
    made = await account.sdk.subscription_schedules.create_async(wanted)
    if isinstance(made.subscription, str):
        account.add_subscription(made.subscription, person.id)
