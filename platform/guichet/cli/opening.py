"""What the commands that look into the database share: how it is opened, and who acts."""

import asyncio
import getpass
import os
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
import structlog

from guichet import logs
from guichet.audit import Actor
from guichet.db import LOST, Database, connect
from guichet.settings import Settings, SettingsError, read_settings
from tenants.errors import TenantsError

Answer = TypeVar("Answer")


def run(work: Callable[[Settings, Database], Awaitable[Answer]]) -> Answer:
    """Do one piece of work with the database of this environment.

    What a person can mend is told in one line and ends the command with status 1. Whatever is
    logged meanwhile goes to standard error, so that a program can read the output.
    """
    structlog.configure(logger_factory=lambda *_: logs.Prints(sys.stderr))
    try:
        return asyncio.run(_run(read_settings(os.environ), work))
    except (SettingsError, TenantsError) as error:
        raise click.ClickException(str(error)) from error
    except (OSError, *LOST) as error:
        # The text of these errors holds no password; the URL would.
        raise click.ClickException(
            f"the database does not do it: {str(error) or type(error).__name__}. "
            "Check DATABASE_URL, and run `guichet migrate`."
        ) from error


async def _run(
    settings: Settings, work: Callable[[Settings, Database], Awaitable[Answer]]
) -> Answer:
    async with connect(settings.database_url, connections=2) as db:
        return await work(settings, db)


def operator() -> Actor:
    """Whoever runs this command, as the machine knows them."""
    try:
        user = getpass.getuser()
    # A container may run as a number without a name.
    except (KeyError, OSError):
        user = str(os.getuid())
    return Actor("system", f"command:{user}")
