"""A worker process: finds its work whatever happens to it, to Redis or to a knock."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
import redis as redis_client

from guichet.db import Database
from guichet.outbox import open_outbox
from guichet.settings import Settings
from guichet.webhooks.intake import EventIntake
from tenants.vault import Vault
from tests.deliveries import body_of, chunks, entry, headers
from tests.shops import Shop
from tests.workers.processes import running_worker, until

_AWAY = "redis://127.0.0.1:1"


async def _deliver(settings: Settings, db: Database, tenant: UUID, body: bytes, url: str) -> None:
    """Take a delivery in; with `url` being away nobody is knocked for."""
    async with open_outbox(url) as outbox:
        intake = EventIntake(db, Vault(settings.master_keys), outbox)
        assert await intake.receive(entry(tenant), headers(body), chunks(body)) == 200
        # The knock is made beside the answer.
        await asyncio.sleep(0.1)


async def _all_handled(db: Database, tenant: UUID) -> bool:
    async with db.unit(tenant) as unit:
        waiting = await unit.fetchval(
            """
            select count(*)
            from provider_events
            where tenant_id = $1
            and handled_at is null
            """,
            tenant,
        )
    return bool(waiting == 0)


async def _email(db: Database, tenant: UUID, customer: str) -> str | None:
    async with db.unit(tenant) as unit:
        email: str | None = await unit.fetchval(
            "select email from customers where tenant_id = $1 and id = $2", tenant, customer
        )
    return email


def _about(number: int, customer: str) -> bytes:
    return body_of(number, "customer.updated", id=customer, object="customer")


@pytest.mark.slow
async def test_a_worker_applies_what_is_knocked_for_and_what_is_not(
    settings: Settings, db: Database, tenant: UUID, shop: Shop, tmp_path: Path
) -> None:
    ada, grace = (
        await shop.add_customer("ada@example.com"),
        await shop.add_customer("g@example.com"),
    )
    async with running_worker(settings, tmp_path / "worker.log") as worker:
        await _deliver(settings, db, tenant, _about(1, ada), settings.redis_url)
        await until(lambda: _all_handled(db, tenant), 10)
        assert await _email(db, tenant, ada) == "ada@example.com"
        await _deliver(settings, db, tenant, _about(2, grace), _AWAY)
        await until(lambda: _all_handled(db, tenant), 10)
        assert await _email(db, tenant, grace) == "g@example.com"
        assert await worker.stop() == 0
        assert "worker_stopped" in worker.log
        assert '"level":"error"' not in worker.log


@pytest.mark.slow
async def test_an_emptied_redis_loses_nothing(
    settings: Settings, db: Database, tenant: UUID, shop: Shop, tmp_path: Path
) -> None:
    customer = await shop.add_customer()
    for number in range(20):
        await _deliver(settings, db, tenant, _about(number, customer), settings.redis_url)
    with redis_client.Redis.from_url(settings.redis_url) as client:
        client.flushall()
        async with running_worker(settings, tmp_path / "worker.log"):
            client.flushall()
            await until(lambda: _all_handled(db, tenant), 15)


@pytest.mark.slow
async def test_a_worker_outlives_its_redis_and_its_database_s_connections(
    settings: Settings, db: Database, tenant: UUID, shop: Shop, tmp_path: Path
) -> None:
    customer = await shop.add_customer()
    async with running_worker(settings, tmp_path / "worker.log") as worker:
        with redis_client.Redis.from_url(settings.redis_url) as client:
            client.client_kill_filter(_type="normal", skipme=True)
        async with db.pool.acquire() as connection:
            await connection.execute(
                """
                select pg_terminate_backend(pid)
                from pg_stat_activity
                where datname = current_database()
                and usename = current_user
                and pid <> pg_backend_pid()
                """
            )
        await _deliver(settings, db, tenant, _about(1, customer), _AWAY)
        await until(lambda: _all_handled(db, tenant), 15)
        assert worker.is_running
        assert await worker.stop() == 0


@pytest.mark.slow
async def test_a_killed_worker_s_events_are_taken_over(
    settings: Settings, db: Database, tenant: UUID, shop: Shop, tmp_path: Path
) -> None:
    customer = await shop.add_customer()
    # Slow enough that the first worker is killed while it waits for the provider.
    await shop.set(latency_ms=1500)
    async with running_worker(settings, tmp_path / "first.log") as first:
        await _deliver(settings, db, tenant, _about(1, customer), settings.redis_url)
        await until(lambda: _is_claimed(db, tenant), 10)
        first.kill()
    assert not await _all_handled(db, tenant)
    await shop.set(latency_ms=0)
    async with running_worker(settings, tmp_path / "second.log"):
        await until(lambda: _all_handled(db, tenant), 40)
    assert await _email(db, tenant, customer) == "ada@example.com"


async def _is_claimed(db: Database, tenant: UUID) -> bool:
    async with db.unit(tenant) as unit:
        claimed = await unit.fetchval(
            "select count(*) from provider_events where tenant_id = $1 and tries > 0", tenant
        )
    return bool(claimed)


@pytest.mark.slow
async def test_a_stopping_worker_finishes_what_it_has_in_hand(
    settings: Settings, db: Database, tenant: UUID, shop: Shop, tmp_path: Path
) -> None:
    customer = await shop.add_customer()
    await shop.set(latency_ms=1000)
    async with running_worker(settings, tmp_path / "worker.log") as worker:
        await _deliver(settings, db, tenant, _about(1, customer), settings.redis_url)
        await until(lambda: _is_claimed(db, tenant), 10)
        assert await worker.stop() == 0
    assert await _all_handled(db, tenant)
