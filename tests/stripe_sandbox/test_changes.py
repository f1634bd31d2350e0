"""Changes of a subscription: previewed, made, undone, at once or at the end of the period."""

from typing import Any

import pytest
import stripe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stripe_sandbox.program import Account, Program
from tests.stripe_sandbox.shop import DAY, START, Shop, open_shop

_PERIOD = 28 * DAY


def _lines(invoice: stripe.Invoice) -> list[tuple[Any, ...]]:
    return [
        (line.amount, line.description, line.period.start, line.period.end, line.quantity)
        for line in invoice.lines.data
    ]


def _decline_code(refused: stripe.CardError) -> object:
    error: Any = refused.json_body
    return error["error"]["decline_code"]


async def _change(
    shop: Shop, subscription: stripe.Subscription, price: str, **params: Any
) -> tuple[stripe.Invoice, stripe.Subscription]:
    """Preview a change, then make it; the preview and the changed subscription."""
    items: Any = [{"id": subscription.items.data[0].id, "price": price}]
    details: Any = {"items": items, **params}
    preview = await shop.account.v1.invoices.create_preview_async(
        {"subscription": subscription.id, "subscription_details": details}
    )
    asked: Any = {"expand": ["latest_invoice"], **details}
    changed = await shop.account.v1.subscriptions.update_async(subscription.id, asked)
    return preview, changed


async def test_an_upgrade_half_way_costs_half_the_difference(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + _PERIOD // 2)
    preview, changed = await _change(
        shop, subscription, await shop.price(2_000), proration_behavior="always_invoice"
    )
    invoice = changed.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert [line[0] for line in _lines(invoice)] == [-500, 1_000]
    assert (preview.amount_due, invoice.amount_paid) == (500, 500)
    assert changed.items.data[0].current_period_end == START + _PERIOD


async def test_a_downgrade_becomes_credit_that_the_renewal_uses(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(2_000))
    await shop.advance(START + _PERIOD // 2)
    await _change(shop, subscription, await shop.price(1_000), proration_behavior="always_invoice")
    customer = await account.v1.customers.retrieve_async(shop.customer)
    assert customer.balance == -500
    await shop.advance(START + _PERIOD + 3_600)
    newest = (await shop.invoices())[0]
    assert (newest.total, newest.amount_due, newest.starting_balance) == (1_000, 500, -500)


async def test_pending_prorations_are_billed_with_the_renewal(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + _PERIOD // 2)
    preview, _ = await _change(
        shop, subscription, await shop.price(2_000), proration_behavior="create_prorations"
    )
    assert len(await shop.invoices()) == 1
    await shop.advance(START + _PERIOD + 3_600)
    newest = (await shop.invoices())[0]
    assert _lines(newest) == _lines(preview)
    assert newest.amount_paid == preview.amount_due == 2_500


async def test_without_proration_the_new_price_counts_from_the_renewal(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + 5 * DAY)
    preview, _ = await _change(
        shop, subscription, await shop.price(2_000), proration_behavior="none"
    )
    await shop.advance(START + _PERIOD + 3_600)
    assert [invoice.total for invoice in await shop.invoices()] == [2_000, 1_000]
    assert preview.total == 2_000


async def test_another_interval_begins_a_new_period_at_once(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(2_800))
    await shop.advance(START + 7 * DAY)
    yearly = await shop.price(30_000, "year")
    preview, changed = await _change(shop, subscription, yearly)
    invoice = changed.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert _lines(invoice) == _lines(preview)
    assert (invoice.total, invoice.status) == (30_000 - 2_100, "paid")
    assert changed.billing_cycle_anchor == START + 7 * DAY


async def test_a_free_subscription_that_becomes_paid_is_charged_at_once(
    account: Account,
) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(0))
    await shop.advance(START + 3 * DAY)
    _, changed = await _change(shop, subscription, await shop.price(1_500))
    assert changed.billing_cycle_anchor == START + 3 * DAY
    assert [charge["amount"] for charge in await account.charges()] == [1_500]


async def test_a_refused_upgrade_changes_nothing_when_told_to_fail(account: Account) -> None:
    shop = await open_shop(account)
    cheap, dear = await shop.price(1_000), await shop.price(9_000)
    subscription = await shop.subscribe(cheap)
    before = (await account.v1.subscriptions.retrieve_async(subscription.id)).to_dict()
    await shop.advance(START + DAY)
    await shop.refuse_card("insufficient_funds")
    with pytest.raises(stripe.CardError) as refused:
        await account.v1.subscriptions.update_async(
            subscription.id,
            {
                "items": [{"id": subscription.items.data[0].id, "price": dear}],
                "proration_behavior": "always_invoice",
                "payment_behavior": "error_if_incomplete",
            },
        )
    assert _decline_code(refused.value) == "insufficient_funds"
    after = (await account.v1.subscriptions.retrieve_async(subscription.id)).to_dict()
    assert after == before
    assert len(await shop.invoices()) == 1


async def test_a_switch_lets_one_charge_fail_and_the_next_succeed(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + DAY)
    await account.set(fail_next_charges=1, fail_with="insufficient_funds")
    upgrade: Any = {
        "items": [{"id": subscription.items.data[0].id, "price": await shop.price(9_000)}],
        "proration_behavior": "always_invoice",
        "payment_behavior": "error_if_incomplete",
    }
    with pytest.raises(stripe.CardError):
        await account.v1.subscriptions.update_async(subscription.id, upgrade)
    changed = await account.v1.subscriptions.update_async(subscription.id, upgrade)
    assert changed.items.data[0].price.unit_amount == 9_000


async def test_a_refused_upgrade_is_past_due_when_told_to_go_on(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + DAY)
    await shop.refuse_card("insufficient_funds")
    _, changed = await _change(
        shop, subscription, await shop.price(9_000), proration_behavior="always_invoice"
    )
    assert changed.status == "past_due"


async def test_a_preview_leaves_no_trace(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + DAY)
    price = await shop.price(2_000, "year")
    events = len(await shop.events("*"))
    for _ in range(2):
        await account.v1.invoices.create_preview_async(
            {
                "subscription": subscription.id,
                "subscription_details": {
                    "items": [{"id": subscription.items.data[0].id, "price": price}]
                },
            }
        )
    assert len(await shop.events("*")) == events
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert found.items.data[0].price.id == subscription.items.data[0].price.id


async def test_a_schedule_changes_the_plan_at_the_end_of_the_period(account: Account) -> None:
    shop = await open_shop(account)
    cheap, dear = await shop.price(1_000), await shop.price(3_000, "month", 3)
    subscription = await shop.subscribe(dear)
    schedules = account.v1.subscription_schedules
    schedule = await schedules.create_async({"from_subscription": subscription.id})
    phase = schedule.phases[0]
    await schedules.update_async(
        schedule.id,
        {
            "phases": [
                {
                    "items": [{"price": dear, "quantity": 1}],
                    "start_date": phase.start_date,
                    "end_date": phase.end_date,
                },
                {"items": [{"price": cheap, "quantity": 1}], "proration_behavior": "none"},
            ],
            "end_behavior": "release",
        },
    )
    await shop.advance(phase.end_date - 1)
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert (found.items.data[0].price.id, found.schedule) == (dear, schedule.id)
    await shop.advance(phase.end_date + 3_600)
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert found.items.data[0].price.id == cheap
    assert [invoice.total for invoice in await shop.invoices()] == [1_000, 3_000]
    await shop.advance(phase.end_date + 40 * DAY)
    released = await schedules.retrieve_async(schedule.id)
    assert released.status == "released"
    assert [invoice.total for invoice in await shop.invoices()] == [1_000, 1_000, 3_000]


async def test_a_released_schedule_changes_nothing(account: Account) -> None:
    shop = await open_shop(account)
    cheap, dear = await shop.price(1_000), await shop.price(3_000)
    subscription = await shop.subscribe(dear)
    schedules = account.v1.subscription_schedules
    schedule = await schedules.create_async({"from_subscription": subscription.id})
    phase = schedule.phases[0]
    await schedules.update_async(
        schedule.id,
        {
            "phases": [
                {
                    "items": [{"price": dear}],
                    "start_date": phase.start_date,
                    "end_date": phase.end_date,
                },
                {"items": [{"price": cheap}]},
            ]
        },
    )
    await schedules.release_async(schedule.id)
    await shop.advance(phase.end_date + 3_600)
    found = await account.v1.subscriptions.retrieve_async(subscription.id)
    assert (found.items.data[0].price.id, found.schedule) == (dear, None)


async def test_cancelling_under_a_schedule_is_refused(account: Account) -> None:
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(1_000))
    await account.v1.subscription_schedules.create_async({"from_subscription": subscription.id})
    with pytest.raises(stripe.InvalidRequestError, match="managed by the subscription schedule"):
        await account.v1.subscriptions.update_async(subscription.id, {"cancel_at_period_end": True})


_STEPS = st.lists(
    st.tuples(
        st.integers(1, 9 * DAY),
        st.integers(1, 50_000),
        st.integers(1, 7),
        st.sampled_from(["always_invoice", "create_prorations", "none"]),
        st.sampled_from(["month", "month", "month", "week"]),
    ),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=_STEPS, first=st.integers(1, 50_000))
async def test_every_preview_equals_the_invoice_that_follows(
    sandbox: Program, steps: list[tuple[int, int, int, str, str]], first: int
) -> None:
    account = Account.new(sandbox.url)
    shop = await open_shop(account)
    subscription = await shop.subscribe(await shop.price(first))
    invoices, clock = account.v1.invoices, START
    for wait, amount, quantity, behavior, interval in steps:
        clock += wait
        await shop.advance(clock)
        price = await shop.price(amount, interval)
        item = {"id": subscription.items.data[0].id, "price": price, "quantity": quantity}
        details: Any = {"items": [item], "proration_behavior": behavior}
        before = (await shop.invoices())[0].id
        preview = await invoices.create_preview_async(
            {"subscription": subscription.id, "subscription_details": details}
        )
        await account.v1.subscriptions.update_async(subscription.id, details)
        newest = (await shop.invoices())[0]
        if newest.id == before:
            later = await invoices.create_preview_async({"subscription": subscription.id})
            assert _lines(later) == _lines(preview)
            assert later.amount_due == preview.amount_due
        else:
            assert _lines(newest) == _lines(preview)
            assert (newest.total, newest.amount_due) == (preview.total, preview.amount_due)
            assert newest.status == "paid"
    await account.close()
