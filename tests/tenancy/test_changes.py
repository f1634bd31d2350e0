"""Changes that become visible out of order are read all the same, and each once."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from guichet.db import Database
from guichet.tenancy import Registry
from guichet.tenancy.changes import Changes
from tenants.tenant import Tenant
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant

_RENAME = "update tenants set name = $2 where slug = $1"


@pytest.fixture
async def reader(database_urls: DatabaseUrls) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(
        database_urls.web, server_settings={"role": "guichet_system"}
    )
    yield connection
    await connection.close()


async def _read(changes: Changes, reader: "asyncpg.Connection[Any]") -> dict[str, str]:
    return {row["slug"]: row["name"] async for page in changes.read(reader) for row in page}


async def test_the_first_reading_answers_all_and_the_next_one_nothing(
    registry: Registry, reader: "asyncpg.Connection[Any]"
) -> None:
    for slug in ("a", "b"):
        await add_merchant(registry, slug)
    changes = Changes()
    assert set(await _read(changes, reader)) == {"a", "b"}
    assert await _read(changes, reader) == {}
    await registry.set_status("a", "suspended")
    assert set(await _read(changes, reader)) == {"a"}


async def test_a_lower_number_that_commits_later_is_not_missed(
    registry: Registry, db: Database, reader: "asyncpg.Connection[Any]"
) -> None:
    for slug in ("slow", "fast"):
        await add_merchant(registry, slug)
    changes = Changes()
    await _read(changes, reader)
    async with db.system() as slow:
        await slow.execute(_RENAME, "slow", "Changed first")
        async with db.system() as fast:
            await fast.execute(_RENAME, "fast", "Changed second")
        assert await _read(changes, reader) == {"fast": "Changed second"}
        for _ in range(3):
            assert await _read(changes, reader) == {}
    assert await _read(changes, reader) == {"slow": "Changed first"}
    assert await _read(changes, reader) == {}


async def test_a_new_tenant_whose_transaction_lasts_is_not_missed(
    registry: Registry, db: Database, reader: "asyncpg.Connection[Any]"
) -> None:
    await add_merchant(registry, "other")
    changes = Changes()
    await _read(changes, reader)
    async with db.system() as slow:
        await slow.execute(
            "insert into tenants (agency_id, slug, name) select id, 'new', 'New' from agencies"
        )
        await registry.set_status("other", "suspended")
        assert set(await _read(changes, reader)) == {"other"}
        for _ in range(3):
            assert await _read(changes, reader) == {}
    assert set(await _read(changes, reader)) == {"new"}


async def test_the_lower_number_of_a_later_transaction_is_not_missed(
    registry: Registry, db: Database, reader: "asyncpg.Connection[Any]"
) -> None:
    for slug in ("early", "late"):
        await add_merchant(registry, slug)
    changes = Changes()
    await _read(changes, reader)
    async with db.system() as late:
        async with db.system() as early:
            for begun in (early, late):
                await begun.execute("select pg_current_xact_id()")
            await late.execute(_RENAME, "late", "Changed first")
            await early.execute(_RENAME, "early", "Changed second")
        assert await _read(changes, reader) == {"early": "Changed second"}
    assert await _read(changes, reader) == {"late": "Changed first"}
    assert await _read(changes, reader) == {}


async def test_a_transaction_that_lasts_and_changes_no_tenant_has_nothing_read_again(
    registry: Registry, db: Database, reader: "asyncpg.Connection[Any]", lumen: Tenant
) -> None:
    changes = Changes()
    async with db.unit(lumen.id) as long:
        await long.execute("select pg_current_xact_id()")
        assert set(await _read(changes, reader)) == {"lumen"}
        await registry.set_status("lumen", "suspended")
        assert set(await _read(changes, reader)) == {"lumen"}
        assert await _read(changes, reader) == {}


async def test_more_tenants_than_a_page_holds_are_all_read(
    registry: Registry, db: Database, reader: "asyncpg.Connection[Any]"
) -> None:
    await add_merchant(registry, "first")
    async with db.system() as connection:
        await connection.execute(
            """
            insert into tenants (agency_id, slug, name)
            select agency.id, 'shop-' || number, 'Shop'
            from agencies as agency
            cross join generate_series(1, 2500) as number
            """
        )
    changes = Changes()
    assert len(await _read(changes, reader)) == 2501
    assert await _read(changes, reader) == {}


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_the_order_of_commits_the_reader_ends_up_to_date(
    registry: Registry, db: Database, reader: "asyncpg.Connection[Any]", seed: int
) -> None:
    chance = random.Random(seed)
    slugs = [f"t{number}" for number in range(6)]
    for slug in slugs:
        await add_merchant(registry, slug)
    changes = Changes()
    seen: dict[str, str] = {}

    async def change(slug: str) -> None:
        for count in range(8):
            async with db.system() as connection:
                await connection.execute(_RENAME, slug, f"{slug} {count}")
                await asyncio.sleep(chance.random() / 50)

    writers = asyncio.gather(*map(change, slugs))
    while not writers.done():
        seen |= await _read(changes, reader)
        await asyncio.sleep(chance.random() / 200)
    await writers
    seen |= await _read(changes, reader)
    assert seen == {slug: f"{slug} 7" for slug in slugs}
