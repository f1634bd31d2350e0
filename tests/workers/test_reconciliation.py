"""What was never delivered reaches the mirror: by the workers' rounds, or by a command."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner

from guichet.billing.importing import import_tenant
from guichet.billing.imports import ImportAtWork, take_import
from guichet.billing.reconciling import RECONCILE_TENANT
from guichet.cli import main
from guichet.db import Database
from guichet.outbox import open_outbox
from guichet.settings import Settings
from tests.mirrors import held, mirrored
from tests.shops import Shop
from tests.workers.processes import environment, running_worker, until


async def _due_again(db: Database, tenant: UUID) -> None:
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            update reconciliations
            set checked_at = now() - interval '1 hour'
            where tenant_id = $1
            """,
            tenant,
        )


@pytest.mark.slow
async def test_a_round_of_the_workers_finds_what_was_dropped(
    settings: Settings, db: Database, tenant: UUID, shop: Shop, tmp_path: Path
) -> None:
    async def same() -> bool:
        return await mirrored(db, tenant) == await held(shop.port)

    await shop.subscribe(await shop.add_customer())
    async with (
        running_worker(settings, tmp_path / "worker.log"),
        open_outbox(settings.redis_url) as outbox,
    ):
        await outbox.knock(RECONCILE_TENANT, str(tenant))
        await until(same, 15)
        await shop.subscribe(await shop.add_customer("grace@example.com"), shop.yearly)
        assert not await same()
        await _due_again(db, tenant)
        await outbox.knock(RECONCILE_TENANT, str(tenant))
        await until(same, 15)


def _sync(settings: Settings, *arguments: str) -> tuple[int, str]:
    """The command in a process-like way: it has an event loop and a pool of its own."""
    result = CliRunner().invoke(main, ["sync", "lumen", *arguments], env=environment(settings))
    return result.exit_code, result.output


async def _in_thread(settings: Settings, *arguments: str) -> tuple[int, str]:
    return await asyncio.to_thread(_sync, settings, *arguments)


async def test_the_command_imports_first_and_then_reads_the_events(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    await shop.subscribe(await shop.add_customer())
    status, output = await _in_thread(settings)
    assert (status, "imported 1 products, 3 prices, 1 customers" in output) == (0, True)
    await shop.subscribe(await shop.add_customer("grace@example.com"))
    status, output = await _in_thread(settings)
    assert (status, "events read" in output) == (0, True)
    assert await mirrored(db, tenant) == await held(shop.port)
    status, output = await _in_thread(settings, "--full")
    assert (status, "imported" in output) == (0, True)


async def test_the_command_says_what_is_wrong_with_the_key(
    settings: Settings, tenant: UUID, shop: Shop
) -> None:
    assert tenant
    await shop.set(revoked=True)
    status, output = await _in_thread(settings)
    assert status == 1
    assert "provider_key_rejected" in output
    assert shop.key not in output


async def test_the_command_tells_how_far_it_is(
    settings: Settings, tenant: UUID, shop: Shop
) -> None:
    assert tenant
    await shop.subscribe(await shop.add_customer())
    status, output = await _in_thread(settings)
    assert status == 0
    assert "lumen: reading products; 1 products so far" in output
    assert "lumen: reading attempts; 1 products, 3 prices, 1 customers" in output


async def test_the_command_leaves_an_import_that_is_at_work_alone(
    settings: Settings, db: Database, tenant: UUID
) -> None:
    await take_import(db, tenant, timedelta(minutes=1))
    status, output = await _in_thread(settings, "--full")
    assert status == 1
    assert "being imported already" in output


@pytest.mark.slow
async def test_an_import_that_is_killed_goes_on_where_it_was(
    settings: Settings, db: Database, tenant: UUID, shop: Shop
) -> None:
    async def is_past_the_products() -> bool:
        async with db.unit(tenant) as unit:
            step = await unit.fetchval("select step from imports where tenant_id = $1", tenant)
        return step not in (None, "products")

    for _ in range(6):
        await shop.add_customer()
    # Slow enough to be killed before it is done.
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "guichet.cli", "sync", "lumen", "--full"),
        env=environment(settings) | {"GUICHET_IMPORT_RATE": "2"},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await until(is_past_the_products, 15)
    finally:
        command.kill()
        await command.wait()
    with pytest.raises(ImportAtWork):
        await import_tenant(db, shop.port, tenant)
    async with db.unit(tenant) as unit:
        await unit.execute("update imports set held_until = now() - interval '1 second'")
        copy_no = await unit.fetchval("select copy_no from imports")
    done = await import_tenant(db, shop.port, tenant)
    assert (done.copy_no, done.counts["products"], done.counts["customers"]) == (copy_no, 1, 6)
    assert await mirrored(db, tenant) == await held(shop.port)
