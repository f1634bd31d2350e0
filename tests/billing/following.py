"""A tenant whose mirror is written by hand, and what follows from what is written."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
from msgspec.structs import replace

from guichet.billing.mirror import draw_copy_no, write_copies
from guichet.billing.news import Followed, follow_news
from guichet.db import Database
from guichet.payments.copies import AttemptCopy, Copy, InvoiceCopy, SubscriptionCopy, TestClockCopy
from tenants.configuration import Configuration
from tests.billing.samples import (
    ATTEMPT,
    CUSTOMER,
    INVOICE,
    METHOD,
    PRICE,
    PRODUCT,
    SUBSCRIPTION,
    bare,
)

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

PERSON = replace(CUSTOMER, test_clock_id=None, created_at=NOW - 90 * DAY)
CARD = replace(METHOD, created_at=NOW - 90 * DAY)
PLAN = (PRODUCT, replace(PRICE, tiers_mode=None, tiers=(), package_size=None, package_round=None))
_SUBSCRIPTION = bare(SUBSCRIPTION)
assert isinstance(_SUBSCRIPTION, SubscriptionCopy)
#: Active and in good standing, in the middle of its month.
ACTIVE = replace(
    _SUBSCRIPTION,
    status="active",
    collection_method="charge_automatically",
    cancel_at_period_end=False,
    created_at=NOW - 90 * DAY,
    current_period_start_at=NOW - 15 * DAY,
    current_period_end_at=NOW + 15 * DAY,
    items=(replace(SUBSCRIPTION.items[0], quantity=2),),
)
#: It was cancelled, and is used up to the end of the month.
ENDING = replace(
    ACTIVE, cancel_at_period_end=True, cancel_at=ACTIVE.current_period_end_at, canceled_at=NOW
)
#: Open, and nothing was tried yet.
DUE = replace(
    INVOICE,
    attempt_count=0,
    created_at=NOW - HOUR,
    finalized_at=NOW - HOUR,
    next_payment_attempt_at=None,
)
FAILED = replace(DUE, attempt_count=1)
PAID = replace(FAILED, status="paid", amount_paid=900, amount_remaining=0, paid_at=NOW)
REFUSED = replace(ATTEMPT, created_at=NOW - HOUR / 2)


class Merchant:
    """A tenant and its configuration."""

    def __init__(self, db: Database, tenant_id: UUID) -> None:
        self.db = db
        self.tenant_id = tenant_id
        self.configuration = Configuration()

    async def write(self, *copies: Copy) -> None:
        async with self.db.unit(self.tenant_id) as unit:
            await write_copies(unit, copies, await draw_copy_no(unit))

    async def write_quietly(self, *copies: Copy) -> None:
        """Write what was so long before, of which nobody is to hear."""
        await self.write(*copies)
        await self.execute("delete from mirror_news where tenant_id = $1")

    async def follow(self) -> Followed:
        return await follow_news(self.db, self.tenant_id, self.configuration)

    async def write_and_follow(self, *copies: Copy) -> Followed:
        await self.write(*copies)
        return await self.follow()

    async def fail(
        self, invoice: InvoiceCopy = FAILED, *attempts: AttemptCopy, clock: datetime | None = None
    ) -> None:
        """A payment that fails for the first time, of a subscription that is there."""
        clocks = [TestClockCopy(id="clock_1", frozen_at=clock)] if clock else []
        person = replace(PERSON, test_clock_id="clock_1" if clock else None)
        before = replace(invoice, attempt_count=0)
        await self.write_quietly(person, CARD, *PLAN, ACTIVE, before, *clocks)
        await self.write_and_follow(invoice, *attempts)

    async def execute(self, sql: str, *args: object) -> None:
        async with self.db.unit(self.tenant_id) as unit:
            await unit.execute(sql, self.tenant_id, *args)

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        async with self.db.unit(self.tenant_id) as unit:
            return await unit.fetch(sql, self.tenant_id, *args)

    async def waits(self, task: "asyncio.Task[object]") -> bool:
        """Whether a task comes to wait for somebody's lock; False when it ends without."""
        while not task.done():
            async with self.db.pool.acquire() as connection:
                waiting = await connection.fetchval(
                    """
                    select exists (
                      select
                      from pg_stat_activity
                      where datname = current_database()
                      and wait_event_type = 'Lock'
                    )
                    """
                )
            if waiting:
                return True
            await asyncio.sleep(0.01)
        return False

    async def cases(self) -> list[asyncpg.Record]:
        return await self.fetch(
            """
            select
              invoice_id,
              state,
              opened_at,
              closed_at,
              due_at,
              test_clock_id,
              wake_at = '-infinity' as is_awake
            from dunning_cases
            where tenant_id = $1
            order by invoice_id
            """
        )

    async def case(self) -> asyncpg.Record:
        (case,) = await self.cases()
        return case

    async def set_case(
        self,
        state: str = "waiting",
        closed_at: datetime | None = None,
        due_at: datetime | None = None,
    ) -> None:
        """As whoever works on cases leaves one: closed, or waiting for news."""
        await self.execute(
            """
            update dunning_cases
            set
              state = $2,
              closed_at = $3,
              due_at = $4,
              wake_at = case when $3::timestamptz is null then 'infinity'::timestamptz end
            where tenant_id = $1
            """,
            state,
            closed_at,
            due_at,
        )

    async def news(self) -> list[str]:
        rows = await self.fetch(
            """
            select kind
            from mirror_news
            where tenant_id = $1
            and set_aside_at is null
            order by id
            """
        )
        return [row["kind"] for row in rows]

    async def mails(self) -> Sequence[asyncpg.Record]:
        return await self.fetch(
            """
            select
              kind,
              customer_id,
              key,
              facts::text,
              at,
              state,
              reason
            from messages
            where tenant_id = $1
            order by key
            """
        )

    async def told(self) -> list[str]:
        return [row["kind"] for row in await self.mails()]
