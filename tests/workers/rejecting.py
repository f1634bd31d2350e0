"""A provider that turns a tenant away: what is asked of it, and what waits meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from guichet.db import Database
from guichet.outbox import open_outbox
from guichet.payments.connections import ProviderConnection, read_connection
from guichet.settings import Settings
from guichet.webhooks.intake import EventIntake
from tenants.vault import Vault
from tests.deliveries import body_of, chunks, entry, headers
from workers.changes import resume_changes
from workers.events import handle_events
from workers.office import Office
from workers.reconciliation import reconcile_tenant

_AWAY = "redis://127.0.0.1:1"


class Counter:
    """A way to the sandbox that counts requests."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self.requests = 0
        self.url = ""

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Counter"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._target.hostname, self._target.port
        there_reader, there_writer = await asyncio.open_connection(host, port)
        await asyncio.gather(
            self._pass(reader, there_writer, counted=True), self._pass(there_reader, writer)
        )

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counted: bool = False
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                self.requests += data.count(b" HTTP/1.1\r\n") if counted else 0
                writer.write(data)
                await writer.drain()
        writer.close()


async def deliver(settings: Settings, db: Database, tenant: UUID, *customers: str) -> None:
    async with open_outbox(_AWAY) as outbox:
        intake = EventIntake(db, Vault(settings.master_keys), outbox)
        for number, customer in enumerate(customers):
            body = body_of(number, "customer.updated", id=customer, object="customer")
            assert await intake.receive(entry(tenant), headers(body), chunks(body)) == 200


async def ask_for_a_change(db: Database, tenant: UUID, subscription: str) -> UUID:
    """A cancellation whose caller died a while ago."""
    request = uuid4()
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            insert into change_requests (
              tenant_id, id, customer_id, subscription_id, kind, request, state, claimed_until
            )
            values ($1, $2, 'cus_1', $3, 'cancel', 'null', 'started', now() - interval '1 second')
            """,
            tenant,
            request,
            subscription,
        )
    return request


async def waiting(db: Database, tenant: UUID) -> tuple[int, int]:
    """Events that were not applied, and changes that were not settled."""
    async with db.unit(tenant) as unit:
        row = await unit.fetchrow(
            """
            select
              (
                select count(1)
                from provider_events
                where tenant_id = $1
                and handled_at is null
              ),
              (
                select count(1)
                from change_requests
                where tenant_id = $1
                and state in ('started', 'unknown')
              )
            """,
            tenant,
        )
    assert row is not None
    return row[0], row[1]


async def connection_of(db: Database, tenant: UUID) -> ProviderConnection | None:
    async with db.unit(tenant) as unit:
        return await read_connection(unit)


async def audited(db: Database, tenant: UUID) -> list[str]:
    async with db.unit(tenant) as unit:
        rows = await unit.fetch(
            """
            select action
            from audit_log
            where tenant_id = $1
            and action like 'provider_key.%'
            order by at
            """,
            tenant,
        )
    return [row["action"] for row in rows]


async def ripen(db: Database, tenant: UUID) -> None:
    """Let all that waits for a time wait no longer."""
    async with db.unit(tenant) as unit:
        await unit.execute(
            "update provider_events set claimed_until = null where tenant_id = $1", tenant
        )
        await unit.execute(
            "update change_requests set claimed_until = now() where tenant_id = $1", tenant
        )
        await unit.execute(
            """
            update provider_connections
            set checked_at = now() - interval '1 hour'
            where tenant_id = $1
            """,
            tenant,
        )


async def work(office: Office, tenant: UUID) -> None:
    """All that is done for a tenant in the background, but the rare probe."""
    await handle_events(office, str(tenant))
    await resume_changes(office, str(tenant))
    await reconcile_tenant(office, str(tenant))
