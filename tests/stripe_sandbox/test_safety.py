"""Nothing is done twice: idempotency keys, lost answers, a killed sandbox, isolated accounts."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from tests.stripe_sandbox.program import Account, Program, free_port
from tests.stripe_sandbox.shop import DAY, START, open_shop


async def test_the_same_key_and_parameters_replay_the_answer(account: Account) -> None:
    headers = {"idempotency-key": "once"}
    first = await account.http.post("/v1/customers", data={"name": "A"}, headers=headers)
    again = await account.http.post("/v1/customers", data={"name": "A"}, headers=headers)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len((await account.v1.customers.list_async()).data) == 1


async def test_the_same_key_with_other_parameters_is_refused(account: Account) -> None:
    headers = {"idempotency-key": "once"}
    await account.http.post("/v1/customers", data={"name": "A"}, headers=headers)
    other = await account.http.post("/v1/customers", data={"name": "B"}, headers=headers)
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
    elsewhere = await account.http.post("/v1/products", data={"name": "A"}, headers=headers)
    assert (elsewhere.status_code, elsewhere.json()["error"]["type"]) == (
        400, "idempotency_error",
    )  # fmt: skip


async def test_a_refused_card_is_replayed_and_not_charged_again(account: Account) -> None:
    shop = await open_shop(account)
    await shop.subscribe(await shop.price(1_000))
    await shop.refuse_card("insufficient_funds")
    await shop.advance(START + 29 * DAY)
    invoice = (await shop.invoices())[0]
    before = len(await account.charges())
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refused:
            await account.v1.invoices.pay_async(invoice.id, options={"idempotency_key": "try-2"})
    error: Any = refused.value.json_body
    assert error["error"]["decline_code"] == "insufficient_funds"
    assert len(await account.charges()) == before + 1


async def test_a_malformed_request_does_not_use_up_its_key(account: Account) -> None:
    headers = {"idempotency-key": "once"}
    bad = await account.http.post("/v1/customers", data={"nmae": "A"}, headers=headers)
    assert bad.status_code == 400
    good = await account.http.post("/v1/customers", data={"name": "A"}, headers=headers)
    assert good.status_code == 200


async def test_a_key_in_use_is_a_conflict(account: Account) -> None:
    await account.set(latency_ms=400)
    headers = {"idempotency-key": "busy"}

    async def create() -> int:
        answer = await account.http.post("/v1/customers", data={"name": "A"}, headers=headers)
        return answer.status_code

    assert sorted(await asyncio.gather(create(), create())) == [200, 409]
    await account.set(latency_ms=0)
    assert len((await account.v1.customers.list_async()).data) == 1


@pytest.mark.parametrize("mode", ["lost", "refused", "error"])
async def test_the_sdk_recovers_from_a_lost_answer_without_doing_it_twice(
    account: Account, mode: str
) -> None:
    shop = await open_shop(account)
    price = await shop.price(1_000)
    await account.set(
        fail_next_requests=[{"mode": mode, "count": 1, "method": "POST", "path": "/v1/subscr"}]
    )
    subscription = await shop.subscribe(price)
    assert subscription.status == "active"
    assert len(await account.charges()) == 1


async def test_accounts_see_nothing_of_each_other(sandbox: Program, account: Account) -> None:
    shop = await open_shop(account)
    other = Account.new(sandbox.url)
    with pytest.raises(stripe.InvalidRequestError) as missing:
        await other.v1.customers.retrieve_async(shop.customer)
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    assert (await other.v1.events.list_async()).data == []
    await other.close()


@pytest.mark.slow
async def test_a_killed_sandbox_forgets_nothing_that_it_answered(tmp_path: Path) -> None:
    state, port = tmp_path / "state.sqlite", free_port()
    program = Program(port, state)
    account = Account.new(program.url, retries=0)
    shop = await open_shop(account)
    price = await shop.price(1_000)
    answered: list[str] = []
    for round_ in range(3):
        creating = asyncio.create_task(_create_until_it_dies(shop.account, round_, answered))
        await asyncio.sleep(0.3)
        program.kill()
        await creating
        program = Program(port, state)
    listed = account.v1.customers.list_async({"email": "many@example.com", "limit": 100})
    found = {customer.id async for customer in (await listed).auto_paging_iter()}
    assert answered
    assert set(answered) <= found
    events = account.v1.events.list_async({"type": "customer.created", "limit": 100})
    told = {event.data.object["id"] async for event in (await events).auto_paging_iter()}
    assert found <= told
    subscription = await shop.subscribe(price)
    assert subscription.status == "active"
    await account.close()
    program.stop()


async def _create_until_it_dies(account: Account, round_: int, answered: list[str]) -> None:
    for number in range(10_000):
        try:
            customer = await account.v1.customers.create_async(
                {"email": "many@example.com"},
                options={"idempotency_key": f"{round_}-{number}"},
            )
        except stripe.APIConnectionError:
            return
        answered.append(customer.id)


@pytest.mark.slow
async def test_a_request_repeated_after_a_kill_is_done_once(tmp_path: Path) -> None:
    state, port = tmp_path / "state.sqlite", free_port()
    program = Program(port, state)
    account = Account.new(program.url, retries=0)
    shop = await open_shop(account)
    price = await shop.price(1_000)
    await account.set(fail_next_requests=[{"mode": "lost", "method": "POST", "path": "/v1/subscr"}])
    params = {"customer": shop.customer, "items[0][price]": price}
    headers = {"idempotency-key": "subscribe"}
    with pytest.raises(httpx.RemoteProtocolError):
        await account.http.post("/v1/subscriptions", data=params, headers=headers)
    program.kill()
    program = Program(port, state)
    again = await account.http.post("/v1/subscriptions", data=params, headers=headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert len(await account.charges()) == 1
    await account.close()
    program.stop()


@pytest.mark.slow
def test_a_state_in_use_is_not_opened_twice(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    program = Program(free_port(), state)
    command = [sys.executable, "-m", "stripe_sandbox", "--port", str(free_port())]
    second = subprocess.run(
        [*command, "--state", str(state)], capture_output=True, text=True, timeout=30, check=False
    )
    assert (second.returncode, "database is locked" in second.stderr) == (1, True)
    program.stop()
