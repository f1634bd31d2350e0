"""PostgreSQL and Valkey cut, refused, swallowed, late and killed, one after the other, under load.

Whatever was acknowledged is done in the end, once; errors end soon after each fault; no process of
the deployment has to be restarted.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Awaitable, Callable

import asyncpg
import msgspec
import psutil
import pytest

from guichet.db import LOST
from tenants.catalog import ChangeRules
from tenants.configuration import load_published, publish
from tests.cutting_proxy import CuttingProxy
from tests.killing.conftest import Stand
from tests.killing.load import Load
from tests.killing.rig import Rig
from tests.killing.settling import await_settled, changes_by_state, charges, events_applied
from tests.mirrors import held, mirrored

pytestmark = pytest.mark.slow

#: How often each fault happens; `make soak` has more of them.
ROUNDS = int(os.environ.get("SOAK_FAULT_ROUNDS", "1"))
#: The promise is five seconds; a busy machine gets twice as many.
RECOVERED_SECONDS = 10.0
#: What nobody hears of after a fault: nothing went wrong for so long.
_QUIET_SECONDS = 1.5
#: PostgreSQL's and Valkey's connections of one process at the most, and what it opens besides.
_FILES_MORE = 30

Fault = Callable[[Rig, str, CuttingProxy], Awaitable[None]]


async def _cut(_rig: Rig, _name: str, proxy: CuttingProxy) -> None:
    proxy.cut()


async def _refuse(_rig: Rig, _name: str, proxy: CuttingProxy) -> None:
    proxy.refuse()
    await asyncio.sleep(2)
    await proxy.listen()


async def _swallow(_rig: Rig, _name: str, proxy: CuttingProxy) -> None:
    proxy.swallow()
    await asyncio.sleep(4)
    proxy.flow()


async def _delay(_rig: Rig, _name: str, proxy: CuttingProxy) -> None:
    proxy.delay = 0.03
    await asyncio.sleep(2)
    proxy.delay = 0


async def _kill(rig: Rig, name: str, _proxy: CuttingProxy) -> None:
    await asyncio.to_thread(rig.kill, name)
    await asyncio.to_thread(getattr(rig, name).start)


FAULTS: dict[str, Fault] = {
    "cut": _cut,
    "refused": _refuse,
    "swallowed": _swallow,
    "late": _delay,
    "killed": _kill,
}
KINDS = {"delivery", "page", "review", "change", "outcome"}


class Watch:
    """Brings faults upon a rig under load, and looks how it comes out of each."""

    def __init__(self, rig: Rig, load: Load) -> None:
        self.rig = rig
        self.load = load
        #: How long errors went on after a fault's end, in seconds, by the fault.
        self.recovered: dict[str, float] = {}

    def report(self) -> str:
        """How long errors went on after each fault, and how many tries failed at all."""
        seconds = ", ".join(f"{what}: {lasted:.2f} s" for what, lasted in self.recovered.items())
        return f"{len(self.load.errors_since(0))} of {len(self.load.tries)} failed; {seconds}"

    async def suffer(self, server: str, name: str, proxy: CuttingProxy) -> None:
        """One fault, and the time after it until everything goes well."""
        email = f"help-{len(self.load.tries)}@example.com"
        announcing = asyncio.create_task(self._announce(email))
        await FAULTS[name](self.rig, server, proxy)
        ended_at = time.monotonic()
        await announcing
        await self._until_well(ended_at, f"{server} {name}")
        await self._until_known(email)

    async def _until_well(self, ended_at: float, what: str) -> None:
        """Until each kind of thing went well since the fault, and nothing wrong for a while."""
        while (
            KINDS - self.load.succeeded_since(ended_at)
            or self.load.errors_since(time.monotonic() - _QUIET_SECONDS)
            or time.monotonic() < ended_at + _QUIET_SECONDS
        ):
            assert time.monotonic() < ended_at + 4 * RECOVERED_SECONDS, (what, self.load.tries[-5:])
            await asyncio.sleep(0.05)
        last = [each.ended_at for each in self.load.errors_since(ended_at)]
        lasted = max(last, default=ended_at) - ended_at
        self.recovered[what] = max(lasted, self.recovered.get(what, 0.0))

    async def _announce(self, email: str) -> None:
        """Publish another address for support; the database itself may be away for a moment."""
        shop = self.load.shop
        async with asyncio.timeout(4 * RECOVERED_SECONDS):
            while True:
                with contextlib.suppress(OSError, *LOST):
                    async with shop.deployment.db.unit(shop.tenant_id) as unit:
                        published = await load_published(unit.connection, shop.tenant_id)
                        after = msgspec.structs.replace(
                            published.configuration, support_email=email
                        )
                        await publish(unit.connection, shop.tenant_id, after, "test")
                        return
                await asyncio.sleep(0.1)

    async def _until_known(self, email: str) -> None:
        """Until the web process shows it, which it learns of by its listener."""
        async with asyncio.timeout(RECOVERED_SECONDS):
            while email not in (await self.load.customer.get("/")).text:
                await asyncio.sleep(0.05)


async def listeners(rig: Rig) -> int:
    """How many processes listen for changes at this moment."""
    connection = await asyncpg.connect(rig.postgres.url("postgres"))
    try:
        found: int = await connection.fetchval(
            "select count(1) from pg_stat_activity where application_name = 'guichet directory'"
        )
    finally:
        await connection.close()
    return found


def open_files(rig: Rig) -> int:
    """Everything that web and worker hold open, above all their connections."""
    return sum(psutil.Process(program.pid).num_fds() for program in (rig.web, rig.worker))


async def test_servers_that_go_away_lose_nothing_that_was_acknowledged(
    stand: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    rig, settings, proxies = stand
    async with (
        rig.shop(settings, "faults", ChangeRules(downgrade="now")) as shop,
        rig.signed_in(shop, "ada") as ada,
    ):
        load = Load(shop, ada, shop.webhook_secret)
        before = await charges(shop, "ada")
        processes = rig.web.pid, rig.worker.pid
        watch = Watch(rig, load)
        async with load.running():
            await watch._until_well(time.monotonic(), "no fault")
            held_open = open_files(rig)
            for _ in range(ROUNDS):
                for server, proxy in zip(("postgres", "valkey"), proxies, strict=True):
                    for name in FAULTS:
                        await watch.suffer(server, name, proxy)
            assert open_files(rig) < held_open + _FILES_MORE
            assert await listeners(rig) == 3
        settled = await await_settled(shop)
        if "SOAK_FAULT_ROUNDS" in os.environ:
            with capsys.disabled():
                sys.stdout.write(f"\n{watch.report()}, settled in {settled:.1f} s\n")
        # Somebody was hit, and was told to come again and not that something is broken.
        assert {each.error for each in load.errors_since(0)} == {"503"}
        assert max(watch.recovered.values()) < RECOVERED_SECONDS, watch.recovered
        assert (rig.web.pid, rig.worker.pid) == processes
        await _check_nothing_is_missing(load, before)


async def _check_nothing_is_missing(load: Load, before: int) -> None:
    shop = load.shop
    assert load.acknowledged - await events_applied(shop) == set()
    confirmed = {path.rpartition("/")[2] for path in load.changes}
    assert await changes_by_state(shop) == {"done": confirmed}
    assert await charges(shop, "ada") == before + len(confirmed)
    provider = await shop.deployment.providers.client(shop.tenant_id)
    assert await mirrored(shop.deployment.db, shop.tenant_id) == await held(provider)


async def test_nothing_is_acknowledged_before_it_is_durable(stand: Stand) -> None:
    rig, settings, proxies = stand
    async with rig.shop(settings, "durable") as shop, rig.signed_in(shop, "ada") as ada:
        load = Load(shop, ada, shop.webhook_secret)
        assert await load.send(1) == 200
        proxies.postgres.swallow()
        sending = asyncio.create_task(load.send(2))
        answered, _ = await asyncio.wait({sending}, timeout=3)
        assert not answered
        # What was swallowed never reaches the database.
        proxies.postgres.cut()
        assert await sending == 503
        proxies.postgres.flow()
        await await_settled(shop)
        assert await events_applied(shop) & {"evt_000001", "evt_000002"} == {"evt_000001"}
        assert await load.send(2) == 200
        await await_settled(shop)
        assert "evt_000002" in await events_applied(shop)
