"""Lumen's customers whose payments have failed, without a test clock, and a worker for them."""

import asyncio
from typing import Any, NamedTuple

import asyncpg
import msgspec

from guichet.billing.dunning.running import Runner
from guichet.billing.mirror import draw_copy_no, write_copies
from guichet.billing.news import follow_news
from guichet.payments.errors import PaymentFailed
from tenants.configuration import Configuration, publish
from tenants.retries import RetryPolicy
from tests.console.town import Town
from tests.mirrors import held
from tests.shops import Shop

#: A try each day.
DAILY = RetryPolicy(collector="guichet", waits_days=(1, 1, 1), tries=3, window_days=10)


class Debt(NamedTuple):
    """One customer's failed payment, and the parts of a worker."""

    town: Town
    shop: Shop
    runner: Runner
    customer: str
    invoice: str
    card: str

    @property
    def story(self) -> str:
        return f"/merchants/lumen/customers/{self.customer}"

    @property
    def payment(self) -> str:
        return f"{self.story}/payments/{self.invoice}"

    async def work(self) -> None:
        """Bring on what is due now, as a worker does."""
        await self.runner.run(self.town.lumen.id)

    async def publish(self, **changes: Any) -> None:
        await publish_policy(self.town, msgspec.structs.replace(DAILY, **changes))

    async def rows(self, sql: str) -> list[asyncpg.Record]:
        async with self.town.deployment.db.unit(self.town.lumen.id) as unit:
            return await unit.fetch(sql)

    async def case(self) -> asyncpg.Record:
        [row] = await self.rows("select * from dunning_cases")
        return row

    async def attempts(self) -> list[asyncpg.Record]:
        return await self.rows("select * from dunning_attempts order by number")


async def publish_policy(town: Town, policy: RetryPolicy) -> None:
    """Publish it, and wait until the web program knows it."""
    async with town.deployment.db.unit(town.lumen.id) as unit:
        version = await publish(
            unit.connection, unit.tenant_id, Configuration(retries=policy), "a test"
        )
    while True:
        entry = town.deployment.directory.by_id(town.lumen.id)
        if entry is not None and entry.published_version == version:
            return
        await asyncio.sleep(0.01)


async def owe(town: Town, shop: Shop, email: str = "ada@example.com") -> Debt:
    """A customer whose card was just declined, with a case that waits for its first try."""
    await publish_policy(town, DAILY)
    customer = await shop.add_customer(email)
    found = await shop.sdk.customers.retrieve_async(customer)
    assert found.invoice_settings is not None
    card = str(found.invoice_settings.default_payment_method)
    await shop.set(declines={card: "insufficient_funds"})
    draft = await shop.sdk.invoices.create_async(
        {"customer": customer, "currency": "eur", "auto_advance": False}
    )
    await shop.sdk.invoice_items.create_async(
        {"customer": customer, "invoice": draft.id, "amount": 500, "currency": "eur"}
    )
    await shop.port.finalize_invoice(draft.id, f"finalize {draft.id}")
    try:
        await shop.port.charge_invoice(draft.id, f"first {draft.id}")
    except PaymentFailed:
        await learn(town, shop)
    deployment = town.deployment
    runner = Runner(deployment.db, deployment.providers, deployment.directory)
    debt = Debt(town, shop, runner, customer, draft.id, card)
    await debt.work()
    return debt


async def learn(town: Town, shop: Shop) -> None:
    """Mirror all that the provider holds, and follow the news of it."""
    db, lumen = town.deployment.db, town.lumen.id
    async with db.unit(lumen) as unit:
        copy_no = await draw_copy_no(unit)
    copies = (await held(shop.port)).values()
    async with db.unit(lumen) as unit:
        await write_copies(unit, copies, copy_no)
    await follow_news(db, lumen, Configuration(retries=DAILY))
