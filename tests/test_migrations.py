"""The migrations make the schema that is kept beside them, and the code's SQL fits it."""

import re
from pathlib import Path

import asyncpg
import pytest

from guichet import schema
from guichet.embedded.postgres import OWNER_ROLE, EmbeddedPostgres
from tests.databases import DatabaseUrls
from tests.statements import statements, statements_of

_MIGRATIONS = sorted(schema.migrations_directory().glob("[0-9]*.sql"))
_PREPARABLE = re.compile(r"\s*(select|insert|update|delete|with|merge|values)\b", re.IGNORECASE)
_PLAIN = re.compile(r"\s*(set|grant|listen|unlisten|notify)\b", re.IGNORECASE)


def test_the_kept_schema_is_what_the_migrations_make(postgres: EmbeddedPostgres) -> None:
    kept = (schema.migrations_directory() / "schema.sql").read_text()
    made = schema.dump_schema(postgres.url(OWNER_ROLE))
    assert made == kept, "run `make schema`"


@pytest.mark.parametrize("version", ["18.6", "15.18"])
def test_the_kept_schema_names_no_version(version: str) -> None:
    kept = (schema.migrations_directory() / "schema.sql").read_text()
    assert version not in kept
    assert "transaction_timeout" not in kept


@pytest.mark.parametrize("migration", _MIGRATIONS, ids=lambda path: path.name)
class TestMigration:
    """What holds of each migration."""

    def test_it_gives_up_when_it_cannot_have_a_lock(self, migration: Path) -> None:
        assert re.search(r"^set local lock_timeout = '\d+s';$", migration.read_text(), re.MULTILINE)

    def test_it_goes_forward_only(self, migration: Path) -> None:
        _, _, down = migration.read_text().partition("-- migrate:down")
        assert [line for line in down.splitlines() if line and not line.startswith("--")] == []

    def test_it_is_one_transaction(self, migration: Path) -> None:
        assert "transaction:false" not in migration.read_text()


async def test_every_statement_of_the_code_fits_the_schema(database_urls: DatabaseUrls) -> None:
    found = [statement for statement in statements() if statement.sql is not None]
    assert found, "no SQL was found in the code"
    connection = await asyncpg.connect(database_urls.owner)
    faults = []
    for place, sql in found:
        assert sql is not None
        try:
            if _PREPARABLE.match(sql):
                await connection.prepare(sql)
            elif not _PLAIN.match(sql):
                faults.append(f"{place}: begins like no SQL: {sql[:40]!r}")
        except asyncpg.PostgresError as error:
            faults.append(f"{place}: {error}")
    await connection.close()
    assert faults == []


def test_no_statement_is_put_together_at_run_time() -> None:
    assert [place for place, sql in statements() if sql is None] == []


@pytest.mark.parametrize(
    ("code", "sql"),
    [
        ('db.fetch("select 1")', ["select 1"]),
        ('SQL = "select 2"\ndb.execute(SQL, 1)', ["select 2"]),
        ('db.fetch(f"select {x}")', [None]),
        ('db.fetchrow("select " + x)', [None]),
        ('db.fetchval("select {}".format(x))', [None]),
        ("db.execute(f\"set local guichet.tenant = '{x}'\")", []),
        ("def fetch(sql): db.fetch(sql)", []),
    ],
)
def test_statements_are_found_however_they_are_written(code: str, sql: list[str | None]) -> None:
    assert [statement.sql for statement in statements_of(code, "code.py")] == sql
