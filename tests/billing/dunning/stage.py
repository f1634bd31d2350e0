"""A merchant at the sandbox whose customers' payments fail, with a worker's parts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from guichet.billing.dunning.running import Runner
from guichet.billing.mirror import draw_copy_no, write_copies
from guichet.billing.news import follow_news
from guichet.db import Database
from guichet.payments.choose import Providers
from guichet.payments.copies import AttemptCopy
from guichet.settings import Settings
from guichet.tenancy import Directory
from tenants.configuration import Configuration, Published, publish
from tenants.mails import Mails
from tenants.retries import RetryPolicy
from tenants.vault import Vault
from tests.databases import DatabaseUrls
from tests.mirrors import held
from tests.payments.clocks import add_clock, advance
from tests.shops import Shop, add_portal

#: A try each day.
DAILY = RetryPolicy(collector="guichet", waits_days=(1, 1, 1), tries=3, window_days=10)
_DAY = timedelta(days=1)


class Stage:
    """One merchant with one test clock, at the sandbox and in the database."""

    def __init__(
        self,
        shop: Shop,
        db: Database,
        tenant: UUID,
        directory: Directory,
        providers: Providers,
        runner: Runner,
    ) -> None:
        self.shop = shop
        self.db = db
        self.tenant = tenant
        self.directory = directory
        self.providers = providers
        self.runner = runner
        self.clock = ""
        self.now = datetime.now(UTC).replace(microsecond=0)

    async def publish(self, policy: RetryPolicy, mails: Mails | None = None) -> None:
        """Publish a policy, and wait until the directory knows it."""
        configuration = Configuration(retries=policy, mails=mails or Mails())
        async with self.db.system() as connection:
            await connection.execute("reset role")
            await connection.execute(f"set local guichet.tenant = '{self.tenant}'")
            version = await publish(connection, self.tenant, configuration, "test")
        while (await self.published()).version < version:
            await asyncio.sleep(0.01)

    async def published(self) -> Published:
        entry = self.directory.by_id(self.tenant)
        assert entry is not None
        return await self.directory.published(entry)

    async def subscribe(self, email: str = "ada@example.com", card: str = "pm_card_visa") -> str:
        """The customer of a paid subscription that lives by the clock."""
        if not self.clock:
            self.clock = await add_clock(self.shop, self.now)
        customer = await self.shop.add_customer(email, card, self.clock)
        await self.shop.subscribe(customer)
        return customer

    async def fail(self, customer: str, code: str = "insufficient_funds") -> str:
        """Have the customer's default card decline from now on; answers the card."""
        found = await self.shop.sdk.customers.retrieve_async(customer)
        assert found.invoice_settings is not None
        card = found.invoice_settings.default_payment_method
        assert isinstance(card, str)
        await self.decline({card: code})
        return card

    async def decline(self, declines: dict[str, str]) -> None:
        await self.shop.set(declines=declines)

    async def pass_time(self, days: float) -> None:
        """Advance the clock by so many days, and learn of what happened."""
        self.now += _DAY * days
        await advance(self.shop, self.clock, self.now)
        await self.learn()

    async def learn(self) -> None:
        """Mirror all that the provider holds, and follow the news of it."""
        async with self.db.unit(self.tenant) as unit:
            copy_no = await draw_copy_no(unit)
        copies = (await held(self.shop.port)).values()
        async with self.db.unit(self.tenant) as unit:
            await write_copies(unit, copies, copy_no)
        configuration = (await self.published()).configuration
        await follow_news(self.db, self.tenant, configuration)

    async def work(self) -> None:
        """Bring on what is due now, as a worker does."""
        await self.runner.run(self.tenant)

    async def owe(self, code: str = "insufficient_funds", card: str = "pm_card_visa") -> str:
        """A customer whose renewal has just failed, and whose case is not looked at yet."""
        customer = await self.subscribe(card=card)
        await self.fail(customer, code)
        while not await self.rows("select from dunning_cases"):
            await self.pass_time(1)
        return customer

    async def live(self, days: float, step: float = 1.0) -> None:
        """So many days, with a worker at work each step."""
        for _ in range(round(days / step)):
            await self.pass_time(step)
            await self.work()
            await self.learn()
            await self.work()

    async def rows(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        async with self.db.unit(self.tenant) as unit:
            return await unit.fetch(sql, *args)

    async def case(self) -> asyncpg.Record:
        """The one case there is."""
        [row] = await self.rows("select *, decision ->> 'step' as step from dunning_cases")
        return row

    async def attempts(self) -> list[asyncpg.Record]:
        return await self.rows("select * from dunning_attempts order by invoice_id, number")

    async def mails(self) -> list[str]:
        """The kinds of the mails that were queued, in order."""
        rows = await self.rows("select kind from messages order by queued_at, key")
        return [row["kind"] for row in rows]

    async def access(self) -> str:
        [row] = await self.rows("select access from subscriptions")
        return str(row["access"])

    async def charges(self) -> list[AttemptCopy]:
        """What the provider charged, oldest first."""
        listed = [each async for each in self.shop.port.list_attempts()]
        return listed[::-1]

    async def wake(self) -> None:
        """Let leases and waits run out."""
        await self.rows(
            "update dunning_cases set wake_at = '-infinity' where wake_at is not null returning 1"
        )


@contextlib.asynccontextmanager
async def open_stage(
    settings: Settings, urls: DatabaseUrls, db: Database, shop: Shop
) -> AsyncIterator[Stage]:
    """The merchant *lumen*, who tries again each day."""
    tenant = await add_portal(settings, urls, db, shop.key)
    async with (
        Directory(settings, db) as directory,
        Providers(settings, db, Vault(settings.master_keys)) as providers,
    ):
        directory.on_change(providers.forget)
        runner = Runner(db, providers, directory)
        stage = Stage(shop, db, tenant, directory, providers, runner)
        await stage.publish(DAILY)
        yield stage
