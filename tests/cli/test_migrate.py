"""`guichet migrate`: an empty database becomes one that the application can use."""

import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest

from guichet import db as guichet_db
from guichet.embedded.postgres import OWNER_ROLE, WEB_ROLE, EmbeddedPostgres
from tests.cli.running import run_guichet
from tests.databases import DatabaseUrls


@pytest.fixture
async def empty(postgres: EmbeddedPostgres) -> AsyncIterator[DatabaseUrls]:
    """A database with nothing in it."""
    name = f"empty_{secrets.token_hex(6)}"
    server = await asyncpg.connect(postgres.url(OWNER_ROLE, "postgres"))
    await server.execute(f"create database {name}")
    yield DatabaseUrls(postgres.url(OWNER_ROLE, name), postgres.url(WEB_ROLE, name))
    await server.execute(f"drop database {name} with (force)")
    await server.close()


async def test_it_migrates_and_grants_and_may_be_repeated(empty: DatabaseUrls) -> None:
    environ = {"GUICHET_OWNER_DATABASE_URL": empty.owner}
    first = run_guichet("migrate", "--grant-to", WEB_ROLE, environ=environ)
    assert first.returncode == 0, first.stderr
    assert "Applied" in first.stdout
    again = run_guichet("migrate", "--grant-to", WEB_ROLE, environ=environ)
    assert again.returncode == 0, again.stderr
    assert "Applied" not in again.stdout
    async with guichet_db.connect(empty.web, connections=1) as database:
        assert await database.pool.fetchval("select count(*) from invoices") == 0


async def test_it_says_which_setting_is_missing() -> None:
    ended = run_guichet("migrate", environ={})
    assert ended.returncode == 2
    assert "GUICHET_OWNER_DATABASE_URL" in ended.stderr


async def test_its_failure_is_told_without_the_password(empty: DatabaseUrls) -> None:
    ended = run_guichet("migrate", environ={"GUICHET_OWNER_DATABASE_URL": empty.web})
    assert ended.returncode == 1
    assert "permission denied" in ended.stderr
    password = empty.web.split(":")[2].partition("@")[0]
    assert password not in ended.stderr + ended.stdout
