"""A sender of this process, and how a test makes time pass for its mails."""

import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import msgspec

from guichet.db import Database
from guichet.messages.dialing import Patience
from guichet.messages.sending import Sender
from guichet.settings import Settings
from guichet.tenancy import Directory
from guichet.theming.pages import Pages
from guichet.theming.themes import themes_directory
from tenants.vault import Vault

SHORT = Patience(connect=1.0, command=1.0, body=1.0, opening=2.0, goodbye=0.5)


class Clock:
    """The process's own clock, which a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def mailing(settings: Settings, url: str) -> Settings:
    """The settings with the deployment's mail server at this URL."""
    return msgspec.structs.replace(settings, smtp_url=url, mail_from="mail@guichet.example")


@contextlib.asynccontextmanager
async def open_sender(
    settings: Settings,
    db: Database,
    clock: Clock | None = None,
    tls: ssl.SSLContext | None = None,
    patience: Patience = SHORT,
) -> AsyncIterator[Sender]:
    async with Directory(settings, db) as directory:
        yield Sender(
            settings,
            db,
            directory,
            Vault(settings.master_keys),
            Pages(themes_directory()),
            patience=patience,
            clock=clock or Clock(),
            tls=tls,
        )


async def let_pass(db: Database, tenant: UUID, time: timedelta) -> None:
    """Move every mail of a tenant into the past, as if this time had gone by."""
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            update messages
            set queued_at = queued_at - $2::interval, due_at = due_at - $2::interval
            where tenant_id = $1
            """,
            tenant,
            time,
        )
