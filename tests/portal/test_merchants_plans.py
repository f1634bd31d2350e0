"""What a merchant does at the provider is shown in the portal, and a customer cannot undo it."""

from datetime import UTC, datetime, timedelta

import pytest

from guichet.billing.mirror import draw_copy_no, write_copy
from guichet.payments.orders import ItemOrder, Pause, SubscriptionChange
from tests.portal.shop import Shop, hidden_fields

_WHY = "The merchant has planned how this subscription goes on."


async def _look_again(shop: Shop, subscription_id: str) -> None:
    """Bring the mirror up to date, as an event would."""
    provider = await shop.deployment.providers.client(shop.tenant_id)
    copy = await provider.fetch_subscription(subscription_id)
    assert copy is not None
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await write_copy(unit, copy, await draw_copy_no(unit))


async def _plan(shop: Shop, subscription_id: str) -> str:
    """The merchant plans another price for the next period; answers the schedule's id."""
    schedules = shop.stripe.v1.subscription_schedules
    schedule = await schedules.create_async({"from_subscription": subscription_id})
    present = schedule.phases[0]
    await schedules.update_async(
        schedule.id,
        {
            "phases": [
                {
                    "items": [{"price": str(present.items[0].price), "quantity": 1}],
                    "start_date": present.start_date,
                    "end_date": present.end_date,
                },
                {
                    "items": [{"price": shop.prices["scale"], "quantity": 1}],
                    "duration": {"interval": "month"},
                },
            ],
        },
    )
    await _look_again(shop, subscription_id)
    return schedule.id


async def test_a_merchant_s_plan_is_shown_without_a_way_to_undo_it(shop: Shop) -> None:
    subscription = await shop.subscription("ada")
    await _plan(shop, subscription.id)
    async with shop.signed_in("ada") as ada:
        for path in ("/", f"/subscriptions/{subscription.id}"):
            page = (await ada.get(path)).text
            assert "Changes on" in page
            assert "Keep my current plan" not in page


async def test_changing_and_cancelling_say_that_the_merchant_has_a_plan(shop: Shop) -> None:
    subscription = await shop.subscription("ada")
    await _plan(shop, subscription.id)
    async with shop.signed_in("ada") as ada:
        for page in ("change", "cancel"):
            answer = await ada.get(f"/subscriptions/{subscription.id}/{page}")
            assert answer.status_code == 409
            assert _WHY in answer.text


@pytest.mark.parametrize("form", ["cancel", "keep", "change/undo"])
async def test_no_form_touches_a_merchant_s_plan(shop: Shop, form: str) -> None:
    subscription = await shop.subscription("ada")
    path = f"/subscriptions/{subscription.id}"
    async with shop.signed_in("ada") as ada:
        fields = hidden_fields((await ada.get(f"{path}/cancel")).text)
        schedule = await _plan(shop, subscription.id)
        answer = await ada.post(f"{path}/{form}", fields)
        assert answer.status_code == 409
        assert _WHY in answer.text
    assert (await shop.subscription("ada")).schedule == schedule


async def test_a_plan_that_the_mirror_has_not_seen_is_not_touched_either(shop: Shop) -> None:
    subscription = await shop.subscription("ada")
    path = f"/subscriptions/{subscription.id}"
    schedule = await shop.stripe.v1.subscription_schedules.create_async(
        {"from_subscription": subscription.id}
    )
    async with shop.signed_in("ada") as ada:
        fields = hidden_fields((await ada.get(f"{path}/cancel")).text)
        outcome = await ada.follow(f"{path}/cancel", fields)
        assert _WHY in outcome.text
    assert (await shop.subscription("ada")).schedule == schedule.id


async def test_a_pause_and_its_end_are_shown(shop: Shop) -> None:
    subscription = await shop.subscription("ada")
    provider = await shop.deployment.providers.client(shop.tenant_id)
    pause = Pause(
        subscription_id=subscription.id,
        behavior="void",
        resumes_at=datetime(2031, 5, 4, tzinfo=UTC),
    )
    await provider.pause(pause, "pause")
    await _look_again(shop, subscription.id)
    async with shop.signed_in("ada") as ada:
        page = (await ada.get("/")).text
        assert "Payments are paused." in page
        assert "They go on from May 4, 2031." in page


async def test_a_change_that_waits_for_its_payment_is_shown(shop: Shop) -> None:
    subscription = await shop.subscription("ada")
    method = await shop.stripe.v1.payment_methods.attach_async(
        "pm_card_chargeCustomerFail", {"customer": str(subscription.customer)}
    )
    await shop.stripe.v1.subscriptions.update_async(
        subscription.id, {"default_payment_method": method.id}
    )
    item = subscription.to_dict()["items"]["data"][0]["id"]
    change = SubscriptionChange(
        subscription_id=subscription.id,
        items=(ItemOrder(item_id=item, price_id=shop.prices["scale"]),),
        when="now",
        proration="always_invoice",
        unpaid="wait",
        as_of=datetime.now(UTC) - timedelta(minutes=1),
    )
    provider = await shop.deployment.providers.client(shop.tenant_id)
    assert (await provider.change_subscription(change, "change")).pending_update is not None
    await _look_again(shop, subscription.id)
    async with shop.signed_in("ada") as ada:
        assert "A change is waiting for its payment." in (await ada.get("/")).text
