"""What a year is lived on: servers, mail, a web process, and workers, one with a wrong clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple
from uuid import UUID

import msgspec

from guichet.billing.reconciling import reconcile
from guichet.db import Database, connect
from guichet.embedded.postgres import OWNER_ROLE
from guichet.embedded.programs import Program
from guichet.payments.choose import WEBHOOK_SECRET
from guichet.settings import Settings
from tests.databases import DatabaseUrls
from tests.killing.rig import Rig
from tests.mail_catcher import MailCatcher
from tests.shops import Shop, add_portal, open_shop, set_secret
from tests.years.merchant import Merchant
from tests.years.policies import PLANS
from tests.years.skew import SKEWS, skewed

_CONNECTIONS = 8


class _Rig(Rig):
    """A deployment that hands its mail to a catcher."""

    smtp_url = ""

    def _settings(self) -> Settings:
        return msgspec.structs.replace(
            super()._settings(), smtp_url=self.smtp_url, mail_from="mail@guichet.example"
        )


class Stage(NamedTuple):
    """A running deployment, and who lives on it."""

    rig: Rig
    settings: Settings
    db: Database
    catcher: MailCatcher
    #: Two workers whose clocks are wrong, of which one works at a time: the first is ahead.
    skewed: list[Program]
    merchants: list[Merchant]


@asynccontextmanager
async def open_stage(
    directory: Path, catcher: MailCatcher, tenants: int, people: int, seed: int
) -> AsyncIterator[Stage]:
    """Start everything; all tenants are imported and their events are delivered."""
    async with AsyncExitStack() as stack:
        rig = _Rig(directory)
        rig.smtp_url = catcher.url
        running = rig.running()
        # In a thread, since it starts an event loop of its own.
        settings = await asyncio.to_thread(running.__enter__)
        stack.push_async_callback(asyncio.to_thread, running.__exit__, None, None, None)
        workers = [
            await asyncio.to_thread(rig.start_worker, f"worker{skew}", skewed(skew))
            for skew in SKEWS
        ]
        await asyncio.to_thread(workers[1].stop)
        db = await stack.enter_async_context(connect(settings.database_url, _CONNECTIONS))
        stage = Stage(rig, settings, db, catcher, workers, [])
        # The first by itself, for the agency comes with it.
        stage.merchants.append(await _add_merchant(stack, stage, 0, people, seed))
        others = (_add_merchant(stack, stage, it, people, seed) for it in range(1, tenants))
        stage.merchants.extend(await asyncio.gather(*others))
        yield stage


async def _add_merchant(
    stack: AsyncExitStack, stage: Stage, number: int, people: int, seed: int
) -> Merchant:
    key = f"sk_test_year_{seed}_{number}"
    shop = await stack.enter_async_context(open_shop(stage.rig.sandbox_url, key))
    tenant_id = await _add_tenant(stage, shop, f"year-{number}")
    plan = PLANS[number % len(PLANS)]
    merchant = Merchant(shop, tenant_id, stage.db, plan, Random(f"{seed}/{number}"))
    await merchant.publish(plan.policy)
    await merchant.settle_in(people)
    await reconcile(stage.db, shop.port, tenant_id, full=True)
    return merchant


async def _add_tenant(stage: Stage, shop: Shop, slug: str) -> UUID:
    urls = DatabaseUrls(stage.rig.postgres.url(OWNER_ROLE), stage.settings.database_url)
    tenant_id = await add_portal(stage.settings, urls, stage.db, shop.key, slug)
    url = f"http://{slug}.{stage.settings.base_domain}/webhooks/stripe"
    made = await shop.sdk.webhook_endpoints.create_async({"url": url, "enabled_events": ["*"]})
    assert made.secret
    await set_secret(stage.settings, stage.db, tenant_id, WEBHOOK_SECRET, made.secret)
    return tenant_id
