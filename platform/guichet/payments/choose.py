"""From a tenant to its payment provider: opens the vault, keeps the client until it changes."""

import asyncio
import importlib
from collections import OrderedDict
from datetime import datetime
from types import TracebackType
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from guichet.db import LOST, Database
from guichet.payments.answers import Account
from guichet.payments.connections import Rejection, key_set_at, note_accepted, note_rejected
from guichet.payments.errors import ProviderKeyRejected
from guichet.payments.port import PaymentProvider
from guichet.payments.watching import Watched
from guichet.settings import Settings
from tenants.vault import Vault, VaultError

log = structlog.get_logger()

#: The vault's name of the key that calls the provider.
SECRET_KEY = "stripe_secret_key"  # noqa: S105 - a name, not a secret.
#: The vault's name of the secret that the provider signs its events with.
WEBHOOK_SECRET = "stripe_webhook_secret"  # noqa: S105 - a name, not a secret.
#: And of the one that it signed them with before, which is good for a while longer.
FORMER_WEBHOOK_SECRET = "stripe_webhook_secret_former"  # noqa: S105 - a name, not a secret.

#: A client is some 2 kB; the connections are shared by all.
_CLIENTS_KEPT = 2000
#: Nobody who asks the provider waits longer for what is written down about it.
_NOTE_SECONDS = 2.0


class _Kept(NamedTuple):
    """A client, and when the key was set that it was made with."""

    client: PaymentProvider
    set_at: datetime | None


class Providers:
    """Every tenant's client. Enter it as a context to have its connections closed at the end.

    Have the directory call `forget` for each tenant that changes: a secret may have. Whatever
    client is turned away, that is written down (`guichet.payments.connections`).
    """

    def __init__(self, settings: Settings, db: Database, vault: Vault) -> None:
        self._url = settings.stripe_url
        self._db = db
        self._vault = vault
        self._clients: OrderedDict[UUID, _Kept] = OrderedDict()
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
        return (await self._keep(tenant_id)).client

    async def probe(self, tenant_id: UUID) -> Account | None:
        """Ask the provider whether it lets us in, and write down that it does.

        Answers None when the key is good and may not read its account. Raises a `ProviderError`.
        """
        kept = await self._keep(tenant_id)
        account = None
        try:
            account = await kept.client.account()
        except ProviderKeyRejected as error:
            if not error.known:
                raise
        async with self._db.unit(tenant_id) as unit:
            await note_accepted(unit, kept.set_at)
        return account

    async def trial(self, key: str) -> PaymentProvider:
        """A client of a key that is no tenant's yet; what it is refused is written down nowhere."""
        adapter = await self._load()
        client: PaymentProvider = adapter.Stripe(key, self._url, self._transport)
        return client

    def forget(self, tenant_id: UUID) -> None:
        """Drop the tenant's client, so that its key is read anew."""
        self._forgotten += 1
        self._clients.pop(tenant_id, None)

    async def _keep(self, tenant_id: UUID) -> _Kept:
        kept = self._clients.get(tenant_id)
        if kept is not None:
            self._clients.move_to_end(tenant_id)
            return kept
        forgotten = self._forgotten
        kept = await self._make(tenant_id)
        # A key that was replaced while it was being read is used once and not kept.
        if forgotten == self._forgotten:
            self._clients[tenant_id] = kept
            if len(self._clients) > _CLIENTS_KEPT:
                self._clients.popitem(last=False)
        return kept

    async def _make(self, tenant_id: UUID) -> _Kept:
        set_at, key = await self._open_key(tenant_id)

        async def turned_away(rejection: Rejection) -> None:
            await self._note(tenant_id, set_at, rejection)

        adapter = await self._load()
        watched = Watched(self._transport, turned_away)
        return _Kept(adapter.Stripe(key, self._url, watched), set_at)

    async def _open_key(self, tenant_id: UUID) -> tuple[datetime | None, str]:
        set_at = None
        try:
            async with self._db.unit(tenant_id) as unit:
                set_at = await key_set_at(unit)
                key = await self._vault.open(unit.connection, tenant_id, SECRET_KEY)
        except VaultError as error:
            log.error("provider_key_does_not_open", tenant=str(tenant_id), reason=str(error))
            await self._note(tenant_id, set_at, Rejection("key_sealed"))
            raise ProviderKeyRejected from None
        if key is None:
            await self._note(tenant_id, set_at, Rejection("key_missing"))
            raise ProviderKeyRejected
        return set_at, key

    async def _note(self, tenant_id: UUID, set_at: datetime | None, rejection: Rejection) -> None:
        """Write a rejection down; whoever was turned away is told so whether that works or not."""
        try:
            async with asyncio.timeout(_NOTE_SECONDS), self._db.unit(tenant_id) as unit:
                await note_rejected(unit, set_at, rejection)
        except (OSError, *LOST) as error:
            log.error("rejection_not_noted", tenant=str(tenant_id), reason=type(error).__name__)

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
