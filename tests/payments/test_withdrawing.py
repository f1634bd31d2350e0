"""A schedule that was begun for a change and that somebody ended before it was planned."""

from datetime import UTC, datetime

import pytest

from guichet.payments.errors import ProviderRefused, ProviderUnreachable
from guichet.payments.orders import ItemOrder, SubscriptionChange
from tests.shops import Shop


@pytest.mark.parametrize("end", ["release", "cancel"])
async def test_a_change_whose_schedule_was_ended_meanwhile_is_refused(shop: Shop, end: str) -> None:
    customer = await shop.add_customer()
    subscription = await shop.subscribe(customer)
    change = SubscriptionChange(
        subscription_id=subscription.id,
        items=(ItemOrder(item_id=subscription.items.data[0].id, price_id=shop.larger),),
        when="period_end",
        proration="none",
        as_of=datetime.now(UTC).replace(microsecond=0),
    )
    lost = {"mode": "lost", "method": "POST", "path": "/v1/subscription_schedules", "count": 2}
    await shop.set(fail_next_requests=[lost])
    with pytest.raises(ProviderUnreachable):
        await shop.port.schedule_change(change, "key")
    service = shop.sdk.subscription_schedules
    [schedule] = (await service.list_async()).data
    await (service.release_async if end == "release" else service.cancel_async)(schedule.id)
    # Whoever repeats it is answered with the schedule as it was, for as long as keys are kept.
    with pytest.raises(ProviderRefused):
        await shop.port.schedule_change(change, "key")
