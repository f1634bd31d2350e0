"""The commands as a person runs them, with the settings of a test."""

import asyncio
from collections.abc import Awaitable, Callable

from click.testing import CliRunner, Result

from guichet.cli import main
from guichet.settings import Settings

#: Runs `guichet` with these arguments, perhaps with something on standard input.
Guichet = Callable[..., Awaitable[Result]]


def environ_of(settings: Settings) -> dict[str, str]:
    """The environment in which a command finds these settings."""
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "GUICHET_BASE_DOMAIN": settings.base_domain,
        "GUICHET_MASTER_KEY": ",".join(settings.master_keys),
    }


def commands_for(settings: Settings) -> Guichet:
    """`guichet` against the database of these settings."""
    environ = environ_of(settings)

    async def guichet(*args: str, stdin: str | bytes = "", **more: str) -> Result:
        # In a thread, because a command has an event loop of its own.
        return await asyncio.to_thread(
            CliRunner().invoke, main, args, input=stdin, env=environ | more
        )

    return guichet
