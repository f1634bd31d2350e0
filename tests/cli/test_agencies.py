"""`guichet agency`."""

import json

from guichet.db import Database
from tests.cli.commands import Guichet


async def test_an_agency_is_added_listed_and_shown(guichet: Guichet) -> None:
    added = await guichet("agency", "add", "atelier", "Atelier Camille")
    assert (added.exit_code, added.output) == (0, "added agency atelier\n")
    await guichet("agency", "add", "bureau", "B")
    listed = (await guichet("agency", "list")).output.splitlines()
    assert listed[0] == "AGENCY   NAME             TENANTS  SINCE"
    assert listed[1].startswith("atelier  Atelier Camille  0        20")
    shown = await guichet("agency", "show", "atelier")
    assert "name     Atelier Camille" in shown.output.splitlines()


async def test_programs_read_json(guichet: Guichet) -> None:
    await guichet("agency", "add", "atelier", "Atelier")
    listed = json.loads((await guichet("agency", "list", "--json")).stdout)
    shown = json.loads((await guichet("agency", "show", "atelier", "--json")).stdout)
    assert [it["slug"] for it in listed] == ["atelier"]
    assert shown == listed[0]


async def test_a_slug_that_is_taken_or_reserved_ends_with_a_reason(guichet: Guichet) -> None:
    await guichet("agency", "add", "atelier", "Atelier")
    taken = await guichet("agency", "add", "atelier", "Other")
    reserved = await guichet("agency", "add", "console", "Console")
    assert (taken.exit_code, taken.stderr) == (1, "Error: there is an agency atelier already\n")
    assert reserved.exit_code == 1
    assert "reserved" in reserved.stderr


async def test_an_unknown_agency_ends_with_a_reason(guichet: Guichet) -> None:
    result = await guichet("agency", "show", "nobody")
    assert (result.exit_code, result.stderr) == (1, "Error: there is no agency nobody\n")


async def test_who_added_an_agency_is_noted(guichet: Guichet, db: Database) -> None:
    await guichet("agency", "add", "atelier", "Atelier")
    async with db.system() as connection:
        actor = await connection.fetchval("select actor from agency_audit_log")
    assert actor.startswith("command:")


async def test_a_name_cannot_write_to_the_terminal(guichet: Guichet) -> None:
    await guichet("agency", "add", "atelier", "A\x1b[31m\nB")
    listed = (await guichet("agency", "list")).output
    assert "\x1b" not in listed
    assert "A\\x1b[31m\\nB" in listed
    assert len(listed.splitlines()) == 2


async def test_missing_settings_are_named(guichet: Guichet) -> None:
    result = await guichet("agency", "list", GUICHET_MASTER_KEY="", REDIS_URL="")
    assert result.exit_code == 1
    assert "not set: REDIS_URL, GUICHET_MASTER_KEY" in result.stderr


async def test_a_database_that_is_away_is_one_line_without_the_password(
    guichet: Guichet,
) -> None:
    url = "postgresql://guichet_web:marker@127.0.0.1:1/guichet"
    result = await guichet("agency", "list", DATABASE_URL=url)
    assert result.exit_code == 1
    assert "Check DATABASE_URL" in result.stderr
    assert "marker" not in result.output
    assert "Traceback" not in result.output
