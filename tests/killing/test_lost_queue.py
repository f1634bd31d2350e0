"""Redis holds nothing that PostgreSQL does not: emptied or replaced, no work is lost with it."""

import asyncio
import os
import shutil
import signal

import pytest
import redis as redis_client

from tests.killing.conftest import Stand
from tests.killing.load import Load
from tests.killing.rig import Rig
from tests.killing.settling import await_settled, changes_by_state, charges, events_applied
from tests.portal.shop import hidden_fields

pytestmark = pytest.mark.slow

_EVENTS = 40


def _empty(rig: Rig) -> None:
    with redis_client.Redis.from_url(rig.valkey.url()) as client:
        client.flushall()


def _replace(rig: Rig) -> None:
    """Kill the server, and start one that knows nothing in its place."""
    rig.kill("valkey")
    for kept in rig.valkey.directory.glob("appendonly*"):
        shutil.rmtree(kept)
    rig.valkey.start()


@pytest.mark.parametrize("lose", [_empty, _replace], ids=["emptied", "replaced"])
async def test_what_waits_is_worked_off_when_the_queue_is_lost(stand: Stand, lose: object) -> None:
    assert callable(lose)
    rig = stand.rig
    name = "emptied" if lose is _empty else "replaced"
    async with rig.shop(stand.settings, name) as shop, rig.signed_in(shop, "ada") as ada:
        before = await charges(shop, "ada")
        load = Load(shop, ada, shop.webhook_secret)
        path = f"/subscriptions/{(await shop.subscription('ada')).id}/change"
        page = await ada.get(f"{path}/review?price={shop.prices['scale']}")
        assert rig.worker.pid is not None
        # A worker that stands still leaves everything waiting.
        os.kill(rig.worker.pid, signal.SIGSTOP)
        try:
            statuses = [await load.send(number) for number in range(_EVENTS)]
            await rig.break_next(
                shop, mode="lost", method="POST", path="/v1/subscriptions", count=9
            )
            assert (await ada.post(path, hidden_fields(page.text))).status_code == 303
            assert list(await changes_by_state(shop)) == ["unknown"]
            await rig.mend(shop)
            await asyncio.to_thread(lose, rig)
        finally:
            os.kill(rig.worker.pid, signal.SIGCONT)
        assert statuses == [200] * _EVENTS
        await await_settled(shop)
        assert {f"evt_{number:06}" for number in range(_EVENTS)} <= await events_applied(shop)
        assert list(await changes_by_state(shop)) == ["done"]
        assert await charges(shop, "ada") == before + 1
