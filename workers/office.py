"""What a worker process holds open for its jobs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import structlog

from guichet.billing.dunning.running import Runner
from guichet.deployment import Deployment, await_deployment
from guichet.messages.sending import Sender
from guichet.messages.staff.sending import StaffSender
from guichet.payments.connections import read_connection
from guichet.settings import Settings
from guichet.webhooks.apply import Applier

log = structlog.get_logger()


#: Of the jobs that a process has in hand, so many may take minutes or hours; the others are there
#: for what somebody waits for.
_LONG_JOBS = 20


class Office(msgspec.Struct, frozen=True):
    """Passed to every job."""

    deployment: Deployment
    applier: Applier
    runner: Runner
    sender: Sender
    staff_sender: StaffSender
    #: Held by whoever reads a whole account. Nobody waits for it: the next round comes by again.
    long_jobs: asyncio.Semaphore = msgspec.field(
        default_factory=lambda: asyncio.Semaphore(_LONG_JOBS)
    )

    def works_for(self, tenant_id: UUID) -> bool:
        """False for a suspended tenant: its rows wait until it is resumed."""
        entry = self.deployment.directory.by_id(tenant_id)
        # One that was added a moment ago may not be known here yet.
        return entry is None or entry.status == "active"

    async def is_turned_away(self, tenant_id: UUID) -> bool:
        """Whether the tenant's provider does not let us in, so that its rows wait."""
        async with self.deployment.db.unit(tenant_id) as unit:
            connection = await read_connection(unit)
        return connection is not None and connection.stopped


@contextlib.asynccontextmanager
async def open_office(settings: Settings) -> AsyncIterator[Office]:
    """Open everything; waits for the database as `await_deployment` does."""
    async with await_deployment(settings) as deployment:
        applier = Applier(deployment.db, deployment.providers, outbox=deployment.outbox)
        deployment.directory.on_change(applier.forget)
        runner = Runner(deployment.db, deployment.providers, deployment.directory)
        deployment.directory.on_change(runner.forget)
        yield Office(deployment, applier, runner, _sender(deployment), _staff_sender(deployment))


def _sender(deployment: Deployment) -> Sender:
    return Sender(
        deployment.settings,
        deployment.db,
        deployment.directory,
        deployment.vault,
        deployment.pages,
    )


def _staff_sender(deployment: Deployment) -> StaffSender:
    return StaffSender(deployment.settings, deployment.db, deployment.directory, deployment.pages)
