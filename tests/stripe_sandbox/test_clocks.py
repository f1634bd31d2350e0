"""Test clocks: however time is cut into steps, the same things happen."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stripe_sandbox.program import Account, Program
from tests.stripe_sandbox.shop import DAY, START, Shop, open_shop

_YEAR = 366 * DAY


async def _busy_shop(url: str) -> Shop:
    account = Account.new(url)
    shop = await open_shop(account)
    await shop.subscribe(await shop.price(1_000))
    await shop.subscribe(await shop.price(700, "week", 3), trial_period_days=10)
    await shop.subscribe(await shop.price(9_900, "year"), cancel_at=START + 100 * DAY)
    failing = await account.v1.payment_methods.attach_async(
        "pm_card_chargeCustomerFail", {"customer": shop.customer}
    )
    await shop.subscribe(
        await shop.price(300, "month", 2),
        default_payment_method=failing.id,
        trial_period_days=3,
    )
    return shop


async def _history(shop: Shop) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Invoices and events without their ids."""
    names = ("created", "total", "amount_paid", "status", "attempt_count", "period_end")
    invoices = [
        (
            *(invoice[name] for name in names),
            [(line["amount"], line["period"]) for line in invoice["lines"]["data"]],
        )
        for invoice in await _all(shop, "/v1/invoices")
    ]
    events = [(event["created"], event["type"]) for event in await _all(shop, "/v1/events")]
    # The catalog and the clock itself live in wall time.
    elsewhere = ("product.", "price.", "test_helpers.")
    return invoices, [event for event in events if not event[1].startswith(elsewhere)]


async def _all(shop: Shop, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    params = {"limit": "100"}
    while True:
        page = (await shop.account.http.get(path, params=params)).json()
        found += page["data"]
        if not page["has_more"]:
            return found
        params["starting_after"] = found[-1]["id"]


@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(cuts=st.sets(st.integers(START + 1, START + _YEAR - 1), max_size=12))
async def test_one_step_or_many_make_the_same_year(sandbox: Program, cuts: set[int]) -> None:
    at_once, in_steps = await _busy_shop(sandbox.url), await _busy_shop(sandbox.url)
    await at_once.advance(START + _YEAR)
    for cut in sorted(cuts):
        await in_steps.advance(cut)
    await in_steps.advance(START + _YEAR)
    assert await _history(at_once) == await _history(in_steps)
    for shop in (at_once, in_steps):
        await shop.account.close()


async def test_events_carry_the_simulated_time_in_order(account: Account) -> None:
    shop = await open_shop(account)
    await shop.subscribe(await shop.price(1_000))
    await shop.advance(START + 95 * DAY)
    created = [event.created for event in await shop.events("invoice.*")]
    assert created == sorted(created)
    renewals = [event.created for event in await shop.events("invoice.created")]
    assert renewals == [START, START + 28 * DAY, START + 59 * DAY, START + 89 * DAY]


async def test_a_clock_only_moves_forward(account: Account) -> None:
    shop = await open_shop(account)
    answer = await account.http.post(
        f"/v1/test_helpers/test_clocks/{shop.clock}/advance", data={"frozen_time": START - 1}
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "frozen_time"
    assert await shop.now() == START
