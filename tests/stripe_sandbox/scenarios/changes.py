"""Scenarios of changed subscriptions: prorations, periods, schedules, previews."""

from typing import Any

from tests.stripe_sandbox.scenarios.scenario import (
    HALF,
    HOUR,
    MONTH,
    START,
    Scenario,
    Steps,
    code_of,
    day,
    moment,
    refusal,
    status,
    totals,
)
from tests.stripe_sandbox.shop import DAY, Shop, open_shop

_PRORATIONS = "https://docs.stripe.com/billing/subscriptions/prorations"
_CYCLE = "https://docs.stripe.com/billing/subscriptions/billing-cycle"
_TIERS = "https://docs.stripe.com/subscriptions/pricing-models/tiered-pricing"
_SCHEDULES = "https://docs.stripe.com/billing/subscriptions/subscription-schedules"


def _change(old: int, new: int, behavior: str, interval: str = "month") -> Steps:
    """From one monthly price to another, half-way; the lines of the invoice, or the next totals."""

    async def steps(shop: Shop) -> Any:
        subscription = await shop.subscribe(await shop.price(old))
        item = subscription.items.data[0].id
        await shop.advance(HALF)
        price = await shop.price(new, interval)
        await shop.account.v1.subscriptions.update_async(
            subscription.id,
            {"items": [{"id": item, "price": price}], "proration_behavior": behavior},
        )
        if behavior != "always_invoice" and interval == "month":
            await shop.advance(MONTH + 2 * HOUR)
        return [line.amount for line in (await shop.invoices())[0].lines.data]

    return steps


async def _more_seats(shop: Shop) -> Any:
    subscription = await shop.subscribe(await shop.price(1_000))
    await shop.advance(HALF)
    changed = await shop.account.v1.subscriptions.update_async(
        subscription.id,
        {
            "items": [{"id": subscription.items.data[0].id, "quantity": 3}],
            "proration_behavior": "always_invoice",
            "expand": ["latest_invoice"],
        },
    )
    assert not isinstance(changed.latest_invoice, str)
    assert changed.latest_invoice
    return sorted(line.amount for line in changed.latest_invoice.lines.data)


async def _previewed(shop: Shop) -> Any:
    subscription = await shop.subscribe(await shop.price(1_000))
    items: Any = [{"id": subscription.items.data[0].id, "price": await shop.price(2_000)}]
    await shop.advance(HALF - DAY)
    details: Any = {
        "items": items,
        "proration_date": HALF,
        "proration_behavior": "always_invoice",
    }
    preview = await shop.account.v1.invoices.create_preview_async(
        {"subscription": subscription.id, "subscription_details": details}
    )
    await shop.account.v1.subscriptions.update_async(subscription.id, details)
    return preview.total, (await totals(shop))[0]


def _billing_days(first: str, interval: str) -> Steps:
    """The ends of the first three periods of a subscription that begins on a day."""

    async def steps(shop: Shop) -> Any:
        other = await open_shop(shop.account, start=moment(first))
        subscription = await other.subscribe(await other.price(1_000, interval))
        ends = []
        for _ in range(3):
            found = await shop.account.v1.subscriptions.retrieve_async(subscription.id)
            ends.append(found.items.data[0].current_period_end)
            await other.advance(ends[-1])
        return [day(end) for end in ends]

    return steps


def _tiered(mode: Any) -> Steps:
    """What 1, 5, 6, 20 and 25 units cost by the page's tiers."""

    async def steps(shop: Shop) -> Any:
        price = await shop.account.v1.prices.create_async(
            {
                "product": shop.product,
                "currency": "usd",
                "billing_scheme": "tiered",
                "tiers_mode": mode,
                "recurring": {"interval": "month"},
                "tiers": [
                    {"up_to": 5, "unit_amount": 700},
                    {"up_to": 10, "unit_amount": 650},
                    {"up_to": "inf", "unit_amount": 600},
                ],
            }
        )
        for quantity in (1, 5, 6, 20, 25):
            await shop.subscribe(price.id, quantity=quantity)
        return sorted(await totals(shop))

    return steps


async def _yen(shop: Shop) -> Any:
    await shop.subscribe(await shop.price(500, currency="jpy"))
    (invoice,) = await shop.invoices()
    return invoice.amount_paid, (await shop.account.charges())[0]["amount"]


async def _scheduled(shop: Shop) -> Any:
    v1 = shop.account.v1
    old, new = await shop.price(2_000), await shop.price(1_000)
    subscription = await shop.subscribe(old)
    schedule = await v1.subscription_schedules.create_async({"from_subscription": subscription.id})
    present = schedule.phases[0]
    await v1.subscription_schedules.update_async(
        schedule.id,
        {
            "phases": [
                {
                    "items": [{"price": old, "quantity": 1}],
                    "start_date": present.start_date,
                    "end_date": present.end_date,
                },
                {"items": [{"price": new, "quantity": 1}]},
            ]
        },
    )
    await shop.advance(MONTH + 2 * HOUR)
    return await totals(shop)


def _ended_schedule(how: str) -> Steps:
    """What a released or canceled schedule leaves of its subscription."""

    async def steps(shop: Shop) -> Any:
        v1 = shop.account.v1
        subscription = await shop.subscribe(await shop.price(1_000))
        made = await v1.subscription_schedules.create_async({"from_subscription": subscription.id})
        answer = await shop.account.http.post(f"/v1/subscription_schedules/{made.id}/{how}")
        return answer.json()["status"], await status(shop, subscription.id)

    return steps


async def _managed(shop: Shop) -> Any:
    v1 = shop.account.v1
    subscription = await shop.subscribe(await shop.price(1_000))
    await v1.subscription_schedules.create_async({"from_subscription": subscription.id})
    error = await refusal(
        v1.subscriptions.update_async(subscription.id, {"cancel_at_period_end": True})
    )
    return error.http_status, "subscription schedule" in str(error)


async def _pending_update(shop: Shop) -> Any:
    subscription = await shop.subscribe(await shop.price(1_000))
    dear = await shop.price(9_000)
    await shop.refuse_card("generic_decline")
    changed = await shop.account.v1.subscriptions.update_async(
        subscription.id,
        {
            "items": [{"id": subscription.items.data[0].id, "price": dear}],
            "payment_behavior": "pending_if_incomplete",
            "proration_behavior": "always_invoice",
        },
    )
    assert changed.pending_update
    return changed.items.data[0].price.unit_amount, changed.pending_update.expires_at - START


async def _refused_upgrade(shop: Shop) -> Any:
    subscription = await shop.subscribe(await shop.price(1_000))
    dear = await shop.price(9_000)
    await shop.refuse_card("insufficient_funds")
    error = await refusal(
        shop.account.v1.subscriptions.update_async(
            subscription.id,
            {
                "items": [{"id": subscription.items.data[0].id, "price": dear}],
                "payment_behavior": "error_if_incomplete",
                "proration_behavior": "always_invoice",
            },
        )
    )
    kept = await shop.account.v1.subscriptions.retrieve_async(subscription.id)
    return error.http_status, code_of(error), kept.items.data[0].price.unit_amount


ROWS = [
    Scenario("An upgrade from 10 to 20 USD half-way costs 5 USD more", _PRORATIONS,
             _change(1_000, 2_000, "always_invoice"), [-500, 1_000], figures=True),
    Scenario("Prorations wait for the next invoice unless they are invoiced", _PRORATIONS,
             _change(1_000, 2_000, "create_prorations"), [-500, 1_000, 2_000]),
    Scenario("A downgrade leaves a credit for the next invoice", _PRORATIONS,
             _change(2_000, 1_000, "create_prorations"), [-1_000, 500, 1_000]),
    Scenario("Without prorations only the next invoice knows the new price", _PRORATIONS,
             _change(1_000, 2_000, "none"), [2_000]),
    Scenario("Another interval bills at once, less the unused time", _CYCLE,
             _change(1_000, 10_000, "create_prorations", "year"), [-500, 10_000]),
    Scenario("More units are prorated as another price is", _PRORATIONS,
             _more_seats, [-500, 1_500]),
    Scenario("A preview with a proration date is what the change will cost", _PRORATIONS,
             _previewed, (500, 500)),
    Scenario("An anchor of January 31 bills the last day of shorter months", _CYCLE,
             _billing_days("2026-01-31", "month"),
             ["2026-02-28", "2026-03-31", "2026-04-30"], figures=True),
    Scenario("In a leap year that is February 29", _CYCLE,
             _billing_days("2028-01-31", "month"),
             ["2028-02-29", "2028-03-31", "2028-04-30"], figures=True),
    Scenario("An anchor of September 2 always bills on the 2nd", _CYCLE,
             _billing_days("2026-09-02", "month"),
             ["2026-10-02", "2026-11-02", "2026-12-02"], figures=True),
    Scenario("A weekly anchor of Friday, June 3 bills every Friday", _CYCLE,
             _billing_days("2022-06-03", "week"),
             ["2022-06-10", "2022-06-17", "2022-06-24"], figures=True),
    Scenario("Volume tiers price all units by the tier that they reach", _TIERS,
             _tiered("volume"), [700, 3_500, 3_900, 12_000, 15_000], figures=True),
    Scenario("Graduated tiers price each unit by its own tier", _TIERS,
             _tiered("graduated"), [700, 3_500, 4_150, 12_750, 15_750]),
    Scenario("500 JPY are an amount of 500", "https://docs.stripe.com/currencies#zero-decimal",
             _yen, (500, 500), figures=True),
    Scenario("A schedule's next phase begins when the present period ends", _SCHEDULES,
             _scheduled, [1_000, 2_000]),
    Scenario("A released schedule leaves its subscription as it is", _SCHEDULES,
             _ended_schedule("release"), ("released", "active")),
    Scenario("A canceled schedule cancels its subscription", _SCHEDULES,
             _ended_schedule("cancel"), ("canceled", "canceled")),
    Scenario("A schedule's subscription is cancelled through the schedule only", _SCHEDULES,
             _managed, (400, True)),
    Scenario("An unpaid change waits for 23 hours as a pending update",
             "https://docs.stripe.com/billing/subscriptions/pending-updates",
             _pending_update, (1_000, 23 * HOUR), figures=True),
    Scenario("With error_if_incomplete an unpaid change is none",
             "https://docs.stripe.com/api/subscriptions/update#update_subscription-payment_behavior",
             _refused_upgrade, (402, "insufficient_funds", 1_000)),
]  # fmt: skip
