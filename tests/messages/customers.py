"""Customers and messages of a tenant, as the rest of the deployment would have left them."""

from datetime import UTC, datetime, tzinfo
from typing import Any
from uuid import UUID

from guichet.db import Database
from guichet.messages.kinds import Kind
from guichet.messages.log import Message, find_message, list_messages
from guichet.messages.queueing import queue_message

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
ADA = "cus_ada"


async def add_customer(
    db: Database,
    tenant: UUID,
    id_: str = ADA,
    email: str | None = "ada@example.com",
    languages: tuple[str, ...] = (),
) -> str:
    async with db.unit(tenant) as unit:
        await unit.execute(
            """
            insert into customers (tenant_id, id, email, preferred_locales, created_at, copy_no)
            values ($1, $2, $3, $4, now(), 1)
            """,
            tenant,
            id_,
            email,
            list(languages),
        )
    return id_


async def queue(
    db: Database,
    tenant: UUID,
    kind: Kind = "receipt",
    key: str = "receipt:in_1",
    customer: str = ADA,
    at: datetime = NOW,
    is_wanted: bool = True,
    zone: tzinfo = UTC,
    **facts: Any,
) -> UUID | None:
    """Queue a mail in a unit of its own."""
    async with db.unit(tenant) as unit:
        id_ = await queue_message(
            unit, kind, customer, key, facts, at, is_wanted=is_wanted, zone=zone
        )
    return UUID(id_) if id_ else None


async def message(db: Database, tenant: UUID, id_: UUID | None) -> Message:
    assert id_ is not None
    async with db.unit(tenant) as unit:
        found = await find_message(unit, id_)
    assert found is not None
    return found


async def state_of(db: Database, tenant: UUID, id_: UUID) -> tuple[str, str | None]:
    """A message's state and its reason."""
    held = await message(db, tenant, id_)
    return held.state, held.reason


async def messages(db: Database, tenant: UUID) -> list[Message]:
    """All of a tenant's, the oldest first."""
    async with db.unit(tenant) as unit:
        return (await list_messages(unit, limit=1000))[::-1]
