"""One failed payment, to which anything may happen in any order: at our side and at the provider's.

What a dead process leaves undone, what a provider answers late or never, and what customers do
meanwhile: each is one call here. Whatever we ask the provider for is watched while we ask for it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from guichet.billing.dunning.running import Runner
from guichet.billing.fetching import fetch_all
from guichet.billing.mirror import Reference, draw_copy_no, write_copies
from guichet.billing.news import follow_news
from guichet.db import Database, Unit
from guichet.deployment import Deployment
from guichet.payments.errors import ProviderError
from tenants.configuration import Configuration
from tenants.retries import RetryPolicy
from tests.killing.outcomes import Killed
from tests.killing.watched import Charges, Chosen, Watched
from tests.payments.clocks import add_clock, advance
from tests.payments.hosted import submit
from tests.shops import Shop
from tests.years.people import TYPED_NUMBER

POLICY = RetryPolicy(collector="guichet", waits_days=(1,) * 8, tries=8, window_days=30)
_FETCH_SECONDS = 10.0


class Mortal(Database):
    """Dies with its process at the end of the so-many-th transaction, before or after the commit.

    What comes after that is not done any more.
    """

    def __init__(self, db: Database, dies_at: int, *, commits: bool) -> None:
        super().__init__(db.pool)
        self._left = dies_at
        self._commits = commits

    @contextlib.asynccontextmanager
    async def unit(self, tenant_id: UUID, *, plans_once: bool = False) -> AsyncIterator[Unit]:
        self._left -= 1
        if self._left < 0:
            raise Killed
        async with super().unit(tenant_id, plans_once=plans_once) as unit:
            yield unit
            if not self._left and not self._commits:
                raise Killed
        if not self._left:
            raise Killed


class Debt:
    """An invoice whose payment has failed, of a new customer who lives by a clock of their own."""

    def __init__(self, deployment: Deployment, tenant_id: UUID, shop: Shop) -> None:
        self.shop = shop
        self.tenant_id = tenant_id
        self.deployment = deployment
        #: What we asked the provider for.
        self.charges = Charges()
        self._ill: set[str] = set()

    @property
    def invoice_id(self) -> str:
        return self.charges.invoice_id

    async def open(self) -> None:
        """A renewal fails; its case is opened, and its first retry is planned."""
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.clock = await add_clock(self.shop, self.now)
        self.customer_id = await self.shop.add_customer(clock=self.clock)
        bought = await self.shop.subscribe(self.customer_id)
        self.subscription_id = bought.id
        await self.fall_ill()
        await self.pass_time(timedelta(days=31, hours=3))
        listed = await self.shop.sdk.invoices.list_async(
            {"customer": self.customer_id, "status": "open"}
        )
        [invoice] = listed.data
        self.charges.invoice_id = str(invoice.id)
        await self.follow()
        await self.run("answered")

    # What happens at the provider.

    async def pass_time(self, time: timedelta) -> None:
        self.now += time
        await advance(self.shop, self.clock, self.now)

    async def fall_ill(self) -> None:
        """Every card of the customer is refused."""
        listed = await self.shop.sdk.payment_methods.list_async({"customer": self.customer_id})
        self._ill = {method.id for method in listed.data}
        await self._set_cards()

    async def get_well(self) -> None:
        self._ill.clear()
        await self._set_cards()

    async def _set_cards(self) -> None:
        await self.shop.set(declines=dict.fromkeys(self._ill, "insufficient_funds"))

    async def add_card(self) -> None:
        await self.shop.set_card(self.customer_id, "pm_card_mastercard")

    async def pay(self) -> None:
        """The customer pays at the provider's own page."""
        invoice = await self.shop.sdk.invoices.retrieve_async(self.invoice_id)
        typed = {"expiry": "12 / 40", "cvc": "1234", "name": "Ada Lovelace"}
        await submit(str(invoice.hosted_invoice_url), method="new", number=TYPED_NUMBER, **typed)

    async def void(self) -> None:
        invoice = await self.shop.sdk.invoices.retrieve_async(self.invoice_id)
        if invoice.status == "open":
            await self.shop.sdk.invoices.void_invoice_async(self.invoice_id)

    async def make_late_charges(self) -> None:
        """The provider does what it was asked for long ago."""
        later, self.charges.later = self.charges.later, []
        for invoice_id, key, method in later:
            with contextlib.suppress(ProviderError):
                await self.shop.port.charge_invoice(invoice_id, key, method)

    # What happens at our side.

    async def run(
        self, event: str, *, hides: bool = False, db: Database | None = None, times: int = 1
    ) -> None:
        """What workers do when they come by, as many at once as `times`."""

        async def once() -> None:
            client = Watched(self.shop.port, self.charges, self._in_doubt, event, hides=hides)
            providers = Chosen(self.deployment, client)
            deployment = self.deployment
            runner = Runner(db or deployment.db, providers, deployment.directory)
            with contextlib.suppress(Killed):
                await runner.run(self.tenant_id)

        await asyncio.gather(*(once() for _ in range(times)))

    async def run_until_death(self, event: str, transactions: int, *, commits: bool) -> None:
        """What a worker does until it dies at the end of a transaction."""
        mortal = Mortal(self.deployment.db, transactions, commits=commits)
        await self.run(event, db=mortal)

    async def follow(self) -> None:
        """Have the mirror hold what the provider does, and what changed be followed."""
        references = {
            Reference("test_clock", self.clock),
            Reference("customer", self.customer_id),
            Reference("subscription", self.subscription_id),
            Reference("invoice", self.invoice_id),
        }
        listed = self.shop.port.list_payment_methods(self.customer_id)
        references |= {Reference("payment_method", method.id) async for method in listed}
        attempts = await self.shop.port.list_invoice_attempts(self.invoice_id)
        references |= {Reference("attempt", attempt.id) for attempt in attempts}
        async with self.deployment.db.unit(self.tenant_id) as unit:
            copy_no = await draw_copy_no(unit)
        fetched = await fetch_all(self.shop.port, references, _FETCH_SECONDS)
        assert not fetched.errors
        async with self.deployment.db.unit(self.tenant_id) as unit:
            await write_copies(unit, [it for it in fetched.copies.values() if it], copy_no)
        await follow_news(self.deployment.db, self.tenant_id, Configuration(retries=POLICY))

    async def end_leases(self) -> None:
        """Let so much of the wall's time pass that whatever is in doubt is looked at."""
        async with self.deployment.db.unit(self.tenant_id) as unit:
            await unit.execute(
                """
                update dunning_cases
                set wake_at = now()
                where tenant_id = $1
                and invoice_id = $2
                and (state in ('attempting', 'unknown') or looks > 0)
                and wake_at is not null
                """,
                self.tenant_id,
                self.invoice_id,
            )

    async def forget_keys(self) -> None:
        """Let a day of the wall's time pass: the provider has forgotten every key."""
        # What it was asked for is done by then, or never.
        await self.make_late_charges()
        self.charges.forgotten |= self.charges.asked
        async with self.deployment.db.unit(self.tenant_id) as unit:
            await unit.execute(
                """
                update dunning_attempts
                set sent_at = sent_at - interval '25 hours'
                where tenant_id = $1
                and invoice_id = $2
                and state in ('started', 'unknown')
                """,
                self.tenant_id,
                self.invoice_id,
            )

    # What is watched.

    async def _in_doubt(self) -> list[str]:
        async with self.deployment.db.unit(self.tenant_id) as unit:
            rows = await unit.fetch(
                """
                select idempotency_key
                from dunning_attempts
                where tenant_id = $1
                and invoice_id = $2
                and state in ('started', 'unknown')
                """,
                self.tenant_id,
                self.invoice_id,
            )
        return [row["idempotency_key"] for row in rows]

    async def state(self) -> str:
        async with self.deployment.db.unit(self.tenant_id) as unit:
            state: str = await unit.fetchval(
                "select state from dunning_cases where tenant_id = $1 and invoice_id = $2",
                self.tenant_id,
                self.invoice_id,
            )
        return state

    async def payments(self) -> int:
        """How many charges have paid the invoice."""
        attempts = await self.shop.port.list_invoice_attempts(self.invoice_id)
        return sum(attempt.status == "succeeded" for attempt in attempts)


NewDebt = Callable[[], Debt]
