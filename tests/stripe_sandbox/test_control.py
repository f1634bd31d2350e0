"""The control page: what it shows, what its forms do, and to whom it answers."""

import asyncio
from pathlib import Path

import pytest

import stripe_sandbox
from stripe_sandbox.state.accounts import account_id
from stripe_sandbox.state.settings import Deliveries, Fault, Settings
from tests.stripe_sandbox.program import Account, Program
from tests.stripe_sandbox.shop import START, Shop, open_shop


async def test_the_control_page_shows_accounts_and_advances_clocks(
    sandbox: Program, account: Account
) -> None:
    shop = await open_shop(account)
    page = (await account.http.get("/_control")).text
    assert shop.clock in page
    assert account.key not in page
    moved = await account.http.post(
        f"/_control/clocks/{shop.clock}/advance",
        data={"days": "2"},
        headers={"origin": sandbox.url},
    )
    assert (moved.status_code, moved.headers["location"]) == (
        303,
        f"/_control#{account_id(account.key)}",
    )
    assert await shop.now() == START + 2 * 86_400


async def test_a_clock_has_a_button_for_each_step_and_rests_while_it_moves(
    sandbox: Program, account: Account
) -> None:
    shop = await open_shop(account)
    now = START
    for days in (1, 3, 7):
        row = _row(await _page(account), shop.clock)
        assert f"<button name=days value={days}>+{days} day" in row
        action = row.partition('action="')[2].partition('"')[0]
        await account.http.post(action, data={"days": days}, headers={"origin": sandbox.url})
        now += days * 86_400
        assert await shop.now() == now
    # So long a way is gone in the background: of some looks one comes while it is under way.
    price = await shop.price(100, "day")
    for _ in range(4):
        await shop.subscribe(price)
    for _ in range(10):
        now += 700 * 86_400
        await account.v1.test_helpers.test_clocks.advance_async(shop.clock, {"frozen_time": now})
        row = _row(await _page(account), shop.clock)
        if "<td>advancing</td>" in row:
            break
        await _arrive(shop, now)
    assert row.count("disabled>") == 4
    await _arrive(shop, now)


async def _arrive(shop: Shop, moment: int) -> None:
    """Wait until the shop's clock has come to a time."""
    while await shop.now() != moment:
        await asyncio.sleep(0.05)


async def _page(account: Account) -> str:
    return (await account.http.get("/_control")).text


def _row(page: str, clock: str) -> str:
    """The row of one clock."""
    return page.partition(f"<code>{clock}</code>")[2].partition("</tr>")[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"host": "evil.example"},
    ],
)
async def test_other_sites_cannot_turn_the_switches(
    account: Account, headers: dict[str, str]
) -> None:
    await account.v1.accounts.retrieve_current_async()
    answer = await account.http.post("/_control/settings", json={"revoked": True}, headers=headers)
    assert answer.status_code == 403
    assert not (await account.http.get("/_control/settings")).json()["revoked"]


async def test_an_unknown_switch_is_refused(account: Account) -> None:
    await account.v1.accounts.retrieve_current_async()
    answer = await account.http.post("/_control/settings", json={"latency": 3})
    assert answer.status_code == 400


async def test_a_click_lets_the_next_charge_fail(sandbox: Program, account: Account) -> None:
    shop = await open_shop(account)
    await account.set(name="Lumen & Co")
    origin = {"origin": sandbox.url}
    done = await account.http.post(
        "/_control/charges/fail",
        data={"count": "1", "fail_with": "lost_card"},
        headers=origin,
    )
    assert done.headers["location"] == f"/_control#{account_id(account.key)}"
    page = (await account.http.get("/_control")).text
    assert "The next charge fails: <code>lost_card</code>" in page
    assert "Lumen &amp; Co" in page
    refused = await shop.subscribe(await shop.price(1_000), payment_behavior="allow_incomplete")
    assert refused.status == "incomplete"
    (charge,) = await account.charges()
    assert charge["outcome"]["reason"] == "lost_card"
    assert (await shop.subscribe(await shop.price(1_000))).status == "active"


async def test_the_page_tells_how_far_events_have_come(account: Account) -> None:
    await account.v1.webhook_endpoints.create_async(
        {"url": "http://127.0.0.1:9/none", "enabled_events": ["customer.created"]}
    )
    await account.set(deliveries={"paused": True})
    await account.v1.customers.create_async()
    await account.v1.products.create_async({"name": "unheard"})
    page = (await account.http.get("/_control")).text
    mine = page[page.index(f'<section id="{account_id(account.key)}"') :].partition("</section>")[0]
    rows = mine.partition("Latest events")[2].split("<tr>")[2:]
    assert "product.created" in rows[0]
    assert "nobody listens" in rows[0]
    assert "customer.created" in rows[1]
    assert ">waiting</span>" in rows[1]


async def test_a_number_is_asked_for_where_one_belongs(sandbox: Program, account: Account) -> None:
    shop = await open_shop(account)
    for path, data in (
        ("charges/fail", {"count": "many"}),
        (f"clocks/{shop.clock}/advance", {"days": "soon"}),
        ("settings", {"fail_with": "x"}),
        ("webhook_endpoints/we_none/roll", {"hours": "inf"}),
    ):
        answer = await account.http.post(
            f"/_control/{path}", data=data, headers={"origin": sandbox.url}
        )
        assert answer.status_code == 400, path


def test_every_switch_is_documented() -> None:
    written = (Path(stripe_sandbox.__file__).parent / "README.md").read_text()
    switches = [
        *Settings.__struct_fields__,
        *Deliveries.__struct_fields__,
        *Fault.__struct_fields__,
    ]
    assert [name for name in switches if f"`{name}`" not in written] == []
