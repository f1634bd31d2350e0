"""Every answer satisfies the SDK's own annotations for its object."""

from typing import Any

import pytest

from tests.stripe_sandbox.annotations import problems
from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import DAY, START, Shop, open_shop

_LISTS = (
    "/v1/charges", "/v1/checkout/sessions", "/v1/coupons", "/v1/customers", "/v1/events",
    "/v1/invoice_payments", "/v1/invoiceitems", "/v1/invoices", "/v1/payment_intents",
    "/v1/prices", "/v1/products", "/v1/promotion_codes", "/v1/setup_intents",
    "/v1/subscription_schedules", "/v1/test_helpers/test_clocks", "/v1/webhook_endpoints",
)  # fmt: skip


async def _live_a_little(account: Account) -> None:
    """Make one of everything, in many states."""
    v1 = account.v1
    shop = await open_shop(account)
    await v1.webhook_endpoints.create_async(
        {"url": "http://127.0.0.1:9/none", "enabled_events": ["coupon.deleted"]}
    )
    coupon = await v1.coupons.create_async({"percent_off": 25, "duration": "repeating",
                                            "duration_in_months": 3})  # fmt: skip
    await v1.promotion_codes.create_async(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "spring"}
    )
    basic, pro, yearly = (
        await shop.price(1_000),
        await shop.price(2_500),
        await shop.price(9_999, "year"),
    )
    plain = await shop.subscribe(basic, quantity=3, discounts=[{"coupon": coupon.id}])
    trial = await shop.subscribe(pro, trial_period_days=10, metadata={"kind": "trial"})
    ending = await shop.subscribe(yearly, cancel_at_period_end=True)
    await v1.subscription_schedules.create_async({"from_subscription": trial.id})
    await v1.invoice_items.create_async(
        {"customer": shop.customer, "amount": 500, "currency": "usd", "description": "Setup"}
    )
    await shop.advance(START + 12 * DAY)
    await v1.subscriptions.update_async(
        plain.id, {"items": [{"id": plain.items.data[0].id, "price": pro}]}
    )
    await shop.refuse_card("insufficient_funds")
    await v1.subscriptions.update_async(
        plain.id,
        {
            "items": [{"id": plain.items.data[0].id, "quantity": 5}],
            "proration_behavior": "always_invoice",
        },
    )
    await v1.subscriptions.cancel_async(ending.id, {"prorate": True, "invoice_now": True})
    await shop.advance(START + 45 * DAY)
    await v1.subscriptions.update_async(plain.id, {"pause_collection": {"behavior": "void"}})
    await shop.advance(START + 80 * DAY)
    await _pay_by_hand(shop)


async def _pay_by_hand(shop: Shop) -> None:
    """Payments and cards of a customer who is there, and answers the bank or does not."""
    v1 = shop.account.v1
    card: Any = {"payment_method": "pm_card_authenticationRequired", "confirm": True,
                 "return_url": "http://shop.localhost/"}  # fmt: skip
    setup: Any = {"customer": shop.customer, **card}
    payment: Any = {"amount": 700, "currency": "usd", "customer": shop.customer, **card}
    for outcome in ("complete", "fail"):
        for asked in (
            await v1.payment_intents.create_async(payment),
            await v1.setup_intents.create_async(setup),
        ):
            assert asked.next_action
            assert asked.next_action.redirect_to_url
            bank = str(asked.next_action.redirect_to_url.url)
            await shop.account.http.post(bank, content=f"outcome={outcome}")
    given: Any = {"mode": "setup", "currency": "usd", "customer": shop.customer,
                  "success_url": "http://shop.localhost/"}  # fmt: skip
    left = await v1.checkout.sessions.create_async(given)
    typed = {"number": "4242424242424242", "expiry": "12/34", "cvc": "123", "name": "Ada"}
    await shop.account.http.post(str(left.url), data=typed)
    closed = await v1.checkout.sessions.create_async(given)
    await v1.checkout.sessions.expire_async(closed.id)
    await v1.checkout.sessions.create_async(given)


async def _every(account: Account, path: str, **filters: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    params: dict[str, str] = {"limit": "100", **filters}
    while True:
        page = (await account.http.get(path, params=params)).json()
        found += page["data"]
        if not page["has_more"]:
            return found
        params["starting_after"] = page["data"][-1]["id"]


@pytest.fixture(name="lived_in")
async def lived_in_account(account: Account) -> Account:
    """An account in which much has happened."""
    await _live_a_little(account)
    return account


async def test_every_listed_and_retrieved_object_matches_the_sdk(lived_in: Account) -> None:
    wrong: list[str] = []
    for path in _LISTS:
        objects = await _every(lived_in, path)
        assert objects, f"nothing was made for {path}"
        for listed in objects:
            wrong += problems(listed)
        one = (await lived_in.http.get(f"{path}/{objects[0]['id']}")).json()
        assert one == objects[0], path
    subscriptions = await _every(lived_in, "/v1/subscriptions", status="all")
    assert {each["status"] for each in subscriptions} >= {"canceled", "past_due"}
    customer = subscriptions[0]["customer"]
    methods = await _every(lived_in, f"/v1/customers/{customer}/payment_methods")
    account = (await lived_in.http.get("/v1/account")).json()
    for each in [*subscriptions, *methods, account]:
        wrong += problems(each)
    assert wrong == []


async def test_the_object_of_every_event_matches_the_sdk(lived_in: Account) -> None:
    events = await _every(lived_in, "/v1/events")
    wrong = [found for event in events for found in problems(event["data"]["object"])]
    assert wrong == []
    assert {event["type"] for event in events} >= {
        "charge.failed",
        "charge.succeeded",
        "checkout.session.completed",
        "checkout.session.expired",
        "customer.created",
        "customer.subscription.created",
        "customer.subscription.deleted",
        "customer.subscription.trial_will_end",
        "customer.subscription.updated",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_failed",
        "invoice.voided",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_method.attached",
        "setup_intent.canceled",
        "setup_intent.created",
        "setup_intent.requires_action",
        "setup_intent.setup_failed",
        "setup_intent.succeeded",
        "subscription_schedule.created",
        "test_helpers.test_clock.ready",
    }


async def test_expanded_and_previewed_objects_match_the_sdk(lived_in: Account) -> None:
    found = await lived_in.http.get(
        "/v1/subscriptions",
        params={
            "status": "all",
            "expand[0]": "data.latest_invoice.payments.data.payment.payment_intent",
            "expand[1]": "data.customer",
            "expand[2]": "data.schedule",
        },
    )
    subscriptions = found.json()["data"]
    assert isinstance(subscriptions[0]["customer"], dict)
    live = next(each for each in subscriptions if each["status"] != "canceled")
    preview = await lived_in.http.post(
        "/v1/invoices/create_preview", data={"subscription": live["id"]}
    )
    wrong = [found for each in [*subscriptions, preview.json()] for found in problems(each)]
    assert wrong == []


def test_the_walker_itself_sees_what_is_wrong() -> None:
    broken = {"object": "test_helpers.test_clock", "id": 7, "status": "late", "created": 1,
              "deletes_after": 1, "frozen_time": 1, "livemode": False, "extra": 1}  # fmt: skip
    found = problems(broken)
    assert any(".id: expected str" in each for each in found)
    assert any("'late' is none of" in each for each in found)
    assert any(".status_details: missing" in each for each in found)
    assert any(".extra: unknown" in each for each in found)
