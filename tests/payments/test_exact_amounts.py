"""Whatever is changed, what was shown is charged: now, and at the next renewal, to the minor unit.

A sample of all combinations, the same in each run.
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

import pytest

from guichet.payments.answers import Preview
from guichet.payments.orders import ItemOrder, NewSubscription, Proration, SubscriptionChange
from tests.payments.clocks import add_clock, advance
from tests.payments.markets import COUPONS, INTERVALS, SHAPES, Market, invoices
from tests.shops import Shop

_BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
#: Not a whole share of any period, so that amounts have to be rounded.
_CHANGED = _BEGAN + timedelta(days=9, hours=7, minutes=11, seconds=13)


class Case(NamedTuple):
    """One change, ten days into the first period."""

    start: str
    quantity: int
    target: str
    new_quantity: int
    interval: str
    new_interval: str
    #: What becomes of a second item.
    add_on: Literal["none", "kept", "added", "removed"]
    proration: Proration
    anchor: Literal["now", "unchanged"]
    #: The coupon at work, and the one that a code brings.
    running: str | None
    code: str | None
    currency: str


_AXES: dict[str, tuple[Any, ...]] = {
    "start": tuple(SHAPES),
    "quantity": (1, 3, 4),
    "target": tuple(SHAPES),
    "new_quantity": (1, 2, 5),
    "interval": tuple(INTERVALS),
    "new_interval": tuple(INTERVALS),
    "add_on": ("none", "kept", "added", "removed"),
    "proration": ("always_invoice", "create_prorations", "none"),
    "anchor": ("unchanged", "unchanged", "now"),
    "running": (None, None, *COUPONS),
    "code": (None, None, None, *COUPONS),
    "currency": ("eur", "eur", "jpy", "kwd"),
}


def _sample(count: int, **fixed: Any) -> list[Case]:
    chance = random.Random(20261123)
    return [
        Case(**{**{name: chance.choice(values) for name, values in _AXES.items()}, **fixed})
        for _ in range(count)
    ]


async def _subscribe(market: Market, case: Case, customer: str) -> Any:
    items = [{"price": await market.price(case.start, case.interval), "quantity": case.quantity}]
    if case.add_on in ("kept", "removed"):
        items.append({"price": await market.price("addon", case.interval), "quantity": 2})
    parameters: Any = {"customer": customer, "items": items}
    if case.running:
        parameters["discounts"] = [{"coupon": await market.coupon(case.running)}]
    return await market.shop.sdk.subscriptions.create_async(parameters)


async def _change(
    market: Market, case: Case, subscription: Any, when: Literal["now", "period_end"] = "now"
) -> SubscriptionChange:
    held = subscription.items.data
    target = await market.price(case.target, case.new_interval)
    items = [ItemOrder(item_id=held[0].id, price_id=target, quantity=case.new_quantity)]
    add_on = await market.price("addon", case.new_interval)
    if case.add_on == "added":
        items.append(ItemOrder(price_id=add_on, quantity=3))
    elif case.add_on == "removed":
        items.append(ItemOrder(item_id=held[1].id, price_id=add_on, removed=True))
    elif case.add_on == "kept" and case.interval != case.new_interval:
        items.append(ItemOrder(item_id=held[1].id, price_id=add_on, quantity=2))
    return SubscriptionChange(
        subscription_id=subscription.id,
        items=tuple(items),
        when=when,
        proration=case.proration,
        anchor=case.anchor,
        promotion_code_id=await market.code(case.code) if case.code else None,
        as_of=_CHANGED,
    )


def _name(case: Case) -> str:
    return "-".join(map(str, case))


async def _check_renewal(shop: Shop, clock: str, preview: Preview) -> None:
    """Let the time of the next invoice pass: it costs what was shown."""
    made = await invoices(shop)
    await advance(shop, clock, preview.next_at + timedelta(hours=2))
    later = await invoices(shop)
    renewals = [later[each] for each in later.keys() - made.keys()]
    assert [each.created_at for each in renewals] == [preview.next_at]
    assert preview.next_amount.amount == sum(each.amount_paid for each in renewals)


def _sum_shown(preview: Preview) -> int:
    lines = sum(line.amount.amount for line in preview.lines)
    return lines + (preview.adjustment.amount if preview.adjustment else 0)


@pytest.mark.parametrize("case", _sample(60), ids=_name)
async def test_what_a_change_shows_is_what_is_charged(shop: Shop, case: Case) -> None:
    market = Market(shop, case.currency)
    clock = await add_clock(shop, _BEGAN)
    subscription = await _subscribe(market, case, await shop.add_customer(clock=clock))
    await advance(shop, clock, _CHANGED)
    change = await _change(market, case, subscription)
    before = await invoices(shop)

    preview = await shop.port.preview_change(change)
    await shop.port.change_subscription(change, "change")

    made = await invoices(shop)
    due = [made[each] for each in made.keys() - before.keys()]
    assert preview.due_now.amount == sum(each.amount_paid for each in due)
    assert _sum_shown(preview) == (preview.due_now if due else preview.next_amount).amount
    await _check_renewal(shop, clock, preview)


@pytest.mark.parametrize("case", _sample(20, anchor="unchanged"), ids=_name)
async def test_what_a_planned_change_shows_is_what_is_charged_then(shop: Shop, case: Case) -> None:
    market = Market(shop, case.currency)
    clock = await add_clock(shop, _BEGAN)
    subscription = await _subscribe(market, case, await shop.add_customer(clock=clock))
    await advance(shop, clock, _CHANGED)
    change = await _change(market, case, subscription, "period_end")
    before = await invoices(shop)

    preview = await shop.port.preview_change(change)
    await shop.port.schedule_change(change, "change")

    assert preview.due_now.amount == 0
    assert await invoices(shop) == before
    assert _sum_shown(preview) == preview.next_amount.amount
    await _check_renewal(shop, clock, preview)


async def test_what_was_pending_before_is_charged_once(shop: Shop) -> None:
    clock = await add_clock(shop, _BEGAN)
    subscription = await shop.subscribe(await shop.add_customer(clock=clock))
    await advance(shop, clock, _CHANGED)
    item = subscription.items.data[0].id
    await shop.sdk.subscriptions.update_async(
        subscription.id,
        {"items": [{"id": item, "quantity": 2}], "proration_behavior": "create_prorations"},
    )
    change = SubscriptionChange(
        subscription_id=subscription.id,
        items=(ItemOrder(item_id=item, price_id=shop.larger, quantity=2),),
        when="now",
        proration="always_invoice",
        as_of=_CHANGED,
    )
    preview = await shop.port.preview_change(change)
    changed = await shop.port.change_subscription(change, "change")
    due = await shop.port.fetch_invoice(changed.latest_invoice_id or "")
    assert due is not None
    assert preview.due_now.amount == due.amount_paid
    assert preview.next_amount.amount == 6000
    await _check_renewal(shop, clock, preview)


@pytest.mark.parametrize("proration", ["always_invoice", "create_prorations", "none"])
@pytest.mark.parametrize("trial_days", [0, 14])
@pytest.mark.parametrize("moved_by", [0, 3, 30])
async def test_what_a_trial_s_new_end_costs_is_shown(
    shop: Shop, trial_days: int, moved_by: int, proration: Proration
) -> None:
    clock = await add_clock(shop, _BEGAN)
    customer = await shop.add_customer(clock=clock)
    subscription = await shop.subscribe(customer, shop.monthly, trial_days)
    await advance(shop, clock, _CHANGED)
    item = ItemOrder(item_id=subscription.items.data[0].id, price_id=shop.larger)
    change = SubscriptionChange(
        subscription_id=subscription.id,
        items=(item,),
        when="now",
        proration=proration,
        trial_end=_CHANGED + timedelta(days=moved_by),
        as_of=_CHANGED,
    )
    before = await invoices(shop)

    preview = await shop.port.preview_change(change)
    await shop.port.change_subscription(change, "change")

    made = await invoices(shop)
    due = [made[each] for each in made.keys() - before.keys()]
    assert preview.due_now.amount == sum(each.amount_paid for each in due)
    await _check_renewal(shop, clock, preview)


@pytest.mark.parametrize("trial_days", [None, 14])
@pytest.mark.parametrize("code", [None, *COUPONS])
@pytest.mark.parametrize(
    ("shape", "interval", "currency"),
    [("graduated", "monthly", "eur"), ("package", "yearly", "jpy"), ("fine", "quarterly", "kwd")],
)
async def test_what_a_beginning_shows_is_what_is_charged(
    shop: Shop, shape: str, interval: str, currency: str, code: str | None, trial_days: int | None
) -> None:
    market = Market(shop, currency)
    clock = await add_clock(shop, _BEGAN)
    customer = await shop.add_customer(clock=clock)
    order = NewSubscription(
        customer_id=customer,
        items=(
            ItemOrder(price_id=await market.price(shape, interval), quantity=4),
            ItemOrder(price_id=await market.price("addon", interval), quantity=2),
        ),
        promotion_code_id=await market.code(code) if code else None,
        trial_days=trial_days,
    )

    preview = await shop.port.preview_start(order)
    started = await shop.port.start_subscription(order, "start")

    invoice_id = started.subscription.latest_invoice_id or ""
    due = await shop.port.fetch_invoice(invoice_id)
    assert due is not None
    assert preview.due_now.amount == due.amount_due
    assert _sum_shown(preview) == (preview.next_amount if trial_days else preview.due_now).amount
    if due.amount_due:
        await shop.port.charge_invoice(invoice_id, "pay")
    await _check_renewal(shop, clock, preview)
