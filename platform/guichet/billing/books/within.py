"""The mirror by itself, and the work beside it: every rule that must always hold."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg

from guichet.billing.books import charges, invoices, standing, work
from guichet.billing.books.differences import Difference
from guichet.db import Database, Unit

Rule = Callable[[Unit], Awaitable[list[Difference]]]

ALL: tuple[Rule, ...] = (
    invoices.amount_uncovered,
    invoices.amounts_contradict,
    invoices.lines_do_not_add_up,
    invoices.paid_twice,
    charges.payment_unknown,
    charges.charge_missing,
    charges.charged_twice,
    standing.price_unknown,
    standing.customers_method_not_attached,
    standing.subscriptions_method_not_attached,
    standing.invoice_unknown,
    standing.end_missing,
    work.object_missing,
    work.event_waits,
    work.change_unsettled,
    work.change_charged_twice,
)


#: For each rule; it looks at every row of a tenant, and nobody waits for it.
_PATIENCE_SECONDS = 300.0


class _Patient(Unit):
    """A unit whose statements may take longer than those of pages and jobs."""

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        return await self.connection.fetch(sql, *args, timeout=_PATIENCE_SECONDS)


async def check_within(db: Database, tenant_id: UUID) -> list[Difference]:
    """What breaks a rule at this moment, which may be that of a change on its way.

    Each rule is a transaction of its own, so that none holds up the others' rows for long.
    """
    found: list[Difference] = []
    for rule in ALL:
        async with db.unit(tenant_id) as unit:
            await unit.execute("set local statement_timeout = '5min'")
            found += await rule(_Patient(unit.connection, tenant_id))
    return found
