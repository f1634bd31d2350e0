"""Which server a tenant's mails go to, and as whose they come."""

from typing import NamedTuple

import structlog

from guichet.db import Database
from guichet.mail_servers import MailServer, UnusableServer, parse_server
from guichet.messages.composing import plain_address
from guichet.settings import Settings
from guichet.tenancy import TenantEntry
from tenants.configuration import Configuration
from tenants.vault import Vault, VaultError

log = structlog.get_logger()

#: The name under which the vault keeps a tenant's own server.
SMTP_URL = "smtp_url"


class Route(NamedTuple):
    """A server, whether it is the tenant's own, and the address that mails come from."""

    server: MailServer
    is_own: bool
    sender: str


class Router:
    """Finds the routes of tenants."""

    def __init__(self, settings: Settings, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault
        self._sender = settings.mail_from
        self._server = parse_server(settings.smtp_url) if settings.smtp_url else None

    async def find(self, tenant: TenantEntry, configuration: Configuration) -> Route | None:
        """The tenant's own server, else the deployment's; None where its mails have to wait.

        The deployment's server speaks for the deployment's address alone: whoever could have it
        speak for any other could write as anybody.
        """
        try:
            async with self._db.unit(tenant.id) as unit:
                url = await self._vault.open(unit.connection, tenant.id, SMTP_URL)
            own = parse_server(url) if url else None
        except (VaultError, UnusableServer) as error:
            log.warning("mail_server_unusable", tenant=str(tenant.id), reason=str(error))
            return None
        if own is not None:
            # It stands in a command and in a header as it is.
            sender = plain_address(configuration.mails.sender_address) or self._sender
            return Route(own, True, sender) if sender else None
        return Route(self._server, False, self._sender) if self._server else None
