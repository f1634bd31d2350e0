"""Many small tenants, each with one signed-in customer and rows that say whose they are."""

import re
from typing import NamedTuple
from uuid import UUID

from guichet.auth.sessions import open_session
from guichet.db import Database, Unit
from tenants.agencies import add_agency
from tenants.tenant import add_tenant

_MARK = re.compile(r"tenant-mark-([0-9]+)")


class Member(NamedTuple):
    """One tenant of the crowd."""

    number: int
    tenant_id: UUID
    session: str

    @property
    def slug(self) -> str:
        return f"crowd-{self.number}"

    def strangers_in(self, text: str) -> list[str]:
        """The numbers of other tenants whose mark is in a text."""
        return [number for number in _MARK.findall(text) if int(number) != self.number]

    def is_in(self, text: str) -> bool:
        return f"tenant-mark-{self.number:03}" in text


async def make_crowd(db: Database, count: int) -> list[Member]:
    """Add `count` tenants of one agency."""
    async with db.system() as connection:
        agency = await add_agency(connection, "crowd", "A crowd")
        tenants = [
            await add_tenant(connection, agency, f"crowd-{number}", f"tenant-mark-{number:03}")
            for number in range(count)
        ]
    crowd = []
    for number, tenant in enumerate(tenants):
        async with db.unit(tenant.id) as unit:
            await _add_rows(unit, f"tenant-mark-{number:03}")
            session = await open_session(unit, "cus_1", "test", "a test")
        crowd.append(Member(number, tenant.id, session))
    return crowd


async def _add_rows(unit: Unit, mark: str) -> None:
    """A customer with one subscription and some invoices; only the marks differ between tenants."""
    tenant_id = unit.tenant_id
    await unit.execute(
        """
        insert into customers (tenant_id, id, email, name, created_at, copy_no)
        values ($1, 'cus_1', 'ada@example.com', $2, now(), 1)
        """,
        tenant_id,
        mark,
    )
    await unit.execute(
        "insert into products (tenant_id, id, name, active, copy_no) values ($1, 'p', $2, true, 1)",
        tenant_id,
        mark,
    )
    await unit.execute(
        """
        insert into prices (
          tenant_id, id, product_id, currency, unit_amount, interval, interval_count, active,
          copy_no
        )
        values ($1, 'price_1', 'p', 'eur', 1000, 'month', 1, true, 1)
        """,
        tenant_id,
    )
    await unit.execute(
        """
        insert into subscriptions (
          tenant_id, id, customer_id, status, currency, cancel_at_period_end,
          current_period_start_at, current_period_end_at, created_at, copy_no
        )
        values ($1, 'sub_1', 'cus_1', 'active', 'eur', false, now(), now() + '9 days', now(), 1)
        """,
        tenant_id,
    )
    await unit.execute(
        """
        insert into subscription_items (
          tenant_id, subscription_id, id, position, price_id, quantity
        )
        values ($1, 'sub_1', 'si_1', 0, 'price_1', 1)
        """,
        tenant_id,
    )
    await unit.execute(
        """
        insert into invoices (
          tenant_id, id, customer_id, number, status, currency, total, amount_paid,
          amount_remaining, attempt_count, created_at, copy_no
        )
        select
          $1, 'in_' || number, 'cus_1', $2 || '-' || number, 'paid', 'eur', 1000, 1000, 0, 1,
          now() - number * interval '30 days', 1
        from generate_series(1, 12) as number
        """,
        tenant_id,
        mark,
    )
