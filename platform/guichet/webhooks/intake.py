"""What happens to a delivery before it is answered: verified, stored once, a worker woken.

The answer says 2xx only after the commit. Nothing but the signature makes a body trustworthy, so it
is checked on the raw bytes before anything is decoded.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
import structlog
from prometheus_client import Counter

from guichet.db import Database
from guichet.errors import Forbidden, GuichetError, MalformedRequest
from guichet.outbox import Outbox
from guichet.payments.endpoints import Secrets, open_secrets
from guichet.tenancy import TenantEntry
from guichet.webhooks.signatures import is_signed
from guichet.webhooks.storing import EventStore, StoredEvent
from tenants.vault import Vault, VaultError

log = structlog.get_logger()

#: The job that applies a tenant's stored events.
HANDLE_EVENTS = "handle_events"

MAX_BODY_BYTES = 1024 * 1024
#: A secret is some 40 bytes; a tenant that is pushed out costs one read of the vault.
_SECRETS_KEPT = 10_000

_stored = Counter("guichet_events_stored_total", "Deliveries stored or known already.")
_refused = Counter("guichet_events_refused_total", "Deliveries refused, by reason.", ["reason"])

Headers = Iterable[tuple[bytes, bytes]]


class BodyTooLarge(MalformedRequest):
    """This delivery is larger than any event is."""

    status = 413
    code = "body_too_large"


class BadSignature(MalformedRequest):
    """The signature of this delivery is missing, wrong, or from another time."""

    code = "bad_signature"


class UnreadableEvent(MalformedRequest):
    """This delivery is not an event."""

    code = "unreadable_event"


class PortalSuspended(Forbidden):
    """This portal is suspended and takes no events."""

    code = "portal_suspended"


# PostgreSQL cannot store a NUL in a text, and one bad row would fail everybody's group.
_Name = Annotated[str, msgspec.Meta(pattern=r"\A[!-~]{1,255}\Z")]


class _Object(msgspec.Struct):
    id: _Name | None = None


class _Data(msgspec.Struct):
    object: _Object


class _Event(msgspec.Struct):
    """The few fields that the row needs; the body is kept whole."""

    id: _Name
    type: _Name
    created: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
    data: _Data


_decoder = msgspec.json.Decoder(_Event)


class EventIntake:
    """Takes deliveries in. `clock` answers seconds since 1970."""

    def __init__(
        self, db: Database, vault: Vault, outbox: Outbox, clock: Callable[[], float] = time.time
    ) -> None:
        self._db = db
        self._vault = vault
        self._outbox = outbox
        self._clock = clock
        self._store = EventStore(db, self._wake)
        self._secrets: OrderedDict[UUID, tuple[int, Secrets]] = OrderedDict()
        self._knocks: set[asyncio.Task[None]] = set()

    async def receive(
        self, tenant: TenantEntry, headers: Headers, body: AsyncIterator[bytes]
    ) -> int:
        """Take in one delivery and answer its HTTP status; 200 once it is durable."""
        try:
            await self._take_in(tenant, headers, body)
        except GuichetError as refusal:
            _refused.labels(refusal.code).inc()
            log.warning("event_refused", tenant=tenant.slug, reason=refusal.code)
            return refusal.status
        _stored.inc()
        return 200

    async def _take_in(
        self, tenant: TenantEntry, headers: Headers, body: AsyncIterator[bytes]
    ) -> None:
        if tenant.status != "active":
            raise PortalSuspended
        signature = _signature(headers)
        raw = await _read(body)
        secrets = await self._open(tenant)
        now = self._clock()
        if not any(is_signed(signature, raw, it.encode(), now) for it in secrets.good_at(now)):
            raise BadSignature
        await self._store.store(_row(tenant.id, raw))

    async def _open(self, tenant: TenantEntry) -> Secrets:
        """The tenant's signing secrets, read again when the tenant has changed since."""
        kept = self._secrets.get(tenant.id)
        if kept is not None and kept[0] == tenant.change_no:
            self._secrets.move_to_end(tenant.id)
            return kept[1]
        secrets = await self._read_secrets(tenant)
        self._secrets[tenant.id] = (tenant.change_no, secrets)
        if len(self._secrets) > _SECRETS_KEPT:
            self._secrets.popitem(last=False)
        return secrets

    async def _read_secrets(self, tenant: TenantEntry) -> Secrets:
        try:
            async with self._db.unit(tenant.id) as unit:
                return await open_secrets(unit, self._vault)
        except VaultError as error:
            log.error("webhook_secret_does_not_open", tenant=tenant.slug, reason=str(error))
            return Secrets(None, None, None)

    def _wake(self, tenants: set[UUID]) -> None:
        """Knock beside the answers: with Redis away nobody waits, and the sweep finds the rows."""
        task = asyncio.create_task(self._knock(tenants))
        self._knocks.add(task)
        task.add_done_callback(self._knocks.discard)

    async def _knock(self, tenants: set[UUID]) -> None:
        for tenant_id in tenants:
            await self._outbox.knock(HANDLE_EVENTS, str(tenant_id))


def _signature(headers: Headers) -> bytes:
    """The signature header, after a look at the length that the sender declares."""
    signature = b""
    for name, value in headers:
        if name == b"stripe-signature":
            if signature:
                raise BadSignature
            signature = value
        elif name == b"content-length" and value.isdigit() and int(value) > MAX_BODY_BYTES:
            raise BodyTooLarge
    if not signature:
        raise BadSignature
    return signature


async def _read(body: AsyncIterator[bytes]) -> bytes:
    """The raw body; reading stops as soon as it is too large."""
    chunks, size = [], 0
    async for chunk in body:
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise BodyTooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def _row(tenant_id: UUID, raw: bytes) -> StoredEvent:
    try:
        event = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UnreadableEvent from None
    created_at = datetime.fromtimestamp(event.created, UTC)
    return StoredEvent(tenant_id, event.id, event.type, event.data.object.id, created_at, raw)
