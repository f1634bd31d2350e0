"""A tenant with customers of the mirror, a mail server, and who sends to it."""

from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest

from guichet.db import Database
from guichet.messages.sending import Sender
from guichet.settings import Settings
from tests.databases import DatabaseUrls
from tests.mail_catcher import MailCatcher
from tests.merchants import add_merchant, registry_for
from tests.messages.customers import add_customer, queue
from tests.messages.sending import Clock, mailing, open_sender


@pytest.fixture
async def tenant(database_urls: DatabaseUrls, db: Database) -> UUID:
    """The tenant *lumen*."""
    return (await add_merchant(registry_for(database_urls, db))).id


@pytest.fixture
async def mail(db: Database, tenant: UUID) -> UUID:
    """A receipt that waits for Ada."""
    await add_customer(db, tenant)
    id_ = await queue(db, tenant, invoice_id="in_1")
    assert id_
    return id_


@pytest.fixture
def catcher() -> Iterator[MailCatcher]:
    """The deployment's mail server."""
    with MailCatcher() as catcher:
        yield catcher


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sender(
    settings_without_sandbox: Settings, db: Database, catcher: MailCatcher, clock: Clock
) -> AsyncIterator[Sender]:
    async with open_sender(mailing(settings_without_sandbox, catcher.url), db, clock) as sender:
        yield sender
