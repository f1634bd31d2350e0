"""What one test leaves in its database, no other test finds."""

from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from guichet.db import connect
from guichet.embedded.postgres import EmbeddedPostgres
from tests.databases import Databases, DatabaseUrls
from tests.merchants import add_merchant, registry_for


def _name(urls: DatabaseUrls) -> str:
    return urlsplit(urls.web).path.removeprefix("/")


async def _identity(owner: "asyncpg.Connection[Any]") -> int:
    """The number that a database keeps under whatever name."""
    number: int = await owner.fetchval(
        "select oid from pg_database where datname = current_database()"
    )
    return number


async def test_a_database_comes_back_empty_under_another_name(databases: Databases) -> None:
    async with databases.lent() as urls, connect(urls.web, 2) as db:
        await add_merchant(registry_for(urls, db))
        owner = await asyncpg.connect(urls.owner)
        drawn = await owner.fetchval("select nextval('mirror_copies')")
        number = await _identity(owner)
        await owner.close()
    async with databases.lent() as again:
        owner = await asyncpg.connect(again.owner)
        assert await _identity(owner) == number
        assert _name(again) != _name(urls)
        assert await owner.fetchval("select nextval('mirror_copies')") == drawn == 1
        await owner.close()
        async with connect(again.web, 1) as db:
            assert (await add_merchant(registry_for(again, db))).slug == "lumen"


async def test_no_table_of_a_returned_database_holds_a_row(
    databases: Databases, postgres: EmbeddedPostgres
) -> None:
    async with databases.lent() as urls, connect(urls.web, 2) as db:
        await add_merchant(registry_for(urls, db))
    async with databases.lent() as again:
        # Nobody but the superuser sees every tenant's rows.
        superuser = await asyncpg.connect(postgres.url("postgres", _name(again)))
        tables = await superuser.fetch(
            """
            select oid::regclass::text as name
            from pg_class
            where relnamespace = 'public'::regnamespace
            and relkind = 'r'
            and relname <> 'schema_migrations'
            """
        )
        filled = [
            row["name"]
            for row in tables
            if await superuser.fetchval(f"select exists (select from {row['name']})")
        ]
        await superuser.close()
    assert len(tables) > 30
    assert filled == []


@pytest.mark.parametrize(
    "done",
    [
        "create table more (id int)",
        "drop table audit_log",
        "alter table tenants disable trigger tenants_announce",
        "alter table invoices no force row level security",
        "drop policy tenant on invoices",
        "grant select on invoices to public",
        "create index more on invoices (id)",
        "alter table tenants alter column slug set default 'x'",
        "alter function portal_home security definer",
        "alter sequence mirror_copies increment 2",
        "analyze tenants",
        "delete from schema_migrations",
    ],
)
async def test_a_database_that_was_changed_serves_nobody_again(
    databases: Databases, done: str
) -> None:
    async with databases.lent() as urls:
        owner = await asyncpg.connect(urls.owner)
        number = await _identity(owner)
        await owner.execute(done)
        await owner.close()
    async with databases.lent() as again:
        owner = await asyncpg.connect(again.owner)
        assert await _identity(owner) != number
        await owner.close()


async def test_a_connection_that_a_test_leaves_behind_is_ended(databases: Databases) -> None:
    async with databases.lent() as urls:
        left = await asyncpg.connect(urls.web)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await left.execute("select 1")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(urls.web)
