"""`guichet migrate`: the schema up to date, and the application's rights."""

import asyncio
import os
import tempfile
from pathlib import Path

import click

from guichet import schema
from guichet.embedded.postgres import OWNER_ROLE, EmbeddedPostgres


@click.command()
@click.option(
    "--grant-to",
    metavar="ROLE",
    help="Then give the application's rights to this login role (the one of DATABASE_URL).",
)
@click.option(
    "--dump",
    is_flag=True,
    help="Only write migrations/schema.sql, from a temporary server of its own.",
)
def migrate(grant_to: str | None, dump: bool) -> None:
    """Bring the schema of GUICHET_OWNER_DATABASE_URL up to date.

    That role owns the database and may create roles; the application itself runs as another.
    """
    if dump:
        target = schema.migrations_directory() / "schema.sql"
        target.write_text(schema_from_migrations())
        click.echo(f"wrote {target}")
        return
    owner_url = os.environ.get("GUICHET_OWNER_DATABASE_URL")
    if not owner_url:
        raise click.UsageError(
            "GUICHET_OWNER_DATABASE_URL is not set: the URL of the role that owns the database."
        )
    try:
        click.echo(schema.apply_migrations(owner_url) or "nothing to do")
    except schema.MigrationFailed as error:
        raise click.ClickException(str(error)) from error
    if grant_to:
        asyncio.run(schema.grant_application(owner_url, grant_to))
        click.echo(f"{grant_to} may now act as the application")


def schema_from_migrations() -> str:
    """The schema that the migrations make of an empty database, on a server of its own."""
    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedPostgres(Path(directory), durable=False)
        server.start()
        try:
            schema.apply_migrations(server.url(OWNER_ROLE))
            return schema.dump_schema(server.url(OWNER_ROLE))
        finally:
            server.stop()
