"""From a tenant to its payment provider: opens the vault, keeps the client until it changes."""

import asyncio
import importlib
from collections import OrderedDict
from types import TracebackType
from typing import Any
from uuid import UUID

import structlog

from guichet.db import Database
from guichet.payments.errors import ProviderKeyRejected
from guichet.payments.port import PaymentProvider
from guichet.settings import Settings
from tenants.vault import Vault, VaultError

log = structlog.get_logger()

#: The vault's name of the key that calls the provider.
SECRET_KEY = "stripe_secret_key"  # noqa: S105 - a name, not a secret.
#: The vault's name of the secret that the provider signs its events with.
WEBHOOK_SECRET = "stripe_webhook_secret"  # noqa: S105 - a name, not a secret.

#: A client is some 2 kB; the connections are shared by all.
_CLIENTS_KEPT = 2000


class Providers:
    """Every tenant's client. Enter it as a context to have its connections closed at the end.

    Have the directory call `forget` for each tenant that changes: a secret may have.
    """

    def __init__(self, settings: Settings, db: Database, vault: Vault) -> None:
        self._url = settings.stripe_url
        self._db = db
        self._vault = vault
        self._clients: OrderedDict[UUID, PaymentProvider] = OrderedDict()
        self._forgotten = 0
        self._adapter: Any = None
        self._transport: Any = None
        self._loading = asyncio.Lock()

    async def __aenter__(self) -> "Providers":
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._transport is not None:
            await self._transport.close_async()

    async def client(self, tenant_id: UUID) -> PaymentProvider:
        """The tenant's access to its provider.

        Raises `ProviderKeyRejected` when the tenant has no key, or one that does not open.
        """
        kept = self._clients.get(tenant_id)
        if kept is not None:
            self._clients.move_to_end(tenant_id)
            return kept
        forgotten = self._forgotten
        client = self._make(await self._open_key(tenant_id), await self._load())
        # A key that was replaced while it was being read is used once and not kept.
        if forgotten == self._forgotten:
            self._clients[tenant_id] = client
            if len(self._clients) > _CLIENTS_KEPT:
                self._clients.popitem(last=False)
        return client

    def forget(self, tenant_id: UUID) -> None:
        """Drop the tenant's client, so that its key is read anew."""
        self._forgotten += 1
        self._clients.pop(tenant_id, None)

    async def _open_key(self, tenant_id: UUID) -> str:
        try:
            async with self._db.unit(tenant_id) as unit:
                key = await self._vault.open(unit.connection, tenant_id, SECRET_KEY)
        except VaultError as error:
            log.error("provider_key_does_not_open", tenant=str(tenant_id), reason=str(error))
            raise ProviderKeyRejected from None
        if key is None:
            raise ProviderKeyRejected
        return key

    def _make(self, key: str, adapter: Any) -> PaymentProvider:
        client: PaymentProvider = adapter.Stripe(key, self._url, self._transport)
        return client

    async def _load(self) -> Any:
        """The adapter, imported at first use: the SDK takes a second or two to load."""
        async with self._loading:
            if self._adapter is None:
                # In a thread, so that pages are served meanwhile.
                adapter = await asyncio.to_thread(
                    importlib.import_module, "guichet.payments.stripe.adapter"
                )
                self._transport = adapter.Transport()
                self._adapter = adapter
            return self._adapter
