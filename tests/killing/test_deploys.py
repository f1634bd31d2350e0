"""A deploy under load: processes are asked to stop one after the other, and nobody notices."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence

import httpx
import pytest

from guichet.embedded.programs import Program
from tenants.catalog import ChangeRules
from tests.killing.conftest import Stand
from tests.killing.load import Load
from tests.killing.rig import kill
from tests.killing.settling import (
    await_empty_queue,
    await_settled,
    changes_by_state,
    charges,
    events_applied,
)
from tests.portal.shop import Customer

pytestmark = pytest.mark.slow

#: The provider answers a little late, so that there is always something in hand.
_LATENCY_MS = 200
_END_SECONDS = 30.0


class Balancer(httpx.AsyncBaseTransport):
    """What stands before the web processes: goes to one that says that it is ready.

    A request that was sent is not sent again, as a load balancer must not do with a POST.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = list(ports)
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._ports.append(self._ports.pop(0))
        for port in tuple(self._ports):
            request.url = request.url.copy_with(host="127.0.0.1", port=port)
            if await self._is_ready(request.url):
                return await self._transport.handle_async_request(request)
        raise httpx.ConnectError("nobody is ready")

    async def _is_ready(self, url: httpx.URL) -> bool:
        question = httpx.Request("GET", url.copy_with(raw_path=b"/health/ready"))
        try:
            answer = await self._transport.handle_async_request(question)
            await answer.aread()
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    async def aclose(self) -> None:
        await self._transport.aclose()


async def _stop(program: Program) -> int:
    """End a process as a deploy does; answers its exit status."""
    process = program._process
    assert process is not None
    process.send_signal(signal.SIGTERM)
    return await asyncio.to_thread(process.wait, _END_SECONDS)


async def test_a_deploy_fails_no_request_and_loses_no_work(stand: Stand) -> None:
    rig = stand.rig
    second, port = await asyncio.to_thread(rig.start_web, "deployed-web")
    async with (
        rig.shop(stand.settings, "deploy", ChangeRules(downgrade="now")) as shop,
        rig.signed_in(shop, "ada") as ada,
        httpx.AsyncClient(
            base_url=ada.client.base_url,
            headers=ada.client.headers,
            transport=Balancer([rig.web_port, port]),
            timeout=30,
        ) as client,
    ):
        await rig.set_latency(shop, _LATENCY_MS)
        before = await charges(shop, "ada")
        load = Load(shop, Customer(client, shop.origin, ada.customer_id), shop.webhook_secret)
        async with load.running():
            for program in (second, rig.web, rig.worker):
                await asyncio.sleep(1)
                assert await _stop(program) == 0, program.last_words()
                await asyncio.sleep(0.5)
                await asyncio.to_thread(program.start)
                await asyncio.to_thread(rig.await_web, port)
        assert load.errors_since(0) == []
        await await_settled(shop)
        await asyncio.to_thread(second.stop)
        assert load.acknowledged - await events_applied(shop) == set()
        confirmed = {path.rpartition("/")[2] for path in load.changes}
        assert await changes_by_state(shop) == {"done": confirmed}
        assert await charges(shop, "ada") == before + len(confirmed)


async def test_work_goes_on_after_web_and_worker_are_killed_under_load(
    stand: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = stand.rig
    async with (
        rig.shop(stand.settings, "crash", ChangeRules(downgrade="now")) as shop,
        rig.signed_in(shop, "ada") as ada,
    ):
        await rig.set_latency(shop, _LATENCY_MS)
        before = await charges(shop, "ada")
        load = Load(shop, ada, shop.webhook_secret)
        async with load.running():
            for program in (rig.worker, rig.web):
                await asyncio.sleep(1.5)
                await asyncio.to_thread(kill, program)
                await asyncio.to_thread(program.start)
                started_at = time.monotonic()
                await asyncio.to_thread(rig.await_web)
                serving = time.monotonic() - started_at
        settled = await await_settled(shop)
        if any(name.startswith("SOAK_") for name in os.environ):
            with capsys.disabled():
                sys.stdout.write(f"\nserving after {serving:.1f} s, settled in {settled:.1f} s\n")
        assert load.errors_since(0)
        # What the dead worker had in hand does not stand in the others' way.
        await await_empty_queue(stand.settings.redis_url)
        assert load.acknowledged - await events_applied(shop) == set()
        confirmed = {path.rpartition("/")[2] for path in load.changes}
        assert await changes_by_state(shop) == {"done": confirmed}
        assert await charges(shop, "ada") == before + len(confirmed)
