"""What is shown before confirming is what is charged, now and at the next renewal."""

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import pytest

from guichet.payments.orders import ItemOrder, Proration, SubscriptionChange
from tests.payments.clocks import add_clock, advance
from tests.shops import Shop

DAY = timedelta(days=1)
BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Case(NamedTuple):
    """A change ten days into the period."""

    start: str
    target: str
    quantity: int
    proration: Proration
    trial_days: int = 0
    #: How long the customer reads before confirming: the moment to count from is then past.
    read_for: timedelta = timedelta(0)


_CASES = [
    Case("monthly", "larger", 1, "always_invoice"),
    Case("monthly", "larger", 1, "create_prorations"),
    Case("monthly", "larger", 1, "none"),
    Case("monthly", "monthly", 3, "always_invoice"),
    Case("larger", "monthly", 1, "always_invoice"),
    Case("larger", "monthly", 1, "create_prorations"),
    Case("monthly", "yearly", 1, "always_invoice"),
    Case("monthly", "yearly", 1, "create_prorations"),
    Case("yearly", "monthly", 1, "always_invoice"),
    Case("monthly", "larger", 1, "always_invoice", trial_days=14),
    Case("monthly", "larger", 1, "create_prorations", trial_days=14),
    Case("monthly", "yearly", 1, "always_invoice", trial_days=14),
    Case("monthly", "larger", 1, "always_invoice", read_for=timedelta(minutes=5)),
    Case("monthly", "yearly", 1, "always_invoice", read_for=timedelta(minutes=5)),
    Case("yearly", "monthly", 1, "always_invoice", read_for=timedelta(minutes=5)),
]


@pytest.mark.parametrize("case", _CASES, ids=str)
async def test_what_a_preview_says_is_what_is_charged(shop: Shop, case: Case) -> None:
    began = BEGAN
    clock = await add_clock(shop, began)
    customer = await shop.add_customer(clock=clock)
    subscription = await shop.subscribe(customer, getattr(shop, case.start), case.trial_days)
    changed_at = began + 10 * DAY
    await advance(shop, clock, changed_at)
    before = {invoice.id async for invoice in shop.port.list_invoices()}
    item = subscription.items.data[0].id
    change = SubscriptionChange(
        subscription_id=subscription.id,
        items=(
            ItemOrder(item_id=item, price_id=getattr(shop, case.target), quantity=case.quantity),
        ),
        when="now",
        proration=case.proration,
        as_of=changed_at - case.read_for,
    )

    preview = await shop.port.preview_change(change)
    await shop.port.change_subscription(change, "change")

    due = [each async for each in shop.port.list_invoices() if each.id not in before]
    assert preview.due_now.amount == sum(each.amount_paid for each in due)
    await advance(shop, clock, preview.next_at + timedelta(hours=2))
    known = before | {each.id for each in due}
    renewal = [each async for each in shop.port.list_invoices() if each.id not in known]
    assert [each.amount_paid for each in renewal] == [preview.next_amount.amount]
    assert renewal[0].created_at == preview.next_at


@pytest.mark.parametrize("target", ["monthly", "larger", "yearly"])
async def test_a_change_at_the_end_of_the_period_costs_nothing_now(shop: Shop, target: str) -> None:
    began = BEGAN
    clock = await add_clock(shop, began)
    customer = await shop.add_customer(clock=clock)
    subscription = await shop.subscribe(customer, shop.larger)
    item = subscription.items.data[0].id
    change = SubscriptionChange(
        subscription_id=subscription.id,
        items=(ItemOrder(item_id=item, price_id=getattr(shop, target), quantity=2),),
        when="period_end",
        proration="none",
        as_of=began,
    )

    preview = await shop.port.preview_change(change)
    await shop.port.schedule_change(change, "change")

    assert preview.due_now.amount == 0
    assert preview.next_at == datetime(2026, 4, 1, 12, tzinfo=UTC)
    assert not any(line.proration for line in preview.lines)
    before = {invoice.id async for invoice in shop.port.list_invoices()}
    await advance(shop, clock, preview.next_at + timedelta(hours=2))
    renewal = [each async for each in shop.port.list_invoices() if each.id not in before]
    assert [each.amount_paid for each in renewal] == [preview.next_amount.amount]


async def test_a_preview_changes_nothing(shop: Shop) -> None:
    subscription = await shop.subscribe(await shop.add_customer())
    before = await shop.port.fetch_subscription(subscription.id)
    now = datetime.now(UTC).replace(microsecond=0)
    item = ItemOrder(item_id=subscription.items.data[0].id, price_id=shop.larger)
    now_or_later: tuple[Literal["now", "period_end"], ...] = ("now", "period_end")
    for when in now_or_later:
        change = SubscriptionChange(
            subscription_id=subscription.id,
            items=(item,),
            when=when,
            proration="always_invoice",
            as_of=now,
        )
        await shop.port.preview_change(change)
    assert await shop.port.fetch_subscription(subscription.id) == before
