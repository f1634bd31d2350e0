"""The worker's jobs for failed payments: knocked for where something is due, and counted."""

import asyncio
from uuid import UUID

import asyncpg
import pytest
import redis as redis_client
from prometheus_client import REGISTRY

from guichet.billing.dunning.running import RUN_DUNNING
from guichet.db import Database
from guichet.outbox import QUEUE
from guichet.settings import Settings
from tenants.configuration import Configuration
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for
from tests.statements import ROOT, statements_of
from workers.dunning import count_cases, run_dunning, sweep_dunning, sweep_policies
from workers.jobs import Job
from workers.office import Office
from workers.timetable import beats, functions


@pytest.fixture
async def tenants(database_urls: DatabaseUrls, db: Database) -> list[UUID]:
    registry = registry_for(database_urls, db)
    return [(await add_merchant(registry, slug, slug)).id for slug in ("one", "two", "three")]


async def add_case(
    db: Database, tenant: UUID, invoice: str, wake_at: str, version: int | None = 1
) -> None:
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            insert into dunning_cases (
              tenant_id, invoice_id, customer_id, state, opened_at, wake_at, policy_version
            )
            values ($1, $2, 'cus_1', 'waiting', now(), $3::text::timestamptz, $4)
            """,
            tenant,
            invoice,
            wake_at,
            version,
        )


async def knocked(settings: Settings, office: Office, sweep: Job) -> set[str]:
    with redis_client.Redis.from_url(settings.redis_url) as client:
        client.flushall()
        await sweep(office)
        return {job.decode().rpartition(":")[0] for job in client.zrange(QUEUE, 0, -1)}


async def test_tenants_with_something_due_are_knocked_for(
    settings: Settings, office: Office, db: Database, tenants: list[UUID]
) -> None:
    assert await knocked(settings, office, sweep_dunning) == set()
    one, two, three = tenants
    await add_case(db, one, "in_1", "infinity")
    await add_case(db, one, "in_2", "2000-01-01T00:00:00Z")
    await add_case(db, two, "in_1", "infinity")
    await add_case(db, three, "in_1", "-infinity")
    found = await knocked(settings, office, sweep_dunning)
    assert found == {f"{RUN_DUNNING}:{one}", f"{RUN_DUNNING}:{three}"}


async def test_nobody_is_knocked_for_whose_provider_turns_them_away(
    settings: Settings, office: Office, db: Database, tenants: list[UUID]
) -> None:
    await add_case(db, tenants[0], "in_1", "-infinity", version=0)
    async with db.unit(tenants[0]) as unit:
        await unit.execute(
            """
            insert into provider_connections (tenant_id, rejected_at, reason)
            values ($1, now(), 'key_missing')
            """,
            tenants[0],
        )
    assert await knocked(settings, office, sweep_dunning) == set()
    assert await knocked(settings, office, sweep_policies) == set()


async def test_cases_of_a_policy_that_was_replaced_are_knocked_for(
    settings: Settings,
    office: Office,
    db: Database,
    database_urls: DatabaseUrls,
    tenants: list[UUID],
) -> None:
    one, two, _ = tenants
    await add_case(db, one, "in_1", "infinity")
    await add_case(db, two, "in_1", "infinity")
    registry = registry_for(database_urls, db)
    await registry.publish("one", Configuration())
    await registry.publish("two", Configuration())
    assert await knocked(settings, office, sweep_policies) == set()
    await registry.publish("one", Configuration(locale="fr"))
    assert await knocked(settings, office, sweep_policies) == {f"{RUN_DUNNING}:{one}"}


async def test_open_cases_are_counted(office: Office, db: Database, tenants: list[UUID]) -> None:
    await add_case(db, tenants[0], "in_1", "2000-01-01T00:00:00Z")
    await add_case(db, tenants[1], "in_1", "infinity")
    await count_cases(office)

    def value(name: str, **labels: str) -> float | None:
        return REGISTRY.get_sample_value(name, labels)

    assert value("guichet_dunning_cases", state="waiting") == 2
    assert value("guichet_dunning_cases", state="unknown") == 0
    assert value("guichet_dunning_due") == 1
    assert (value("guichet_dunning_due_seconds") or 0) > 365 * 86400


async def test_open_cases_are_counted_without_a_look_at_their_rows(
    db: Database, tenants: list[UUID], database_urls: DatabaseUrls
) -> None:
    async with db.unit(tenants[0]) as unit:
        await unit.execute(
            """
            insert into dunning_cases (
              tenant_id, invoice_id, customer_id, state, opened_at, wake_at, decision
            )
            select $1, 'in_' || number, 'cus_1', 'waiting', now(), now() + number * interval '1 s',
              jsonb_build_object('reasons', repeat('long ', 100))
            from generate_series(1, 2000) as number
            """,
            tenants[0],
        )
    owner = await asyncpg.connect(database_urls.owner)
    # Whether rows are seen by everybody is only known once their commits are on the disk.
    await owner.execute("set synchronous_commit = on")
    await owner.execute("analyze dunning_cases")
    await owner.execute("vacuum dunning_cases")
    await owner.close()
    code = (ROOT / "workers/dunning.py").read_text()
    [counting] = [it.sql for it in statements_of(code, "") if it.sql and "group by state" in it.sql]
    async with db.system() as connection:
        plan = [row[0] for row in await connection.fetch(f"explain {counting}")]
    assert any("Index Only Scan using dunning_cases_wake" in line for line in plan), plan


async def test_a_job_for_a_suspended_tenant_leaves_its_cases(
    office: Office, db: Database, database_urls: DatabaseUrls, tenants: list[UUID]
) -> None:
    await add_case(db, tenants[0], "in_1", "-infinity")
    await registry_for(database_urls, db).set_status("one", "suspended")
    while office.works_for(tenants[0]):
        await asyncio.sleep(0.01)
    await run_dunning(office, str(tenants[0]))
    async with db.unit(tenants[0]) as unit:
        assert await unit.fetchval("select wake_at = '-infinity' from dunning_cases")


def test_the_jobs_are_in_the_timetable() -> None:
    assert RUN_DUNNING in {job.name for job in functions()}
    assert {"sweep_dunning", "sweep_policies", "count_cases"} <= {beat.name for beat in beats()}
