"""The application's rights in the database, as the migrations and the grant make them."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from guichet import schema
from guichet.db import Database
from tests.databases import DatabaseUrls

_TENANT = "insert into agencies (slug, name) values ('atelier', 'Atelier')"


async def test_the_application_has_its_rights_without_taking_on_a_role(db: Database) -> None:
    rows = await db.pool.fetch("select id from invoices")
    assert rows == []


async def test_the_application_cannot_write_the_directory_as_itself(db: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.pool.execute(_TENANT)


async def test_the_system_role_writes_the_directory_for_one_transaction(db: Database) -> None:
    async with db.system() as connection:
        await connection.execute(_TENANT)
        role = await connection.fetchval("select current_user")
        assert role == "guichet_system"
        backend = await connection.fetchval("select pg_backend_pid()")
    async with db.pool.acquire() as connection:
        assert await connection.fetchval("select pg_backend_pid()") == backend
        assert await connection.fetchval("select current_user") == "guichet_web"


async def test_the_system_role_reads_nobody_s_invoices(db: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.system() as connection:
            await connection.fetch("select id from invoices")


async def test_the_application_s_role_owns_nothing_and_bypasses_nothing(db: Database) -> None:
    row = await db.pool.fetchrow(
        """
        select
          (select count(*) from pg_class where relowner = role.oid) as relations,
          (select count(*) from pg_proc where proowner = role.oid) as functions,
          role.rolsuper or role.rolbypassrls or role.rolcreaterole or role.rolcreatedb as mighty
        from pg_roles as role
        where role.rolname = current_user
        """
    )
    assert row is not None
    assert tuple(row) == (0, 0, False)


async def test_the_application_sees_that_no_migration_is_pending(db: Database) -> None:
    async with db.pool.acquire() as connection:
        assert await schema.pending_migrations(connection) == []


async def test_granting_twice_is_as_good_as_once(database_urls: DatabaseUrls) -> None:
    await schema.grant_application(database_urls.owner, "guichet_web")


async def test_a_role_that_does_not_exist_cannot_be_granted(database_urls: DatabaseUrls) -> None:
    with pytest.raises(asyncpg.UndefinedObjectError):
        await schema.grant_application(database_urls.owner, 'no"body; drop table tenants')


async def test_a_migration_gives_up_when_a_table_stays_locked(
    database_urls: DatabaseUrls, tmp_path: Path
) -> None:
    (tmp_path / "29990101000000_lock.sql").write_text(
        "-- migrate:up\nalter table agencies add column more text;\n-- migrate:down\n"
    )
    connection = await asyncpg.connect(database_urls.owner)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("lock table agencies in access share mode")
    hasty = f"{database_urls.owner}?lock_timeout=100ms"
    with pytest.raises(schema.MigrationFailed) as failure:
        await asyncio.to_thread(schema.apply_migrations, hasty, tmp_path)
    assert "lock timeout" in failure.value.output
    await transaction.rollback()
    await connection.close()


async def test_a_migration_waits_five_seconds_for_a_lock_by_default(
    database_urls: DatabaseUrls, tmp_path: Path
) -> None:
    (tmp_path / "29990101000000_seen.sql").write_text(
        "-- migrate:up\ncreate table seen as select current_setting('lock_timeout') as value;\n"
        "-- migrate:down\n"
    )
    await asyncio.to_thread(schema.apply_migrations, database_urls.owner, tmp_path)
    connection = await asyncpg.connect(database_urls.owner)
    assert await connection.fetchval("select value from seen") == "5s"
    await connection.close()


async def test_a_failing_migration_leaves_nothing_behind(
    database_urls: DatabaseUrls, tmp_path: Path
) -> None:
    (tmp_path / "29990101000000_half.sql").write_text(
        "-- migrate:up\ncreate table half (id int);\nselect 1 / 0;\n-- migrate:down\n"
    )
    with pytest.raises(schema.MigrationFailed) as failure:
        await asyncio.to_thread(schema.apply_migrations, database_urls.owner, tmp_path)
    assert "division by zero" in failure.value.output
    connection = await asyncpg.connect(database_urls.owner)
    assert await connection.fetchval("select to_regclass('half') is null")
    await connection.close()
