"""Deliveries as a provider makes them: events, and bodies signed as Stripe signs them."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec

from guichet.tenancy import TenantEntry
from tests.shops import SIGNING_SECRET


def event(number: int = 1, kind: str = "product.updated", **subject: Any) -> dict[str, Any]:
    """An event with few fields; `subject` is its object."""
    return {
        "id": f"evt_{number:06}",
        "object": "event",
        "type": kind,
        "created": 1_790_000_000 + number,
        "data": {"object": subject or {"id": "prod_1", "object": "product"}},
    }


def body_of(number: int = 1, kind: str = "product.updated", **subject: Any) -> bytes:
    return msgspec.json.encode(event(number, kind, **subject))


def signature(body: bytes, secret: str = SIGNING_SECRET, at: float | None = None) -> str:
    """A header as Stripe writes it, computed here and not by the code under test."""
    seconds = int(time.time() if at is None else at)
    signed = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={signed.hexdigest()}"


def headers(body: bytes, **how: Any) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-length", str(len(body)).encode()),
        (b"stripe-signature", signature(body, **how).encode()),
    ]


async def chunks(body: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def entry(tenant_id: UUID, change_no: int = 1, status: str = "active") -> TenantEntry:
    """The directory's entry of a tenant."""
    return TenantEntry(tenant_id, UUID(int=1), "lumen", "Lumen", status, change_no, 0)
