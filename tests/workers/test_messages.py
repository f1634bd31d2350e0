"""Mails are sent when somebody knocks, and swept up when nobody does."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import redis as redis_client
from prometheus_client import REGISTRY

from guichet.db import Database
from guichet.outbox import QUEUE
from guichet.settings import Settings
from tests.databases import DatabaseUrls
from tests.mail_catcher import MailCatcher
from tests.merchants import add_merchant, registry_for
from tests.messages.customers import add_customer, messages, queue
from tests.messages.sending import let_pass, mailing
from tests.workers.processes import running_worker, until
from workers.messages import count_messages, send_messages, sweep_messages
from workers.office import Office, open_office


@pytest.fixture
def catcher() -> Iterator[MailCatcher]:
    with MailCatcher() as catcher:
        yield catcher


@pytest.fixture
async def lumen(database_urls: DatabaseUrls, db: Database) -> UUID:
    """A tenant with one mail to send."""
    tenant = (await add_merchant(registry_for(database_urls, db))).id
    await add_customer(db, tenant)
    await queue(db, tenant)
    return tenant


@pytest.fixture
async def office(
    settings_without_sandbox: Settings, catcher: MailCatcher, lumen: UUID
) -> AsyncIterator[Office]:
    async with open_office(mailing(settings_without_sandbox, catcher.url)) as office:
        yield office


async def _knocks(settings: Settings, office: Office) -> list[str]:
    """The tenants that the sweep knocks for."""
    with redis_client.Redis.from_url(settings.redis_url) as client:
        client.flushall()
        await sweep_messages(office)
        return [it.decode().split(":")[1] for it in client.zrange(QUEUE, 0, -1)]


async def test_a_knock_has_a_tenants_mails_sent(
    db: Database, office: Office, catcher: MailCatcher, lumen: UUID
) -> None:
    await send_messages(office, str(lumen))
    assert len(catcher.messages) == 1
    assert [it.state for it in await messages(db, lumen)] == ["sent"]


async def test_the_sweep_finds_who_has_a_mail_that_is_due(
    settings_without_sandbox: Settings,
    database_urls: DatabaseUrls,
    db: Database,
    office: Office,
    lumen: UUID,
) -> None:
    await add_merchant(registry_for(database_urls, db), "volta", "Volta")
    assert await _knocks(settings_without_sandbox, office) == [str(lumen)]
    await send_messages(office, str(lumen))
    assert await _knocks(settings_without_sandbox, office) == []


async def test_a_suspended_tenant_sends_nothing(
    settings_without_sandbox: Settings,
    database_urls: DatabaseUrls,
    db: Database,
    office: Office,
    catcher: MailCatcher,
    lumen: UUID,
) -> None:
    await registry_for(database_urls, db).set_status("lumen", "suspended")
    assert await _knocks(settings_without_sandbox, office) == []

    async def is_known() -> bool:
        return not office.works_for(lumen)

    await until(is_known, 10)
    await send_messages(office, str(lumen))
    assert catcher.connections == 0
    assert [it.state for it in await messages(db, lumen)] == ["queued"]


async def test_what_waits_is_counted(db: Database, office: Office, lumen: UUID) -> None:
    await let_pass(db, lumen, timedelta(minutes=2))
    await count_messages(office)
    waiting = REGISTRY.get_sample_value("guichet_messages_waiting", {"kind": "receipt"})
    assert waiting == 1
    assert (REGISTRY.get_sample_value("guichet_messages_waiting_seconds") or 0) >= 120


async def test_a_worker_sends_what_nobody_knocked_for(
    settings_without_sandbox: Settings,
    db: Database,
    catcher: MailCatcher,
    lumen: UUID,
    tmp_path: Path,
) -> None:
    settings = mailing(settings_without_sandbox, catcher.url)
    async with running_worker(settings, tmp_path / "worker.log") as worker:
        while not catcher.messages and worker.is_running:
            await asyncio.sleep(0.05)
        assert await worker.stop() == 0
    assert [it.state for it in await messages(db, lumen)] == ["sent"]
