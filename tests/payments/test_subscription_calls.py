"""Every call that changes a subscription: once, whatever is lost, refused, missing or repeated."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest

from guichet.payments.copies import SubscriptionCopy
from guichet.payments.errors import (
    ProviderConflict,
    ProviderError,
    ProviderRefused,
    ProviderUnreachable,
)
from guichet.payments.orders import (
    Cancellation,
    ItemOrder,
    NewSubscription,
    Pause,
    SubscriptionChange,
)
from tests.shops import Shop

#: A subscription at the provider, or the customer of one to be.
Subject = SubscriptionCopy
Call = Callable[[Shop, Subject, str], Awaitable[Any]]
_LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)


class Doing(NamedTuple):
    """A method of the port as one test case."""

    call: Call
    #: Whether what it was called for is so.
    holds: Callable[[SubscriptionCopy], bool]
    #: The same method with another order; None where there is nothing to order.
    other: Call | None = None
    #: What has to be done to the subscription first.
    before: Call | None = None


def _change(shop: Shop, subject: Subject, *, later: bool, quantity: int = 1) -> SubscriptionChange:
    assert subject.current_period_start_at is not None
    item = subject.items[0].id if subject.items else "si_none"
    return SubscriptionChange(
        subscription_id=subject.id,
        items=(ItemOrder(item_id=item, price_id=shop.larger, quantity=quantity),),
        when="period_end" if later else "now",
        proration="always_invoice",
        as_of=subject.current_period_start_at,
    )


async def _schedule(shop: Shop, subject: Subject, key: str) -> SubscriptionCopy:
    return await shop.port.schedule_change(_change(shop, subject, later=True), key)


async def _cancel(shop: Shop, subject: Subject, key: str) -> SubscriptionCopy:
    order = Cancellation(subscription_id=subject.id, when="period_end", feedback="unused")
    return await shop.port.cancel(order, key)


async def _end(shop: Shop, subject: Subject, key: str) -> SubscriptionCopy:
    order = Cancellation(subscription_id=subject.id, when="now", credit=True)
    return await shop.port.cancel(order, key)


async def _pause(shop: Shop, subject: Subject, key: str) -> SubscriptionCopy:
    order = Pause(subscription_id=subject.id, behavior="void", resumes_at=_LATER)
    return await shop.port.pause(order, key)


async def _use_another(shop: Shop, subject: Subject, key: str) -> SubscriptionCopy:
    methods = [it async for it in shop.port.list_payment_methods(subject.customer_id)]
    return await shop.port.use_payment_method(subject.id, methods[0].id if methods else None, key)


def _new(subject: Subject, price: str) -> NewSubscription:
    return NewSubscription(customer_id=subject.customer_id, items=(ItemOrder(price_id=price),))


_DOINGS = {
    "start": Doing(
        lambda shop, it, key: shop.port.start_subscription(_new(it, shop.larger), key),
        lambda copy: copy.status == "incomplete",
        lambda shop, it, key: shop.port.start_subscription(_new(it, shop.yearly), key),
    ),
    "change": Doing(
        lambda shop, it, key: shop.port.change_subscription(_change(shop, it, later=False), key),
        lambda copy: copy.items[0].quantity == 1,
        lambda shop, it, key: shop.port.change_subscription(
            _change(shop, it, later=False, quantity=2), key
        ),
    ),
    "change what has a plan": Doing(
        lambda shop, it, key: shop.port.change_subscription(_change(shop, it, later=False), key),
        lambda copy: copy.pending is None and copy.schedule_id is None,
        before=_schedule,
    ),
    "schedule": Doing(
        _schedule,
        lambda copy: copy.pending is not None and copy.schedule_is_ours,
        lambda shop, it, key: shop.port.schedule_change(
            _change(shop, it, later=True, quantity=2), key
        ),
    ),
    "undo": Doing(
        lambda shop, it, key: shop.port.undo_scheduled_change(it.id, key),
        lambda copy: copy.pending is None and copy.schedule_id is None,
        before=_schedule,
    ),
    "cancel": Doing(
        _cancel,
        lambda copy: copy.cancel_at_period_end and copy.cancellation_feedback == "unused",
        lambda shop, it, key: shop.port.cancel(
            Cancellation(subscription_id=it.id, when="period_end", feedback="other"), key
        ),
    ),
    "cancel what has a plan": Doing(
        _cancel,
        lambda copy: copy.cancel_at_period_end and copy.schedule_id is None,
        before=_schedule,
    ),
    "end": Doing(
        _end,
        lambda copy: copy.status == "canceled",
    ),
    "keep": Doing(
        lambda shop, it, key: shop.port.keep(it.id, key),
        lambda copy: not copy.cancel_at_period_end and copy.cancel_at is None,
        before=_cancel,
    ),
    "pause": Doing(
        _pause,
        lambda copy: copy.pause is not None and copy.pause.resumes_at == _LATER,
        lambda shop, it, key: shop.port.pause(
            Pause(subscription_id=it.id, behavior="keep_as_draft", resumes_at=None), key
        ),
    ),
    "use a method": Doing(
        _use_another,
        lambda copy: copy.default_payment_method_id is not None,
        lambda shop, it, key: shop.port.use_payment_method(it.id, None, key),
    ),
    "use the default method": Doing(
        lambda shop, it, key: shop.port.use_payment_method(it.id, None, key),
        lambda copy: copy.default_payment_method_id is None,
        before=_use_another,
    ),
    "resume": Doing(
        lambda shop, it, key: shop.port.resume(it.id, key),
        lambda copy: copy.pause is None,
        before=_pause,
    ),
}
_ALL = pytest.mark.parametrize("name", _DOINGS)


async def _prepare(shop: Shop, doing: Doing) -> Subject:
    subscription = await shop.subscribe(await shop.add_customer())
    if doing.before:
        await doing.before(shop, await _fetch(shop, subscription.id), f"before {subscription.id}")
    return await _fetch(shop, subscription.id)


async def _fetch(shop: Shop, subscription_id: str) -> SubscriptionCopy:
    copy = await shop.port.fetch_subscription(subscription_id)
    assert copy is not None
    return copy


async def _held(shop: Shop) -> tuple[list[SubscriptionCopy], int]:
    """Everything of the account that a call may change: the newest subscription comes first."""
    invoices = [invoice.id async for invoice in shop.port.list_invoices()]
    return [copy async for copy in shop.port.list_subscriptions()], len(invoices)


@_ALL
async def test_a_repeated_call_is_one_call(shop: Shop, name: str) -> None:
    doing = _DOINGS[name]
    subject = await _prepare(shop, doing)
    first = await doing.call(shop, subject, "key")
    done = await _held(shop)
    assert doing.holds(done[0][0])
    assert await doing.call(shop, subject, "key") == first
    assert await _held(shop) == done


_SUBSCRIPTIONS, _SCHEDULES = "/v1/subscriptions", "/v1/subscription_schedules"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("start", _SUBSCRIPTIONS),
        ("change", _SUBSCRIPTIONS),
        ("change what has a plan", _SUBSCRIPTIONS),
        ("change what has a plan", _SCHEDULES),
        ("schedule", _SCHEDULES),
        # The second of its calls only.
        ("schedule", f"{_SCHEDULES}/"),
        ("undo", _SCHEDULES),
        ("cancel", _SUBSCRIPTIONS),
        ("cancel what has a plan", _SCHEDULES),
        ("cancel what has a plan", _SUBSCRIPTIONS),
        ("end", _SUBSCRIPTIONS),
        ("keep", _SUBSCRIPTIONS),
        ("pause", _SUBSCRIPTIONS),
        ("use a method", _SUBSCRIPTIONS),
        ("use the default method", _SUBSCRIPTIONS),
        ("resume", _SUBSCRIPTIONS),
    ],
)
async def test_a_call_whose_answer_is_lost_is_one_call_when_it_is_repeated(
    shop: Shop, name: str, path: str
) -> None:
    doing = _DOINGS[name]
    twin = await _prepare(shop, doing)
    await doing.call(shop, twin, "undisturbed")
    invoices = (await _held(shop))[1]

    subject = await _prepare(shop, doing)
    # As many losses as there are attempts, so that the line's own repetition does not hide them.
    lost = [{"mode": "lost", "count": 2, "method": it, "path": path} for it in ("POST", "DELETE")]
    await shop.set(fail_next_requests=lost)
    with pytest.raises(ProviderError) as unknown:
        await doing.call(shop, subject, "key")
    assert not unknown.value.outcome_known
    await shop.set(fail_next_requests=[])
    await doing.call(shop, subject, "key")
    subscriptions, made = await _held(shop)
    assert doing.holds(subscriptions[0])
    assert made == 2 * invoices


@_ALL
async def test_a_refused_call_changes_nothing(shop: Shop, name: str) -> None:
    doing = _DOINGS[name]
    subject = await _prepare(shop, doing)
    before = await _held(shop)
    faults = [
        {"mode": "error", "status": 400, "count": 9, "method": it} for it in ("POST", "DELETE")
    ]
    await shop.set(fail_next_requests=faults)
    with pytest.raises(ProviderRefused) as refused:
        await doing.call(shop, subject, "key")
    assert refused.value.outcome_known
    await shop.set(fail_next_requests=[])
    assert await _held(shop) == before


@_ALL
async def test_what_is_not_there_is_refused(shop: Shop, name: str) -> None:
    doing = _DOINGS[name]
    subject = await _prepare(shop, doing)
    missing = msgspec.structs.replace(subject, id="sub_none", customer_id="cus_none")
    with pytest.raises(ProviderRefused) as refused:
        await doing.call(shop, missing, "key")
    assert refused.value.provider_code == "resource_missing"


@pytest.mark.parametrize("name", [name for name, doing in _DOINGS.items() if doing.other])
async def test_a_key_that_was_used_for_another_order_is_a_conflict(shop: Shop, name: str) -> None:
    doing = _DOINGS[name]
    subject = await _prepare(shop, doing)
    await doing.call(shop, subject, "key")
    assert doing.other is not None
    with pytest.raises(ProviderConflict):
        await doing.other(shop, subject, "key")


@_ALL
async def test_a_provider_that_is_away_is_said_to_be_away(shop: Shop, name: str) -> None:
    doing = _DOINGS[name]
    subject = await _prepare(shop, doing)
    await shop.set(fail_next_requests=[{"mode": "refused", "count": 9, "path": "/v1/"}])
    with pytest.raises(ProviderUnreachable):
        await doing.call(shop, subject, "key")
    await shop.set(fail_next_requests=[])
