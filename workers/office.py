"""What a worker process holds open for its jobs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import msgspec
import structlog

from guichet.deployment import Deployment, open_deployment
from guichet.settings import Settings
from guichet.webhooks.apply import Applier

log = structlog.get_logger()

_RETRY_SECONDS = 0.5
#: A database that is away for longer at the start is a mistake in the settings.
_PATIENCE_SECONDS = 60.0


class Office(msgspec.Struct, frozen=True):
    """Passed to every job."""

    deployment: Deployment
    applier: Applier

    def works_for(self, tenant_id: UUID) -> bool:
        """False for a suspended tenant: its rows wait until it is resumed."""
        entry = self.deployment.directory.by_id(tenant_id)
        # One that was added a moment ago may not be known here yet.
        return entry is None or entry.status == "active"


@contextlib.asynccontextmanager
async def open_office(settings: Settings) -> AsyncIterator[Office]:
    """Open everything, waiting up to a minute for the database; then raises what it raised."""
    async with contextlib.AsyncExitStack() as stack:
        deployment = await _open(settings, stack)
        applier = Applier(deployment.db, deployment.providers)
        deployment.directory.on_change(applier.forget)
        yield Office(deployment, applier)


async def _open(settings: Settings, stack: contextlib.AsyncExitStack) -> Deployment:
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + _PATIENCE_SECONDS
    while True:
        try:
            return await stack.enter_async_context(open_deployment(settings))
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if loop.time() > give_up_at:
                raise
            log.warning("database_away", reason=type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)
