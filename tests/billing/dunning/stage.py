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
        settings: Settings,
        shop: Shop,
        db: Database,
        tenant: UUID,
        directory: Directory,
        providers: Providers,
        runner: Runner,
    ) -> None:
        self.settings = settings
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
        # A month has 28 days at least.
        await self.pass_time(28)
        while not await self.rows("select from dunning_cases"):
            await self.pass_time(1)
        return customer

    async def due(self, code: str = "insufficient_funds") -> str:
        """As `owe`, with the first try of `DAILY` due now."""
        customer = await self.owe(code)
        await self.work()
        await self.pass_time(1)
        return customer

    async def new_card(self, card: str) -> str:
        """The only customer adds a card, which becomes the default one."""
        [case] = await self.rows("select customer_id from dunning_cases")
        return await self.shop.set_card(case["customer_id"], card)

    async def charge_before(self, customer: str, times: int) -> None:
        """As if the customer's card had been charged so often lately, for other invoices."""
        await self.rows(
            """
            insert into payment_attempts (
              tenant_id, id, customer_id, payment_method_id, status, currency, amount,
              amount_refunded, decline_code, network, fingerprint, created_at, copy_no
            )
            select
              $1, 'ch_before_' || number, $2, method.id, 'failed', 'eur', 1000,
              0, 'insufficient_funds', 'visa', method.fingerprint,
              $3::timestamptz - number * interval '1 hour', 1
            from payment_methods as method, generate_series(1, $4) as number
            where method.tenant_id = $1
            and method.customer_id = $2
            returning 1
            """,
            self.tenant,
            customer,
            self.now,
            times,
        )

    async def another_case(self, customer: str) -> str:
        """One more invoice of a customer whose payment has failed as long ago as the first."""
        draft = await self.shop.sdk.invoices.create_async(
            {"customer": customer, "currency": "eur", "auto_advance": False}
        )
        await self.shop.sdk.invoice_items.create_async(
            {"customer": customer, "invoice": draft.id, "amount": 500, "currency": "eur"}
        )
        await self.shop.port.finalize_invoice(draft.id, f"finalize {draft.id}")
        await self.learn()
        await self.rows(
            """
            insert into dunning_cases (
              tenant_id, invoice_id, customer_id, test_clock_id, state, opened_at, taken
            )
            select tenant_id, $2, customer_id, test_clock_id, 'waiting', opened_at, true
            from dunning_cases
            where tenant_id = $1
            order by opened_at
            limit 1
            returning 1
            """,
            self.tenant,
            draft.id,
        )
        return draft.id

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
        """The one case there is; `sleeps` is for how many seconds nobody looks at it."""
        [row] = await self.rows(
            """
            select
              *,
              decision ->> 'step' as step,
              case when isfinite(wake_at) then extract(epoch from wake_at - now()) end as sleeps
            from dunning_cases
            """
        )
        return row

    async def cases(self) -> list[asyncpg.Record]:
        return await self.rows("select * from dunning_cases order by invoice_id")

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
        stage = Stage(settings, shop, db, tenant, directory, providers, runner)
        await stage.publish(DAILY)
        yield stage
