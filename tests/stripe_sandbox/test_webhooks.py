"""Webhook deliveries: signed, repeated until acknowledged, and disturbed on purpose."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import stripe

from tests.stripe_sandbox.program import Account, Program, free_port
from tests.stripe_sandbox.shop import DAY, START, open_shop


@dataclass
class Receiver:
    """An endpoint that keeps what it is sent and answers with a status."""

    port: int
    status: int = 200
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")[1:]
                pairs = [line.split(": ", 1) for line in lines if line]
                headers = {name.lower(): value for name, value in pairs}
                body = await reader.readexactly(int(headers["content-length"]))
                self.received.append((headers, body))
                writer.write(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % self.status)
                await writer.drain()
        except asyncio.IncompleteReadError:
            writer.close()

    async def wait_for(self, count: int) -> None:
        """Until so many deliveries have come."""
        async with asyncio.timeout(20):
            while len(self.received) < count:
                await asyncio.sleep(0.02)

    @property
    def names(self) -> list[str]:
        """The customers' names in the events received, in order."""
        events = [stripe.Event.construct_from(json.loads(body), "") for _, body in self.received]
        return [event.data.object["name"] for event in events]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """An endpoint on a port of its own."""
    found = Receiver(free_port())
    server = await asyncio.start_server(found.serve, "127.0.0.1", found.port)
    yield found
    server.close()


async def _endpoint(account: Account, receiver: Receiver) -> stripe.WebhookEndpoint:
    return await account.v1.webhook_endpoints.create_async(
        {
            "url": f"http://lumen.localhost:{receiver.port}/webhooks/stripe",
            "enabled_events": ["customer.created"],
        }
    )


async def test_a_clock_that_arrives_tells_whoever_listens_to_everything(
    sandbox: Program, account: Account, receiver: Receiver
) -> None:
    shop = await open_shop(account)
    url = f"http://lumen.localhost:{receiver.port}/webhooks/stripe"
    await account.v1.webhook_endpoints.create_async({"url": url, "enabled_events": ["*"]})
    await account.http.post(
        f"/_control/clocks/{shop.clock}/advance",
        data={"days": "3"},
        headers={"origin": sandbox.url},
    )
    await receiver.wait_for(2)
    told = [json.loads(body) for _, body in receiver.received]
    clocks = {event["type"]: event["data"]["object"] for event in told}
    assert clocks.keys() == {
        "test_helpers.test_clock.advancing",
        "test_helpers.test_clock.ready",
    }
    arrived = clocks["test_helpers.test_clock.ready"]
    assert (arrived["id"], arrived["object"]) == (shop.clock, "test_helpers.test_clock")
    assert (arrived["frozen_time"], arrived["status"]) == (START + 3 * DAY, "ready")


async def test_a_delivery_is_signed_and_names_its_host(
    account: Account, receiver: Receiver
) -> None:
    endpoint = await _endpoint(account, receiver)
    customer = await account.v1.customers.create_async({"name": "Ada"})
    await account.v1.products.create_async({"name": "not listened to"})
    await receiver.wait_for(1)
    headers, body = receiver.received[0]
    event = stripe.Webhook.construct_event(body, headers["stripe-signature"], endpoint.secret)
    assert (event.type, event.data.object["id"]) == ("customer.created", customer.id)
    assert event.api_version == "2026-10-28.endive"
    assert headers["host"] == f"lumen.localhost:{receiver.port}"
    assert event.pending_webhooks == 1
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body + b" ", headers["stripe-signature"], endpoint.secret)


async def test_an_event_counts_the_deliveries_that_it_still_waits_for(
    account: Account, receiver: Receiver
) -> None:
    await _endpoint(account, receiver)
    await account.set(deliveries={"paused": True})
    await account.v1.customers.create_async({"name": "Ada"})
    events = account.v1.events
    waiting = (await events.list_async({"delivery_success": False})).data
    assert [event.type for event in waiting] == ["customer.created"]
    await account.set(deliveries={"paused": False})
    await receiver.wait_for(1)
    async with asyncio.timeout(20):
        while (await events.retrieve_async(waiting[0].id)).pending_webhooks:
            await asyncio.sleep(0.02)
    assert (await account.http.get("/_control/deliveries")).json() == {"waiting": 0}


async def test_a_refused_delivery_is_repeated(account: Account, receiver: Receiver) -> None:
    await _endpoint(account, receiver)
    receiver.status = 500
    await account.v1.customers.create_async({"name": "Ada"})
    await receiver.wait_for(1)
    receiver.status = 200
    await receiver.wait_for(2)
    assert receiver.received[0][1] == receiver.received[1][1]


async def test_deliveries_are_duplicated_shuffled_and_dropped_on_request(
    account: Account, receiver: Receiver
) -> None:
    await _endpoint(account, receiver)
    await account.set(deliveries={"duplicate": 1})
    await account.v1.customers.create_async({"name": "twice"})
    await receiver.wait_for(2)
    assert receiver.names == ["twice", "twice"]
    receiver.received.clear()
    await account.set(deliveries={"duplicate": 0, "drop": 1.0})
    await account.v1.customers.create_async({"name": "dropped"})
    await account.set(deliveries={"drop": 0.0, "reorder_ms": 300})
    names = [str(number) for number in range(12)]
    for name in names:
        await account.v1.customers.create_async({"name": name})
    await receiver.wait_for(12)
    assert receiver.names != names
    assert sorted(receiver.names, key=int) == names


async def test_a_disabled_endpoint_is_left_in_peace(account: Account, receiver: Receiver) -> None:
    endpoint = await _endpoint(account, receiver)
    await account.v1.webhook_endpoints.update_async(endpoint.id, {"disabled": True})
    await account.v1.customers.create_async({"name": "unheard"})
    await account.v1.webhook_endpoints.update_async(endpoint.id, {"disabled": False})
    await account.v1.customers.create_async({"name": "heard"})
    await receiver.wait_for(1)
    assert receiver.names == ["heard"]


@pytest.mark.slow
async def test_a_delivery_that_waits_survives_a_kill(tmp_path: Path, receiver: Receiver) -> None:
    state, port = tmp_path / "state.sqlite", free_port()
    program = Program(port, state)
    account = Account.new(program.url)
    await _endpoint(account, receiver)
    await account.set(deliveries={"delay_ms": 1_500})
    await account.v1.customers.create_async({"name": "Ada"})
    program.kill()
    assert receiver.received == []
    program = Program(port, state)
    await receiver.wait_for(1)
    assert receiver.names == ["Ada"]
    await account.close()
    program.stop()


async def test_a_rolled_secret_signs_beside_the_new_one_for_a_while(
    account: Account, receiver: Receiver
) -> None:
    endpoint = await _endpoint(account, receiver)
    rolled = (
        await account.http.post(
            f"/_control/webhook_endpoints/{endpoint.id}/roll", data={"hours": "24"}
        )
    ).json()
    assert rolled["secret"] != endpoint.secret
    await account.v1.customers.create_async({"name": "Ada"})
    await receiver.wait_for(1)
    headers, body = receiver.received[0]
    for secret in (endpoint.secret, rolled["secret"]):
        stripe.Webhook.construct_event(body, headers["stripe-signature"], secret)
    await account.http.post(f"/_control/webhook_endpoints/{endpoint.id}/roll")
    await account.v1.customers.create_async({"name": "Grace"})
    await receiver.wait_for(2)
    headers, body = receiver.received[1]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, headers["stripe-signature"], rolled["secret"])


async def test_the_secret_shows_only_when_an_endpoint_is_made(
    account: Account, receiver: Receiver
) -> None:
    endpoint = await _endpoint(account, receiver)
    assert str(endpoint.secret).startswith("whsec_")
    endpoints = account.v1.webhook_endpoints
    for shown in (
        await endpoints.retrieve_async(endpoint.id),
        await endpoints.update_async(endpoint.id, {"description": "Mine"}),
        (await endpoints.list_async()).data[0],
    ):
        assert "secret" not in shown.to_dict()


async def test_an_endpoint_can_listen_to_everything(account: Account, receiver: Receiver) -> None:
    endpoint = await _endpoint(account, receiver)
    await account.v1.webhook_endpoints.update_async(endpoint.id, {"enabled_events": ["*"]})
    await account.v1.products.create_async({"name": "Ada"})
    await receiver.wait_for(1)
    assert json.loads(receiver.received[0][1])["type"] == "product.created"


async def test_events_are_found_by_type_and_time_a_page_at_a_time(account: Account) -> None:
    for name in ("1", "2", "3", "4"):
        await account.v1.customers.create_async({"name": name})
    await account.v1.products.create_async({"name": "other"})
    events = account.v1.events
    found = (await events.list_async({"type": "customer.*", "limit": 2})).data
    assert [event.data.object["name"] for event in found] == ["4", "3"]
    older = await events.list_async({"types": ["customer.created"], "starting_after": found[1].id})
    assert [event.data.object["name"] for event in older.data] == ["2", "1"]
    newer = await events.list_async({"type": "customer.created", "ending_before": found[1].id})
    assert [event.id for event in newer.data] == [found[0].id]
    assert (await events.list_async({"created": {"gt": found[0].created + 60}})).data == []
    assert found[0].request
    assert str(found[0].request.id).startswith("req_")
    with pytest.raises(stripe.InvalidRequestError):
        await events.list_async({"type": "a", "types": ["b"]})


async def test_an_event_tells_the_idempotency_key_of_its_request(account: Account) -> None:
    await account.v1.customers.create_async(options={"idempotency_key": "mine"})
    (event,) = (await account.v1.events.list_async()).data
    assert event.request
    assert event.request.idempotency_key == "mine"


async def test_old_events_are_gone_if_the_account_says_so(account: Account) -> None:
    clock = await account.v1.test_helpers.test_clocks.create_async({"frozen_time": 1_500_000_000})
    await account.v1.customers.create_async({"name": "old", "test_clock": clock.id})
    await account.v1.customers.create_async({"name": "new"})
    events = account.v1.events
    both = (await events.list_async({"type": "customer.created"})).data
    assert len(both) == 2
    await account.set(events_kept_days=30)
    (kept,) = (await events.list_async({"type": "customer.created"})).data
    assert kept.data.object["name"] == "new"
    gone = next(event for event in both if event.id != kept.id)
    with pytest.raises(stripe.InvalidRequestError) as missing:
        await events.retrieve_async(gone.id)
    assert missing.value.code == "resource_missing"
