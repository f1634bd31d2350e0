"""A deployment of several processes, whose many tenants have an account each at the sandbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple
from uuid import UUID

import msgspec

from guichet.billing.books import check_books
from guichet.billing.reconciling import reconcile
from guichet.db import Database, connect
from guichet.embedded.postgres import OWNER_ROLE
from guichet.embedded.programs import Program
from guichet.payments.choose import WEBHOOK_SECRET
from guichet.settings import Settings
from tests.databases import DatabaseUrls
from tests.killing.rig import Rig
from tests.shops import Shop, add_portal, open_shop, set_secret
from tests.soak.account import Account
from tests.soak.door import Door, open_door

_CONNECTIONS = 8
_RATE = 1000.0
#: Tenants that are added at the same time.
_AT_ONCE = 5


class _Rig(Rig):
    """A deployment whose portals are reached through a door."""

    door_port = 0

    def _settings(self) -> Settings:
        return msgspec.structs.replace(
            super()._settings(), base_domain=f"localhost:{self.door_port}"
        )


class Stage(NamedTuple):
    """What a soak runs on."""

    rig: Rig
    settings: Settings
    db: Database
    door: Door
    #: Whatever may be killed and started again, by name.
    second: dict[str, Program]
    accounts: list[Account]


@asynccontextmanager
async def open_stage(directory: Path, tenants: int, seed: int) -> AsyncIterator[Stage]:
    """Two web processes, two workers, their servers, and tenants that were imported empty."""
    async with AsyncExitStack() as stack:
        rig = _Rig(directory)
        door = await stack.enter_async_context(open_door(rig.web_port))
        rig.door_port = door.port
        running = rig.running()
        # In a thread, since it starts an event loop of its own.
        settings = await asyncio.to_thread(running.__enter__)
        stack.push_async_callback(asyncio.to_thread, running.__exit__, None, None, None)
        web, port = await asyncio.to_thread(rig.start_web, "second-web")
        door.behind.append(port)
        worker = await asyncio.to_thread(rig.start_worker, "second-worker")
        db = await stack.enter_async_context(connect(settings.database_url, _CONNECTIONS))
        stage = Stage(rig, settings, db, door, {"web": web, "worker": worker}, [])
        gate = asyncio.Semaphore(_AT_ONCE)
        # The first by itself, for the agency comes with it.
        stage.accounts.append(await _add_account(stack, stage, 0, seed, gate))
        others = (_add_account(stack, stage, number, seed, gate) for number in range(1, tenants))
        stage.accounts.extend(await asyncio.gather(*others))
        yield stage


async def _add_account(
    stack: AsyncExitStack, stage: Stage, number: int, seed: int, gate: asyncio.Semaphore
) -> Account:
    key = f"sk_test_soak_{seed}_{number}"
    shop = await stack.enter_async_context(open_shop(stage.rig.sandbox_url, key))
    async with gate:
        return Account(
            shop,
            await _add_tenant(stage, shop, f"soak-{number}"),
            stage.db,
            Random(f"{seed}/{number}"),
        )


async def _add_tenant(stage: Stage, shop: Shop, slug: str) -> UUID:
    """A tenant whose events are delivered, and whose mirror is complete."""
    urls = DatabaseUrls(stage.rig.postgres.url(OWNER_ROLE), stage.settings.database_url)
    tenant_id = await add_portal(stage.settings, urls, stage.db, shop.key, slug)
    url = f"http://{slug}.{stage.settings.base_domain}/webhooks/stripe"
    made = await shop.sdk.webhook_endpoints.create_async({"url": url, "enabled_events": ["*"]})
    assert made.secret
    await set_secret(stage.settings, stage.db, tenant_id, WEBHOOK_SECRET, made.secret)
    await _add_people(shop)
    await reconcile(stage.db, shop.port, tenant_id, full=True)
    # The next check by the clock is a day away, and mends nothing behind the soak's back.
    await check_books(stage.db, shop.port, tenant_id, repair=False, rate=_RATE, settle_s=0)
    return tenant_id


async def _add_people(shop: Shop) -> None:
    """Somebody who is there from the beginning, and never chosen: nothing may happen to them."""
    await shop.subscribe(await shop.add_customer())
