"""The worker's jobs for payments that customers left unfinished."""

from uuid import UUID

import pytest

from guichet.db import Database
from guichet.settings import Settings
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for
from tests.workers.test_dunning import knocked
from workers.office import Office
from workers.payments import SETTLE_PAYMENTS, settle_payments, sweep_payments
from workers.timetable import beats, functions


@pytest.fixture
async def tenants(database_urls: DatabaseUrls, db: Database) -> list[UUID]:
    registry = registry_for(database_urls, db)
    return [(await add_merchant(registry, slug, slug)).id for slug in ("one", "two", "three")]


async def add_payment(
    db: Database,
    tenant: UUID,
    state: str = "started",
    *,
    seconds: int = 60,
    looked: int | None = None,
    initiator: str = "customer",
) -> None:
    """A payment that was begun so many seconds ago, and looked for so many seconds ago."""
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            insert into dunning_attempts (
              tenant_id, invoice_id, number, initiator, idempotency_key, state, started_at, sent_at,
              looked_at
            )
            values (
              $1, 'in_1', 1, $5, 'key', $2, now(), now() - $3 * interval '1 second',
              now() - $4 * interval '1 second'
            )
            """,
            tenant,
            state,
            seconds,
            looked,
            initiator,
        )


@pytest.mark.parametrize(
    ("state", "seconds", "looked", "is_due"),
    [
        ("started", 60, None, True),
        ("started", 30, None, False),
        ("unknown", 60, None, True),
        # As long after a look as the payment was old at it.
        ("unknown", 600, 100, False),
        ("unknown", 600, 400, True),
        ("unknown", 86400, 3000, False),
        ("unknown", 86400, 3700, True),
        ("needs_authentication", 1700, None, False),
        ("needs_authentication", 1900, None, True),
    ],
)
async def test_a_tenant_whose_customers_left_a_payment_is_knocked_for(
    settings: Settings,
    office: Office,
    db: Database,
    tenants: list[UUID],
    state: str,
    seconds: int,
    looked: int | None,
    is_due: bool,
) -> None:
    await add_payment(db, tenants[0], state, seconds=seconds, looked=looked)
    await add_payment(db, tenants[1], initiator="merchant")
    expected = {f"{SETTLE_PAYMENTS}:{tenants[0]}"} if is_due else set()
    assert await knocked(settings, office, sweep_payments) == expected


async def test_no_payment_is_looked_for_whose_tenant_is_suspended_or_turned_away(
    settings: Settings,
    office: Office,
    db: Database,
    database_urls: DatabaseUrls,
    tenants: list[UUID],
) -> None:
    one, two, three = tenants
    for tenant in tenants:
        await add_payment(db, tenant)
    await registry_for(database_urls, db).set_status("one", "suspended")
    async with db.unit(two) as unit:
        await unit.execute(
            """
            insert into provider_connections (tenant_id, rejected_at, reason)
            values ($1, now(), 'key_revoked')
            """,
            two,
        )
    assert await knocked(settings, office, sweep_payments) == {f"{SETTLE_PAYMENTS}:{three}"}
    await settle_payments(office, str(one))
    async with db.unit(one) as unit:
        assert await unit.fetchval("select looked_at is null from dunning_attempts")


async def test_a_tenant_without_a_key_is_left_alone(
    office: Office, db: Database, tenants: list[UUID]
) -> None:
    await add_payment(db, tenants[0])
    await settle_payments(office, str(tenants[0]))
    async with db.unit(tenants[0]) as unit:
        assert await unit.fetchval("select state from dunning_attempts") == "started"


def test_the_jobs_are_in_the_timetable() -> None:
    assert SETTLE_PAYMENTS in {job.name for job in functions()}
    assert "sweep_payments" in {beat.name for beat in beats()}
