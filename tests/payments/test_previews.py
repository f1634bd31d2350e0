"""What is shown before confirming is what is charged, now and at the next renewal."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

import msgspec
import pytest

from guichet.payments.orders import ItemOrder, Proration, SubscriptionChange
from guichet.payments.stripe.adapter import Stripe, Transport
from guichet.payments.stripe.transport import Answer
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


class ShortLists(Transport):
    """The way to the sandbox, but a preview holds two of its lines; the others have to be listed.

    Stripe shows ten lines in an invoice and the rest at their own address.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, dict[str, Any]] = {}

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> Answer:
        for invoice, whole in self._lines.items():
            if f"/v1/invoices/{invoice}/lines" in url:
                return msgspec.json.encode({**whole, "has_more": False}), 200, {}
        body, status, answered = await super().request_async(method, url, headers, post_data)
        if url.endswith("/v1/invoices/create_preview") and status == 200:
            preview = msgspec.json.decode(body)
            self._lines[preview["id"]] = whole = preview["lines"]
            preview["lines"] = {**whole, "data": whole["data"][:2], "has_more": True}
            body = msgspec.json.encode(preview)
        return body, status, answered


async def test_a_preview_is_read_to_its_last_line(shop: Shop) -> None:
    add_ons = [await shop.add_price(amount, "month") for amount in (100, 200, 300)]
    customer = await shop.add_customer()
    subscription = await shop.sdk.subscriptions.create_async(
        {"customer": customer, "items": [{"price": each} for each in add_ons]}
    )
    change = SubscriptionChange(
        subscription_id=subscription.id,
        items=tuple(
            ItemOrder(item_id=item.id, price_id=item.price.id, quantity=5)
            for item in subscription.items.data
        ),
        when="now",
        proration="create_prorations",
        as_of=datetime.fromtimestamp(subscription.created, UTC),
    )
    expected = await shop.port.preview_change(change)
    assert len(expected.lines) > 2
    transport = ShortLists()
    port = Stripe(shop.key, shop.url, transport)
    assert await port.preview_change(change) == expected
    await transport.close_async()
