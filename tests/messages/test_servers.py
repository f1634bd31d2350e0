"""Which server a merchant's mails go to, and that one which fails delays nobody else."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from guichet.audit import Actor
from guichet.db import Database
from guichet.messages.routing import SMTP_URL
from guichet.messages.sending import Sender
from guichet.settings import Settings
from guichet.tenancy import Registry
from tenants.branding import Branding
from tenants.configuration import Configuration
from tenants.mails import Mails
from tenants.vault import Vault
from tests.mail_catcher import MailCatcher
from tests.merchants import add_merchant
from tests.messages.customers import add_customer, message, messages, queue
from tests.messages.sending import Clock, let_pass, mailing, open_sender

_CONFIGURATION = Configuration(
    mails=Mails(sender_name="Lumen & Söhne", sender_address="hello@lumen.example"),
    support_email="help@lumen.example",
    branding=Branding(),
)


@pytest.fixture
def own() -> Iterator[MailCatcher]:
    """The merchant's server."""
    with MailCatcher() as catcher:
        yield catcher


@pytest.fixture
def settings(settings_without_sandbox: Settings, catcher: MailCatcher) -> Settings:
    return mailing(settings_without_sandbox, catcher.url)


@pytest.fixture
def registry(settings: Settings, db: Database) -> Registry:
    return Registry(settings, db, Actor("system", "test"))


@pytest.fixture
async def mail(registry: Registry, db: Database, tenant: UUID) -> UUID:
    await registry.publish("lumen", _CONFIGURATION)
    await add_customer(db, tenant)
    id_ = await queue(db, tenant)
    assert id_
    return id_


@pytest.fixture
async def sender(settings: Settings, db: Database, mail: UUID) -> AsyncIterator[Sender]:
    async with open_sender(settings, db) as sender:
        yield sender


async def _set_server(registry: Registry, settings: Settings, url: str) -> None:
    await registry.set_secret(Vault(settings.master_keys), "lumen", SMTP_URL, url)


async def test_the_deployments_server_speaks_for_the_deployments_address_alone(
    tenant: UUID, sender: Sender, catcher: MailCatcher
) -> None:
    await sender.send_messages(tenant)
    (mail,) = catcher.messages
    assert mail.sender == "mail@guichet.example"
    assert mail.message["From"].addresses[0].addr_spec == "mail@guichet.example"
    assert mail.message["From"].addresses[0].display_name == "Lumen & Söhne"
    assert mail.message["Reply-To"] == "help@lumen.example"


async def test_a_merchants_own_server_speaks_for_the_merchants_address(
    registry: Registry,
    settings: Settings,
    tenant: UUID,
    sender: Sender,
    catcher: MailCatcher,
    own: MailCatcher,
) -> None:
    await _set_server(registry, settings, own.url)
    await sender.send_messages(tenant)
    assert catcher.messages == []
    (mail,) = own.messages
    assert mail.sender == "hello@lumen.example"
    assert mail.message["From"].addresses[0].addr_spec == "hello@lumen.example"


async def test_outside_of_the_demo_a_merchants_server_is_not_in_here(
    registry: Registry,
    settings: Settings,
    db: Database,
    tenant: UUID,
    mail: UUID,
    own: MailCatcher,
) -> None:
    await _set_server(registry, settings, own.url)
    production = msgspec.structs.replace(settings, demo=False)
    async with open_sender(production, db) as sender:
        await sender.send_messages(tenant)
    assert own.connections == 0
    held = await message(db, tenant, mail)
    assert (held.state, held.reason) == ("queued", "address_not_public")


async def test_a_secret_that_does_not_open_sends_nothing_as_somebody_else(
    registry: Registry,
    settings: Settings,
    db: Database,
    tenant: UUID,
    sender: Sender,
    catcher: MailCatcher,
    mail: UUID,
) -> None:
    await _set_server(registry, settings, "nonsense")
    await sender.send_messages(tenant)
    assert catcher.messages == []
    assert (await message(db, tenant, mail)).reason == "no_server"


async def test_a_kind_that_was_switched_off_meanwhile_is_not_sent(
    registry: Registry, db: Database, tenant: UUID, sender: Sender, mail: UUID
) -> None:
    await registry.publish("lumen", Configuration(mails=Mails(switched_off=("receipt",))))
    await _until_published(sender, tenant)
    await sender.send_messages(tenant)
    held = await message(db, tenant, mail)
    assert (held.state, held.reason) == ("suppressed", "switched_off")


async def _until_published(sender: Sender, tenant: UUID) -> None:
    """The directory learns of a new version within moments."""
    for _ in range(200):
        entry = sender.directory.by_id(tenant)
        if entry is not None and entry.published_version == 2:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


async def test_a_silent_server_of_one_merchant_delays_nobody_else(
    registry: Registry,
    settings: Settings,
    db: Database,
    tenant: UUID,
    catcher: MailCatcher,
    own: MailCatcher,
    mail: UUID,
) -> None:
    await _set_server(registry, settings, own.url)
    own.slow("connect", 30)
    marmite = (await add_merchant(registry, "marmite", "Marmite")).id
    await add_customer(db, marmite)
    await queue(db, marmite)
    async with open_sender(settings, db) as sender:
        silent = asyncio.create_task(sender.send_messages(tenant))
        while not own.connections:
            await asyncio.sleep(0.01)
        await sender.send_messages(marmite)
        assert len(catcher.messages) == 1
        assert not silent.done()
        await silent
    assert (await message(db, tenant, mail)).reason == "server_away"


async def test_a_silent_server_keeps_no_more_than_a_few_connections_waiting(
    registry: Registry, settings: Settings, db: Database, tenant: UUID, catcher: MailCatcher
) -> None:
    others = [await add_merchant(registry, f"shop-{number}", "Shop") for number in range(9)]
    tenants = [tenant, *(it.id for it in others)]
    for each in tenants:
        await add_customer(db, each)
        await queue(db, each)
    catcher.slow("connect", 30)
    clock = Clock()
    async with open_sender(settings, db, clock) as sender:
        again = await asyncio.gather(*(sender.send_messages(it) for it in tenants))
        assert catcher.connections <= 4
        assert sum(again) >= 5
        catcher.behave()
        clock.now += 31
        for each in tenants:
            await let_pass(db, each, timedelta(minutes=1))
            await sender.send_messages(each)
    for each in tenants:
        assert [it.state for it in await messages(db, each)] == ["sent"]
